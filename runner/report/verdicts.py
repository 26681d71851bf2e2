"""A question and the runs to a verdict: supported, refuted or undecided, and in words what that means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from runner.power import seeds_needed, spread_interval
from runner.report.runs import StudyRuns
from runner.spec.questions import named
from runner.stats import (
    ALPHA,
    Effect,
    correlation,
    equivalence_p,
    holm,
    interaction_effect,
    one_sample_effect,
    outside_p,
    paired_effect,
    signed_rank_p,
    trend_effect,
)

SUPPORTED, REFUTED, UNDECIDED = "supported", "refuted", "undecided"


@dataclass(frozen=True)
class Comparison:
    """One difference that a question asks about."""

    label: str
    effect: Effect
    correlation: float = math.nan
    signed_rank: float | None = None  # Wilcoxon's exact p as a cross-check; None where it can say nothing


@dataclass(frozen=True)
class Verdict:
    """A judged question. `p` is the question's own, `adjusted` Holm's over the study's questions."""

    question: dict[str, Any]
    comparisons: tuple[Comparison, ...]
    leaning: str  # what a small p would make it: supported or refuted
    p: float
    adjusted: float = math.nan
    exploratory: bool = False
    family: int = 1  # the questions that it was adjusted with
    wins: str = ""  # for best_of: in how many seeds it was the best
    missing: tuple[str, ...] = ()  # variants of best_of without a finished run

    @property
    def answer(self) -> str:
        return self.leaning if self.adjusted <= ALPHA else UNDECIDED

    @property
    def needed(self) -> Needed | None:
        """Seeds that would show the smallest difference worth knowing, where the comparison that is open and spreads
        most spreads as it did; None without such a difference or spread."""
        smallest, alpha = self.question.get("smallest"), ALPHA / self.family
        equal = self.question.get("expect") == "equal"
        effects = [c.effect for c in self.comparisons if c.effect.spread > 0]
        if equal and smallest:  # asked of differences that may be none at all
            effects = [e for e in effects if not min(equivalence_p(e, smallest), outside_p(e, smallest)) <= alpha]
            open_ = [effect for effect in effects if effect.interval.low <= 0 <= effect.interval.high]
        else:
            open_ = [effect for effect in effects if not effect.p <= alpha]
        if not smallest or not open_:
            return None
        effect = max(open_, key=lambda effect: effect.spread)
        spreads = (effect.spread, *spread_interval(effect.spread, effect.interval.n))
        seeds, low, high = (seeds_needed(spread, smallest, alpha, equal) for spread in spreads)
        return Needed(seeds, low, high, effect.interval.n) if seeds else None


@dataclass(frozen=True)
class Needed:
    """Seeds for a smallest difference: as the spread of `n` seeds was, and as low and high as it may be (95%)."""

    seeds: int
    low: int | None
    high: int | None  # None: beyond all counting
    n: int


def judge(data: StudyRuns) -> list[Verdict]:
    """Every question of the study, adjusted by Holm: those declared before the runs among themselves, each
    exploratory one among all."""
    verdicts = [_judge_one(data, question) for question in data.study.get("questions", [])]
    everyone = holm([verdict.p for verdict in verdicts])
    early = [verdict.p for verdict in verdicts if not verdict.exploratory]
    among_early = iter(holm(early))
    adjusted = [all_ if v.exploratory else next(among_early) for v, all_ in zip(verdicts, everyone, strict=True)]
    counts = {late: sum(not math.isnan(p) for p in ps) for late, ps in ((False, early), (True, everyone))}
    return [
        replace(verdict, adjusted=p, family=max(1, counts[verdict.exploratory]))
        for verdict, p in zip(verdicts, adjusted, strict=True)
    ]


def _judge_one(data: StudyRuns, question: dict[str, Any]) -> Verdict:
    comparisons = _comparisons(data, question)
    effects, late = [c.effect for c in comparisons], _declared_late(data, question)
    if "best_of" not in question:
        leaning, p = weigh(effects, question.get("expect", "different"), question.get("smallest"))
        return Verdict(question, tuple(comparisons), leaning, p, exploratory=late)
    missing = tuple(name for name in question["best_of"] if not len(data.finished(name)))
    p = math.nan if missing or not effects else _all([effect.p for effect in effects])
    wins = _wins(data, question) if comparisons else ""
    return Verdict(question, tuple(comparisons), SUPPORTED, p, exploratory=late, wins=wins, missing=missing)


def weigh(effects: Sequence[Effect], expect: str, smallest: float | None) -> tuple[str, float]:
    """Which way a question leans, and its p.

    All differences must hold. For the claim that they do, p is the largest of theirs (intersection-union
    test, Berger 1982); against it, one significant difference the other way is enough, at Bonferroni's p.
    That they are different has no other way: who wants to show that they are not asks whether they are equal.
    """
    if not effects or any(math.isnan(effect.interval.estimate) for effect in effects):
        return SUPPORTED, math.nan
    if expect == "equal":
        within, beyond = ([test(effect, smallest or 0.0) for effect in effects] for test in (equivalence_p, outside_p))
        supports, refutes = _all(within), _any(beyond, len(effects))
        untested = math.isnan(supports) and not math.isnan(refutes)
        return (REFUTED, refutes) if untested or refutes < supports else (SUPPORTED, supports)
    if expect == "different":
        return SUPPORTED, _all([effect.p for effect in effects])
    sign = 1 if expect == "more" else -1
    opposite = [effect.p for effect in effects if sign * effect.interval.estimate <= 0]
    if not opposite:
        return SUPPORTED, _all([effect.p for effect in effects])
    return REFUTED, _any(opposite, len(effects))


def _all(p_values: Sequence[float]) -> float:
    """That all hold: the largest p; nan where one can't be tested."""
    return float(np.max(p_values))


def _any(p_values: Sequence[float], count: int) -> float:
    """That one of `count` holds: the smallest p times the count; nan where none can be tested."""
    known = [p for p in p_values if not math.isnan(p)]
    return min(1.0, count * min(known)) if known else math.nan


def _comparisons(data: StudyRuns, question: dict[str, Any]) -> list[Comparison]:
    metric, accuracy = question.get("metric", "val/accuracy"), question.get("accuracy")

    def values(*variants: str) -> list[Any]:
        return data.paired(variants, metric, accuracy)

    if "compare" in question:
        first, others = question["compare"]
        pairs = [(first, other) for other in ([others] if isinstance(others, str) else others)]
        return [_difference(first, other, *values(first, other)) for first, other in pairs]
    if "best_of" in question:
        ranked = _ranked(data, question["best_of"], metric, accuracy)
        return [_difference(ranked[0], other, *values(ranked[0], other)) for other in ranked[1:]]
    if "interaction" in question:
        both, first, second, neither = cells = question["interaction"]
        label = f"({both} - {first}) - ({second} - {neither})"
        return [Comparison(label, interaction_effect(*values(*cells)))]
    if "value" in question:
        name, constant = question["value"]
        return [Comparison(f"{name} - {constant:g}", one_sample_effect(values(name)[0] - constant))]
    key = question["trend"]
    levels = data.levels(key)
    if len(levels) < 2:
        return []
    table = np.column_stack(values(*levels))
    return [Comparison(f"slope per unit of {key}", trend_effect(list(levels.values()), table))]


def _difference(first: str, other: str, mine: Any, theirs: Any) -> Comparison:
    with np.errstate(invalid="ignore"):  # infinity minus infinity is no number
        rank = signed_rank_p(mine - theirs)
    return Comparison(f"{first} - {other}", paired_effect(mine, theirs), correlation(mine, theirs), rank)


def _wins(data: StudyRuns, question: dict[str, Any]) -> str:
    """How steady the ranking is: the seeds in which the best on average was also the best."""
    if "best_of" not in question:
        return ""
    metric, accuracy = question.get("metric", "val/accuracy"), question.get("accuracy")
    ranked = _ranked(data, question["best_of"], metric, accuracy)
    table = np.column_stack(data.paired(ranked, metric, accuracy)) * (1 if _high_is_good(metric) else -1)
    alone = (table[:, :1] > table[:, 1:]).all(axis=1)
    return f"{ranked[0]} was the best in {alone.sum()} of {len(table)} seeds."


def _high_is_good(metric: str) -> bool:
    return "accuracy" in metric


def _ranked(data: StudyRuns, variants: Sequence[str], metric: str, accuracy: float | None) -> list[str]:
    """The variants that finished, the best over their common seeds first: accuracies high, everything else low."""
    there = [name for name in variants if len(data.finished(name))]
    values = data.paired(there, metric, accuracy) if there else []
    means = {name: float(np.mean(value)) if len(value) else math.nan for name, value in zip(there, values, strict=True)}
    return sorted(means, key=lambda name: -means[name] if _high_is_good(metric) else means[name])


def _declared_late(data: StudyRuns, question: dict[str, Any]) -> bool:
    """Whether a run that it judges had ended before it was declared."""
    names = data.levels(question["trend"]) if "trend" in question else named(question)
    ends = [end for name in names if (end := data.first_ends.get(name))]
    return bool(ends) and str(question.get("declared", "")) > min(ends)
