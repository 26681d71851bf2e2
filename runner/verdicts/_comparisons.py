"""A question and the runs to the differences that it asks about."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from runner.metrics import METRICS
from runner.spec import Question
from runner.stats import (
    Effect,
    correlation,
    interaction_effect,
    paired_effect,
    signed_rank_p,
    trend_effect,
    value_effect,
)
from runner.verdicts._lost import best_first, diverged, pair_signs
from runner.verdicts._runs import StudyRuns


@dataclass(frozen=True)
class Comparison:
    """One difference that a question asks about."""

    label: str
    effect: Effect
    correlation: float = math.nan
    signed_rank: float | None = None  # Wilcoxon's exact p as a cross-check; None where it can say nothing
    lost: tuple[int, ...] = ()  # the sign that each pair with a diverged run speaks for; 0: for neither


def comparisons(data: StudyRuns, question: Question) -> list[Comparison]:
    """Every difference that a question asks about."""
    metric, accuracy = question.metric, question.accuracy

    def values(*variants: str) -> list[Any]:
        return data.paired(variants, metric, accuracy)

    def difference(first: str, other: str) -> Comparison:
        mine, theirs = values(first, other)
        return _difference(first, other, mine, theirs, pair_signs(data, first, other, metric))

    if question.compare:
        first, others = question.compare
        return [difference(first, other) for other in ([others] if isinstance(others, str) else others)]
    if question.best_of:
        ranked = _ranked(data, question.best_of, metric, accuracy)
        found = [difference(ranked[0], other) for other in ranked[1:]]
        alone = (0,) * len(diverged(data, ranked[0])) if ranked else ()  # the best must not have diverged at all
        return [replace(each, lost=each.lost + alone) for each in found]
    if question.interaction:
        both, first, second, neither = cells = question.interaction
        label = f"({both} - {first}) - ({second} - {neither})"
        return [Comparison(label, interaction_effect(*values(*cells)), lost=_signless(data, cells))]
    if question.value:
        name, constant = question.value
        worse = (-METRICS[metric].better,) * len(diverged(data, name))
        return [Comparison(f"{name} - {constant:g}", value_effect(values(name)[0], constant), lost=worse)]
    levels = data.levels(question.trend) if question.trend else {}
    if len(levels) < 2:
        return []
    effect = trend_effect(list(levels.values()), np.column_stack(values(*levels)))
    return [Comparison(f"slope per unit of {question.trend}", effect, lost=_signless(data, levels))]


def _signless(data: StudyRuns, variants: Iterable[str]) -> tuple[int, ...]:
    """Diverged runs where more than two variants are weighed: they speak for neither side."""
    return (0,) * sum(len(diverged(data, name)) for name in variants)


def _difference(first: str, other: str, mine: Any, theirs: Any, lost: tuple[int, ...]) -> Comparison:
    scale = float(np.abs([mine, theirs]).max()) if len(mine) else 0.0
    with np.errstate(invalid="ignore"):  # infinity minus infinity is no number
        rank = signed_rank_p(mine - theirs, scale)
    return Comparison(f"{first} - {other}", paired_effect(mine, theirs), correlation(mine, theirs), rank, lost)


def wins(data: StudyRuns, question: Question) -> str:
    """How steady the ranking is: the seeds in which the best on average was also the best."""
    if not question.best_of:
        return ""
    ranked = _ranked(data, question.best_of, question.metric, question.accuracy)
    table = np.column_stack(data.paired(ranked, question.metric, question.accuracy)) * _upward(question.metric)
    alone = (table[:, :1] > table[:, 1:]).all(axis=1)
    return f"{ranked[0]} was the best in {alone.sum()} of {len(table)} seeds."


def _upward(metric: str) -> int:
    """1 or -1, so that the best is the highest; of a metric that has no better way the lowest is named."""
    return METRICS[metric].better or -1


def _ranked(data: StudyRuns, variants: Sequence[str], metric: str, accuracy: float | None) -> list[str]:
    """The variants that finished, the best over their common seeds first."""
    there = [name for name in variants if len(data.finished(name))]
    values = data.paired(there, metric, accuracy) if there else []
    means = {name: float(np.mean(value)) if len(value) else math.nan for name, value in zip(there, values, strict=True)}
    return best_first(data, means, _upward(metric))
