"""Verdicts in words: what was asked, what the runs say, how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from runner.metrics import METRICS
from runner.report.comparisons import Comparison
from runner.report.format import lost_runs, majority_text, narrow_text, p_text
from runner.report.verdicts import REFUTED, SUPPORTED, UNDECIDED, Verdict
from runner.spec import Question
from runner.stats import ALPHA
from runner.text import escaped, table

_WORD = {SUPPORTED: "Yes", REFUTED: "No"}


def short_answers(verdicts: Sequence[Verdict]) -> list[str]:
    """A line a question that can be judged, then one line for all that can't."""
    lines = [short_answer(verdict) for verdict in verdicts if verdict.judged]
    return lines + [line for line in [unjudged(verdicts)] if line]


def unjudged(verdicts: Sequence[Verdict]) -> str:
    """Which questions can't be judged, and for lack of which runs; empty where all can."""
    asked: dict[str, list[str]] = {}
    for each in verdicts:
        if not each.judged:
            asked.setdefault(_lacks(each), []).append(f"*{escaped(each.declared.ask)}*")
    named = "; ".join(f"{' '.join(asks)} ({lacks})" for lacks, asks in asked.items())
    return f"Can't be judged by these runs: {named}." if named else ""


def _lacks(verdict: Verdict) -> str:
    if verdict.declared.malformed:
        return escaped(verdict.declared.malformed.rstrip("."))
    if not verdict.missing:
        return "too few runs finished"
    lost = [lost for lost in verdict.lost if lost.variant in verdict.missing]
    why = f"; lost: {lost_runs(lost)}" if lost else ""
    return f"no finished run of {', '.join(map(escaped, verdict.missing))}{why}"


def short_answer(verdict: Verdict) -> str:
    """One line: the question, the answer, the size of the effect, and what else a reader must know."""
    detail = "; ".join(_comparison(c, verdict) for c in verdict.comparisons[:3]) or "no finished runs to judge by"
    metric = verdict.question.metric
    what = f"`{metric}`, " if metric != "val/accuracy" and verdict.comparisons else ""
    more = f"; and {len(verdict.comparisons) - 3} more" if len(verdict.comparisons) > 3 else ""
    claim = [f"Said elsewhere: {escaped(verdict.claim.rstrip('.'))}."] if verdict.claim else []
    said = " ".join([*cautions(verdict), *claim])
    return f"**{escaped(verdict.declared.ask)}** {_answer(verdict)} ({what}{detail}{more}.) {said}".rstrip()


def cautions(verdict: Verdict) -> list[str]:
    """Sentences about lost runs, classes that are never predicted, and imbalance."""
    said = []
    if verdict.lost:
        changes = ", so the answer could change" if verdict.contradicted else ""
        said.append(f"Lost runs: {lost_runs(verdict.lost)}{changes}.")
    if verdict.narrow:
        said.append(f"{narrow_text(verdict.narrow)}.")
    if verdict.majority:
        part = "test" if verdict.question.metric.startswith("test/") else "val"
        better = f"`{part}/balanced_accuracy` or `{part}/macro_f1`"
        said.append(f"{majority_text(verdict.majority)}: {better} would be the better question.")
    return said


def long_answer(verdict: Verdict, number: int) -> str:
    """A section: verdict, every difference with its interval, p, Holm, n, the claim, and what it means."""
    question = verdict.question
    meaning = " ".join([_meaning(verdict), *cautions(verdict)])
    lines = [f"### {number}. {escaped(question.ask)}", "", f"**{verdict.answer.capitalize()}.** {meaning}", ""]
    if verdict.claim:
        lines += [f"> Said elsewhere: {escaped(verdict.claim)}", ""]
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
            ["difference", f"`{metric}` [95% interval]", "p of no difference", "signed-rank p", "n", "r of pairs"], rows
        )
    ]
    expected = "asked: the best" if question.best_of else f"expected: {question.expect}"
    if question.smallest:
        expected += f", smallest difference worth knowing: {_number(question.smallest, question, sign=False)}"
    tested = f"p of the question {p_text(verdict.p)}, after Holm {p_text(verdict.adjusted)}"
    best = f" {escaped(verdict.wins)}" if verdict.wins else ""
    lines += ["", f"`{metric}`: {METRICS[metric].meaning}; {expected}; {tested}.{best}{_caution(question)}"]
    return "\n".join(lines)


def _caution(question: Question) -> str:
    """What a kind of question does not say by itself."""
    if question.value:
        return (
            " The constant is taken as exact: where it is one run of somebody else's, its own spread is unknown, and "
            "the answer is about the mean of these seeds alone."
        )
    if question.best_of:
        return (
            " The same runs choose the best and compare it: its lead is on average overstated; the test allows for it."
        )
    if question.trend:
        return " A straight line's slope: a rise and fall over the levels is not seen."
    if question.expect == "equal":
        return " Equal within the margin at .05 is the 90% interval within it."
    return ""


def _answer(verdict: Verdict) -> str:
    late = " (exploratory: asked after the runs)" if verdict.exploratory else ""
    if verdict.contradicted and verdict.adjusted <= ALPHA and not verdict.question.best_of:
        late = f", since not all lost runs speak for {_WORD[verdict.leaning].lower()}" + late
    elif verdict.answer == UNDECIDED and verdict.p <= ALPHA and not verdict.question.best_of:
        late = f", leaning to {_WORD[verdict.leaning].lower()} (p {p_text(verdict.adjusted)} after Holm)" + late
    if verdict.question.best_of and verdict.comparisons:
        best = escaped(verdict.comparisons[0].label.split(" - ")[0])
        sure = "clearly" if verdict.answer == SUPPORTED else "but not told apart from all others"
        return f"{best}, {sure}{late}."
    word = _WORD.get(verdict.answer, "Undecided")
    if small := _too_small(verdict):
        late = f", by less than the {small} worth knowing{late}"
    return f"{word}{late}."


def _too_small(verdict: Verdict) -> str:
    """The smallest difference worth knowing, where one is told apart from 0 whose whole interval is below it."""
    question = verdict.question
    smallest = question.smallest or 0.0
    if verdict.answer == UNDECIDED or question.expect == "equal" or question.best_of:
        return ""
    intervals = [comparison.effect.interval for comparison in verdict.comparisons]
    if not all(max(abs(each.low), abs(each.high)) < smallest for each in intervals):
        return ""
    return _number(smallest, question, sign=False)


def _meaning(verdict: Verdict) -> str:
    late = "The question was declared after runs that it judges: exploratory. " if verdict.exploratory else ""
    if verdict.answer == SUPPORTED:
        return late + "The runs show what was asked, beyond what chance over seeds explains."
    if verdict.answer == REFUTED:
        return late + _refuted(verdict) + ", beyond what chance over seeds explains."
    if math.isnan(verdict.p):
        return late + _untested(verdict)
    if verdict.contradicted and verdict.adjusted <= ALPHA:
        return late + (
            f"The finished runs lean to *{verdict.leaning}* (p {p_text(verdict.adjusted)} after Holm), but a run that "
            "diverged ranks below every finished one, and not every lost run speaks for that."
        )
    if verdict.p <= ALPHA:
        return late + (
            f"Its own p of {p_text(verdict.p)} leans to *{verdict.leaning}*; corrected for {verdict.family} questions "
            f"it is {p_text(verdict.adjusted)}, so it counts as undecided." + _seeds_needed(verdict)
        )
    return late + "These runs don't tell; that is no proof of no difference." + _seeds_needed(verdict)


def _untested(verdict: Verdict) -> str:
    if verdict.missing and verdict.question.best_of:
        return f"It can't be tested: there is no finished run of {', '.join(map(escaped, verdict.missing))}."
    if any(comparison.effect.interval.n < 2 for comparison in verdict.comparisons) or not verdict.comparisons:
        return "There are too few finished runs to test it."
    return "It can't be tested: differences that do not vary at all, or are not finite, have no t test."


def _seeds_needed(verdict: Verdict) -> str:
    """How many seeds the smallest difference worth knowing would take, and how sure that number is."""
    needed, question = verdict.needed, verdict.question
    if not needed or not question.smallest:
        return ""
    size = _number(question.smallest, question, sign=False)
    if question.expect == "equal":
        what = f" To show that a difference is below {size}, where there is none"
    else:
        slope = f" per unit of {question.trend}" if question.trend else ""
        what = f" To see {'each ' if len(verdict.comparisons) > 1 else 'a '}difference of {size}{slope}"
    if needed.seeds <= needed.n:
        return what + f" (power .8), the {needed.n} seeds run would do, if they tell the spread rightly."
    low, high = (f"{count:,}" if count else "more than 10,000" for count in (needed.low, needed.high))
    return (
        what + f" (power .8, at Holm's strictest level) takes about {needed.seeds:,} seeds: {low} to {high}, since "
        f"{needed.n} seeds tell the spread only roughly."
    )


def _refuted(verdict: Verdict) -> str:
    question = verdict.question
    several = len(verdict.comparisons) > 1
    if question.expect == "equal":
        return "At least one differs by more than the margin" if several else "They differ by more than the margin"
    if several:
        return "Not all of it holds: at least one difference goes the other way"
    return "The runs show the opposite"


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
