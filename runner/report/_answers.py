"""Verdicts in words: what was asked, what the runs say, how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from runner.metrics import METRICS
from runner.report._format import lost_runs, majority_text, narrow_text, p_text
from runner.spec import Question
from runner.stats import ALPHA
from runner.text import escaped, table
from runner.verdicts import REFUTED, SUPPORTED, UNDECIDED, Comparison, Verdict

_WORD = {SUPPORTED: "Yes", REFUTED: "No"}
_NO_CHANCE = "Chance over seeds does not explain this."


def short_answers(verdicts: Sequence[Verdict]) -> list[str]:
    """One line for each question that the runs can answer, then one line for all others."""
    lines = [short_answer(verdict) for verdict in verdicts if verdict.judged]
    return lines + [line for line in [unjudged(verdicts)] if line]


def unjudged(verdicts: Sequence[Verdict]) -> str:
    """The questions that these runs can't answer, and which runs are missing. Empty where they can answer all."""
    asked: dict[str, list[str]] = {}
    for each in verdicts:
        if not each.judged:
            asked.setdefault(_lacks(each), []).append(f"*{escaped(each.declared.ask)}*")
    named = "; ".join(f"{' '.join(asks)} ({lacks})" for lacks, asks in asked.items())
    return f"These runs can't answer: {named}." if named else ""


def _lacks(verdict: Verdict) -> str:
    if verdict.declared.malformed:
        return escaped(verdict.declared.malformed.rstrip("."))
    if not verdict.missing:
        return "too few runs finished"
    lost = [lost for lost in verdict.lost if lost.variant in verdict.missing]
    why = f"; failed: {lost_runs(lost)}" if lost else ""
    return f"no finished run of {', '.join(map(escaped, verdict.missing))}{why}"


def short_answer(verdict: Verdict) -> str:
    """One line: the question, the answer, the effects, and what else a reader must know."""
    detail = "; ".join(_comparison(c, verdict) for c in verdict.comparisons[:3]) or "no finished runs"
    metric = verdict.question.metric
    what = f"`{metric}`, " if metric != "val/accuracy" and verdict.comparisons else ""
    more = f"; and {len(verdict.comparisons) - 3} more" if len(verdict.comparisons) > 3 else ""
    claim = [f"Claimed elsewhere: {escaped(verdict.claim.rstrip('.'))}."] if verdict.claim else []
    said = " ".join([*cautions(verdict), *claim])
    return f"**{escaped(verdict.declared.ask)}** {_answer(verdict)} ({what}{detail}{more}.) {said}".rstrip()


def cautions(verdict: Verdict) -> list[str]:
    """Sentences about failed runs, classes that are never predicted, and imbalance."""
    said = []
    if verdict.lost:
        changes = " They could change the answer." if verdict.contradicted else ""
        said.append(f"Failed runs: {lost_runs(verdict.lost)}.{changes}")
    if verdict.narrow:
        said.append(f"{narrow_text(verdict.narrow)}.")
    if verdict.majority:
        part = "test" if verdict.question.metric.startswith("test/") else "val"
        better = f"`{part}/balanced_accuracy` or `{part}/macro_f1`"
        said.append(f"{majority_text(verdict.majority)}. Ask about {better} instead.")
    return said


def long_answer(verdict: Verdict, number: int) -> str:
    """A section: the verdict and what it means, the claim, and every difference with its interval, p and n."""
    question = verdict.question
    meaning = " ".join([_meaning(verdict), *cautions(verdict)])
    lines = [f"### {number}. {escaped(question.ask)}", "", f"**{verdict.answer.capitalize()}.** {meaning}", ""]
    if verdict.claim:
        lines += [f"> Claimed elsewhere: {escaped(verdict.claim)}", ""]
    metric = question.metric
    rows = [
        [
            escaped(comparison.label),
            _effect(comparison, question),
            p_text(comparison.effect.p),
            "-" if comparison.signed_rank is None else p_text(comparison.signed_rank),
            str(comparison.effect.interval.n),
            "-" if math.isnan(comparison.correlation) else f"{comparison.correlation:+.2f}",
        ]
        for comparison in verdict.comparisons
    ]
    lines += [
        table(
            [
                "difference",
                f"`{metric}` [95% interval]",
                "p (t test, not corrected)",
                "signed-rank p",
                "n",
                "correlation",
            ],
            rows,
        )
    ]
    said = [
        f"`{metric}`: {METRICS[metric].meaning}",
        "Asked: which is best" if question.best_of else f"Expected: {question.expect}",
    ]
    if question.smallest:
        said.append(f"Smallest difference that matters: {_number(question.smallest, question, sign=False)}")
    said.append(f"p of the question: {p_text(verdict.p)}; after Holm correction: {p_text(verdict.adjusted)}.")
    more = [text for text in (escaped(verdict.wins), _caution(question)) if text]
    lines += ["", " ".join([". ".join(said), *more])]
    return "\n".join(lines)


def _caution(question: Question) -> str:
    """What a reader must know about this kind of question."""
    if question.value:
        return (
            "The constant counts as exact. Where it comes from a single run, the spread of that run is unknown, so the "
            "answer is only about the mean of these seeds."
        )
    if question.best_of:
        return (
            "The same runs choose the best variant and compare it, which exaggerates its lead on average. The test "
            "allows for that."
        )
    if question.trend:
        return "The slope of a straight line does not show a rise followed by a fall."
    if question.expect == "equal":
        return "Equal within the margin at .05 means that the 90% interval is inside the margin."
    return ""


def _answer(verdict: Verdict) -> str:
    late = " (exploratory: declared after the runs)" if verdict.exploratory else ""
    if verdict.contradicted and verdict.adjusted <= ALPHA and not verdict.question.best_of:
        late = f", leaning to {_WORD[verdict.leaning].lower()}, but failed runs could change that" + late
    elif verdict.answer == UNDECIDED and verdict.p <= ALPHA and not verdict.question.best_of:
        late = f", leaning to {_WORD[verdict.leaning].lower()} (p {p_text(verdict.adjusted)} after Holm)" + late
    if verdict.question.best_of and verdict.comparisons:
        best = escaped(verdict.comparisons[0].label.split(" - ")[0])
        sure = "clearly" if verdict.answer == SUPPORTED else "but not significantly better than all others"
        return f"{best}, {sure}{late}."
    word = _WORD.get(verdict.answer, "Undecided")
    if verdict.too_small:
        small = _number(verdict.question.smallest or 0.0, verdict.question, sign=False)
        late = f", but by less than the {small} that matter{late}"
    return f"{word}{late}."


def _meaning(verdict: Verdict) -> str:
    late = "The question was declared after runs that it judges, so it is exploratory. " if verdict.exploratory else ""
    if verdict.answer == SUPPORTED:
        return late + f"{_supported(verdict)}. {_NO_CHANCE}"
    if verdict.answer == REFUTED:
        return late + f"{_refuted(verdict)}. {_NO_CHANCE}"
    if math.isnan(verdict.p):
        return late + _untested(verdict)
    if verdict.contradicted and verdict.adjusted <= ALPHA:
        return late + (
            f"The finished runs lean to *{verdict.leaning}* (p {p_text(verdict.adjusted)} after Holm correction). A "
            "diverged run ranks below every finished run, so the failed runs could change this."
        )
    if verdict.p <= ALPHA:
        return late + (
            f"The question's own p is {p_text(verdict.p)} and leans to *{verdict.leaning}*. After Holm correction over "
            f"{verdict.family} questions it is {p_text(verdict.adjusted)}, which is not significant."
            + _seeds_needed(verdict)
        )
    return late + _undecided(verdict) + _seeds_needed(verdict)


def _untested(verdict: Verdict) -> str:
    if any(comparison.effect.interval.n < 2 for comparison in verdict.comparisons):
        return "There are too few finished runs for a test."
    return "There is no test: a t test needs differences that vary and are finite."


def _seeds_needed(verdict: Verdict) -> str:
    """How many seeds the smallest difference that matters would take, with a plausible range."""
    needed, question = verdict.needed, verdict.question
    if not needed or not question.smallest:
        return ""
    size = _number(question.smallest, question, sign=False)
    if question.expect == "equal":
        what = f" Showing that a difference is below {size}, if there is none,"
    else:
        slope = f" per unit of {question.trend}" if question.trend else ""
        what = f" Finding {'each' if len(verdict.comparisons) > 1 else 'a'} true difference of {size}{slope}"
    if needed.seeds <= needed.n:
        return what + f" with power .8 needs no more than these {needed.n} seeds, if their spread is typical."
    low, high = (f"{count:,}" if count else "more than 10,000" for count in (needed.low, needed.high))
    return (
        f"{what} four times in five (power .8), at the strictest level of Holm's correction, takes "
        f"about {needed.seeds:,} seeds. The number may be {low} to {high}, because {needed.n} seeds say little about "
        "how much differences vary between seeds."
    )


def _supported(verdict: Verdict) -> str:
    question = verdict.question
    several = len(verdict.comparisons) > 1
    if question.best_of:
        return "The best variant is significantly better than every other"
    if question.expect in ("more", "less"):
        return f"{'All differences have' if several else 'The difference has'} the expected direction"
    what = "within the margin" if question.expect == "equal" else "significant"
    return f"{'All differences are' if several else 'The difference is'} {what}"


def _refuted(verdict: Verdict) -> str:
    what = "At least one difference" if len(verdict.comparisons) > 1 else "The difference"
    return (
        f"{what} {'is larger than the margin' if verdict.question.expect == 'equal' else 'has the opposite direction'}"
    )


def _undecided(verdict: Verdict) -> str:
    question = verdict.question
    if question.expect == "equal":
        return "These runs don't show whether the margin holds."
    if question.best_of:
        first = "The best variant is not significantly better than every other."
    elif len(verdict.comparisons) > 1:
        first = "Not every difference that the claim needs is significant."
    else:
        first = "The difference is not significant."
    return f"{first} That does not prove that there is none."


def _comparison(comparison: Comparison, verdict: Verdict) -> str:
    label, effect = escaped(comparison.label), _effect(comparison, verdict.question)
    return f"{label}: {effect}, n = {comparison.effect.interval.n}"


def _effect(comparison: Comparison, question: Question) -> str:
    interval = comparison.effect.interval
    if math.isnan(interval.estimate):
        return "-"
    text = _number(interval.estimate, question)
    if math.isfinite(interval.low):
        low, high = (_number(bound, question, unit=False) for bound in (interval.low, interval.high))
        text += f" [{low}, {high}]"
    return text


def _number(value: float, question: Question, sign: bool = True, unit: bool = True) -> str:
    return METRICS[question.metric].unit.text(value, sign, unit)
