"""Verdicts in a line each: what was asked, what the runs say, how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from runner.report._format import Write, lost_runs, majority_text, narrow_text, p_text, seeds_text
from runner.report._phrases import WHY, number_text, size, standing
from runner.spec import Question
from runner.stats import ALPHA, Effect
from runner.text import code, escaped
from runner.verdicts import EQUIVALENT, REFUTED, SUPPORTED, UNDECIDED, Comparison, Verdict

_WORD = {SUPPORTED: "Yes", REFUTED: "No", EQUIVALENT: "Practically equivalent", UNDECIDED: "Undecided"}


def short_answers(verdicts: Sequence[Verdict]) -> list[str]:
    """One line for each question that the runs can answer, then one line for all others."""
    lines = [short_answer(verdict) for verdict in verdicts if verdict.judged]
    return lines + [line for line in [unjudged(verdicts)] if line]


def tests(verdicts: Sequence[Verdict]) -> tuple[tuple[float | None, ...], tuple[bool, ...]]:
    """The p of each short answer, before any correction (None without a test), and whether it is decided."""
    judged = [verdict for verdict in verdicts if verdict.judged]
    p = [_tested(each) for each in judged]
    return tuple(None if math.isnan(own) else own for own in p), tuple(each.answer != UNDECIDED for each in judged)


def _tested(verdict: Verdict) -> float:
    """The p of the answer; of an open question about equality, which has two, twice the smaller one.

    nan for an exploratory one, whose errors nothing bounds.
    """
    if verdict.exploratory:
        return math.nan
    if verdict.answer == EQUIVALENT:
        return verdict.same_p
    return min(1.0, 2 * verdict.p) if verdict.answer == UNDECIDED and verdict.question.expect == "equal" else verdict.p


def unjudged(verdicts: Sequence[Verdict]) -> str:
    """The questions that these runs can't answer, and which runs are missing. Empty where they can answer all."""
    asked: dict[str, list[str]] = {}
    for each in verdicts:
        if not each.judged:
            asked.setdefault(lacks(each), []).append(f"*{escaped(each.declared.ask)}*")
    named = "; ".join(f"{' '.join(asks)} ({lacks})" for lacks, asks in asked.items())
    return f"These runs can't answer: {named}." if named else ""


def lacks(verdict: Verdict) -> str:
    """Why a question that is not judged has no answer yet, as a clause in Markdown."""
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
    what = f"{code(metric)}, " if metric != "val/accuracy" and verdict.comparisons else ""
    more = f"; and {len(verdict.comparisons) - 3} more" if len(verdict.comparisons) > 3 else ""
    claim = [f"Claimed elsewhere: {escaped(verdict.claim.rstrip('.'))}."] if verdict.claim else []
    said = " ".join([*about_images(verdict), *cautions(verdict), *claim])
    return f"**{escaped(verdict.declared.ask)}** {answer_line(verdict)} ({what}{detail}{more}.) {said}".rstrip()


def about_images(verdict: Verdict) -> list[str]:
    """Whether the answer is about these images or about new ones too; nothing for a metric that says neither."""
    question, found = verdict.question, [each.new_images for each in verdict.comparisons]
    shown = [each for each in found if each and each.parts]
    if not shown or len(shown) < len(found):
        return []
    if all(each.effect == each.new_images for each in verdict.comparisons):
        return ["The interval is for new seeds and new images."]
    if verdict.new_images:
        return [f"{_WORD[verdict.answer]} also for new images."]
    named = "; ".join(interval_text(each, question) for each in shown[:3]) + ("; and more" if len(shown) > 3 else "")
    if verdict.answer == UNDECIDED:
        plural = "intervals are" if len(shown) > 1 else "interval is"
        return [f"With new images the {plural} {named}."]
    return [f"For these images only; with new images not significant after the correction: {named}."]


def cautions(verdict: Verdict) -> list[str]:
    """Sentences about failed runs, unfinished training, seeds in two groups, missing classes, and imbalance."""
    said = []
    if verdict.lost:
        changes = " They could change the answer." if verdict.contradicted else ""
        said.append(f"Failed runs: {lost_runs(verdict.lost)}.{changes}")
    if verdict.cut_off:
        stopped, runs = verdict.cut_off
        said.append(f"The limit of epochs stopped {stopped} of {runs} runs; longer training may give another answer.")
    for each in verdict.two_groups:
        means = f"{100 * each.low:.1f}% and {100 * each.high:.1f}%"
        said.append(
            f"The seeds of {escaped(each.variant)} fall into two groups (about {means} validation accuracy; "
            f"{seeds_text(each.seeds)} in the lower one). Intervals and p-values fail there."
        )
    if verdict.narrow:
        said.append(f"{narrow_text(verdict.narrow)}.")
    if verdict.majority:
        part = "test" if verdict.question.metric.startswith("test/") else "val"
        better = f"`{part}/balanced_accuracy` or `{part}/macro_f1`"
        said.append(f"{majority_text(verdict.majority)}. Ask about {better} instead.")
    return said


def answer_line(verdict: Verdict, write: Write = escaped) -> str:
    """The answer of a judged question, with what it says about the smallest difference that matters."""
    question = verdict.question
    late = standing(verdict)[0] + _exploratory(verdict)
    if verdict.answer == UNDECIDED and not question.best_of:
        if verdict.contradicted and verdict.adjusted <= ALPHA:
            late = f", leaning to {_WORD[verdict.leaning].lower()}, but failed runs could change that" + late
        elif verdict.p <= ALPHA:
            late = f", leaning to {_WORD[verdict.leaning].lower()} (p {p_text(verdict.adjusted)} after Holm)" + late
    if question.best_of and verdict.comparisons and verdict.answer != EQUIVALENT:
        best = write(verdict.comparisons[0].label.split(" - ")[0])
        sure = "clearly" if verdict.answer == SUPPORTED else "but not significantly better than all others"
        return f"{best}, {sure}{size(verdict)[0]}{late}."
    return f"{_WORD[verdict.answer]}{size(verdict)[0]}{late}."


def _exploratory(verdict: Verdict) -> str:
    return f" (exploratory: {'; '.join(WHY[why][0] for why in verdict.exploratory)})" if verdict.exploratory else ""


def _comparison(comparison: Comparison, verdict: Verdict) -> str:
    label, effect = escaped(comparison.label), effect_of(comparison, verdict.question)
    return f"{label}: {effect}, n = {comparison.effect.interval.n}"


def effect_of(comparison: Comparison, question: Question) -> str:
    """A difference with its interval, in the metric's unit."""
    estimate = comparison.effect.interval.estimate
    if math.isnan(estimate):
        return "-"
    text, interval = number_text(estimate, question), interval_text(comparison.effect, question)
    return f"{text} {interval}" if interval else text


def interval_text(effect: Effect, question: Question) -> str:
    """An interval in brackets; empty where there is none."""
    low, high = effect.interval.low, effect.interval.high
    if not math.isfinite(low):
        return ""
    return f"[{number_text(low, question, unit=False)}, {number_text(high, question, unit=False)}]"
