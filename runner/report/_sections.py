"""A section for each question: the verdict, what it means, and every difference with its interval and p."""

from __future__ import annotations

import math
import shlex

from runner.report._answers import about_images, cautions, effect_of
from runner.report._format import p_text
from runner.report._phrases import WHY, number_text, size, standing
from runner.spec import planned_looks
from runner.stats import ALPHA
from runner.text import code, escaped, table
from runner.verdicts import EQUIVALENT, REFUTED, SUPPORTED, Verdict


def long_answer(verdict: Verdict, number: int) -> str:
    """A section: the question, then its `detail`."""
    return f"### {number}. {escaped(verdict.question.ask)}\n\n{detail(verdict)}"


def detail(verdict: Verdict) -> str:
    """The verdict and what it means, the claim, and every difference with its interval, p and n, as Markdown."""
    said = [*(WHY[why][1] for why in verdict.exploratory), _meaning(verdict), size(verdict)[1], standing(verdict)[1]]
    said = [text for text in (*said, *about_images(verdict), *cautions(verdict)) if text]
    lines = [f"**{verdict.answer.capitalize()}.** {' '.join(said)}", ""]
    if verdict.claim:
        lines += [f"> Claimed elsewhere: {escaped(verdict.claim)}", ""]
    lines += [_differences(verdict), "", " ".join([_asked(verdict), *_p_values(verdict), *_cautions(verdict)])]
    return "\n".join(lines)


def _differences(verdict: Verdict) -> str:
    rows = [
        [
            escaped(comparison.label),
            effect_of(comparison, verdict.question),
            p_text(comparison.effect.p),
            "-" if comparison.signed_rank is None else p_text(comparison.signed_rank),
            str(comparison.effect.interval.n),
            "-" if math.isnan(comparison.correlation) else f"{comparison.correlation:+.2f}",
        ]
        for comparison in verdict.comparisons
    ]
    level = f"{100 * verdict.level:.1f}".removesuffix(".0")
    heads = [f"{code(verdict.question.metric)} [{level}% interval]", "p (t test, not corrected)", "signed-rank p"]
    return table(["difference", *heads, "n", "correlation"], rows)


def _asked(verdict: Verdict) -> str:
    question = verdict.question
    said = [
        f"{code(question.metric)}: {question.measure.meaning}",
        "Asked: which is best" if question.best_of else f"Expected: {question.expect}",
    ]
    if question.smallest:
        said.append(f"Smallest difference that matters: {number_text(question.smallest, question, sign=False)}")
    return ". ".join(said) + "."


def _p_values(verdict: Verdict) -> list[str]:
    said = [f"p of the question: {p_text(verdict.p)}; after Holm correction: {p_text(verdict.adjusted)}."]
    if not math.isnan(verdict.same_p) and verdict.question.expect != "equal":
        said.append(
            f"p (too small to matter): {p_text(verdict.same_p)}; after Holm correction: "
            f"{p_text(verdict.same_adjusted)}."
        )
    return said


def _meaning(verdict: Verdict) -> str:
    question = verdict.question
    if verdict.answer == EQUIVALENT:
        return f"{_equivalent(verdict)}. {_no_chance(verdict)}"
    if verdict.answer in (SUPPORTED, REFUTED):
        what = _supported(verdict) if verdict.answer == SUPPORTED else _refuted(verdict)
        return f"{what}. {_no_chance(verdict)}"
    if not verdict.looks:
        what = "the first look" if verdict.is_sequential else "all its planned runs have ended"
        return f"There is no verdict before {what}."
    if math.isnan(verdict.p):
        return _untested(verdict)
    if verdict.contradicted and verdict.adjusted <= ALPHA:
        return (
            f"The finished runs lean to *{verdict.leaning}* (p {p_text(verdict.adjusted)} after Holm correction). A "
            "diverged run ranks below every finished run, so the failed runs could change this."
        )
    if verdict.p <= ALPHA and not question.best_of:
        return (
            f"The question's own p is {p_text(verdict.p)} and leans to *{verdict.leaning}*. After Holm correction over "
            f"{verdict.family} questions it is {p_text(verdict.adjusted)}, which is not significant."
            + _seeds_needed(verdict)
        )
    return _undecided(verdict) + _seeds_needed(verdict)


def _no_chance(verdict: Verdict) -> str:
    """How rare the answer would be if it were wrong."""
    question = verdict.question
    small = number_text(question.smallest or 0.0, question, sign=False)
    if verdict.answer == EQUIVALENT or (question.expect == "equal" and verdict.answer == SUPPORTED):
        return (
            f"If a difference were {small}, such a result would be rare (corrected p {p_text(verdict.same_adjusted)})."
        )
    without = f"a difference beyond {small}" if question.expect == "equal" else "a difference"
    return f"Without {without}, such a result would be rare (corrected p {p_text(verdict.adjusted)})."


def _untested(verdict: Verdict) -> str:
    if any(comparison.effect.interval.n < 2 for comparison in verdict.comparisons):
        return "There are too few finished runs for a test."
    return "There is no test: a t test needs differences that vary and are finite."


def _seeds_needed(verdict: Verdict) -> str:
    """How many seeds the smallest difference that matters would take, with a plausible range, and how to add them."""
    needed, question = verdict.needed, verdict.question
    if not needed or not question.smallest or verdict.is_sequential:
        return ""
    size = number_text(question.smallest, question, sign=False)
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
        f"how much differences vary between seeds. {_how_to_add(verdict, needed.seeds)}"
    )


def _how_to_add(verdict: Verdict, seeds: int) -> str:
    """The command that adds seeds and keeps the error rate: a sequential design on seeds that no verdict has seen."""
    first, most = 5, next((look for look in planned_looks(5, 1000) if look >= max(seeds, 12)), 1000)
    words, kept = iter(shlex.split(verdict.command)), []
    for word in words:
        if word in ("--seeds", "--from"):
            next(words, "")
        elif not word.startswith(("--seeds=", "--from=")):
            kept.append(word)
    known = kept[:4] == ["python", "-m", "runner", "run"] or kept[:2] == ["ablations", "run"]
    asked = ["--seeds", f"{first}..{most}", "--from", str(verdict.unseen)]
    text = shlex.join([*kept, *asked]) if known else f'seeds={{"first": 5, "most": {most}, "from": {verdict.unseen}}}'
    return f"To find out, let the runner add seeds that no verdict has seen: {code(text)}."


def _equivalent(verdict: Verdict) -> str:
    small = number_text(verdict.question.smallest or 0.0, verdict.question, sign=False)
    if verdict.question.best_of:
        return f"No variant stands out: all of them are within {small} of each other"
    return f"{'All differences are' if len(verdict.comparisons) > 1 else 'The difference is'} smaller than {small}"


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


def _cautions(verdict: Verdict) -> list[str]:
    """What a reader must know about this kind of question."""
    question = verdict.question
    said = [escaped(verdict.wins)] if verdict.wins else []
    if question.value:
        said.append(
            "The constant counts as exact. Where it comes from a single run, the spread of that run is unknown, so the "
            "answer is only about the mean of these seeds. The test errs more often where the values are skewed "
            "(docs/calibration.md)."
        )
    if question.best_of:
        said.append(
            "The same runs choose the best variant and compare it, which exaggerates its lead on average. The test "
            "allows for that."
        )
    if question.trend:
        said.append("The slope of a straight line does not show a rise followed by a fall.")
    if question.expect == "equal" and not verdict.is_sequential:
        said.append("Equal within the margin at .05 means that the 90% interval is inside the margin.")
    return said
