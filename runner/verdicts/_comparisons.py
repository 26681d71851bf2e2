"""A question and the runs to the differences that it asks about."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from runner.spec import PER_IMAGE, Question
from runner.stats import (
    Effect,
    Interval,
    correlation,
    interaction_effect,
    paired_effect,
    signed_rank_p,
    trend_effect,
    trend_weights,
    value_effect,
)
from runner.verdicts._lost import best_first, diverged, pair_signs
from runner.verdicts._runs import StudyRuns

_NOTHING = Effect(Interval(math.nan, math.nan, math.nan, 0), math.nan)


@dataclass(frozen=True)
class Comparison:
    """One difference that a question asks about: sum(weight x variant) - constant.

    effect       what judges: over seeds, or over seeds and images
    lost         the sign that each pair with a diverged run speaks for; 0: for neither
    new_images   over seeds and images; None where the metric is no accuracy, or where the images of the runs differ
    correlation  of the pairs, over the seeds
    signed_rank  Wilcoxon's exact p as a cross-check; None where it can say nothing

    `detailed` adds the last three, which take much longer than the others.
    """

    label: str
    effect: Effect
    lost: tuple[int, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    constant: float = 0.0
    new_images: Effect | None = None
    correlation: float = math.nan
    signed_rank: float | None = None

    @property
    def pair(self) -> tuple[str, ...]:
        """The two variants whose difference it is; empty for a difference of another kind."""
        return tuple(self.weights) if list(self.weights.values()) == [1, -1] else ()

    def at(self, level: float) -> Comparison:
        """The same with intervals of another level."""
        images = self.new_images and self.new_images.at(level)
        return replace(self, effect=self.effect.at(level), new_images=images)


def comparisons(data: StudyRuns, question: Question) -> list[Comparison]:
    """Every difference that a question asks about, without details."""
    metric, accuracy = question.metric, question.accuracy

    def values(*variants: str) -> list[Any]:
        return data.paired(variants, metric, accuracy)

    if question.compare:
        first, others = question.compare
        return [_difference(data, question, first, each) for each in ([others] if isinstance(others, str) else others)]
    if question.best_of:
        ranked = _ranked(data, question.best_of, metric, accuracy)
        found = [_difference(data, question, ranked[0], other) for other in ranked[1:]]
        alone = (0,) * len(diverged(data, ranked[0])) if ranked else ()  # the best must not have diverged at all
        return [replace(each, lost=each.lost + alone) for each in found]
    if question.interaction:
        both, first, second, neither = cells = question.interaction
        label = f"({both} - {first}) - ({second} - {neither})"
        weights = dict(zip(cells, (1, -1, -1, 1), strict=True))
        effect = interaction_effect(*values(*cells))
        return [_judged(data, question, Comparison(label, effect, _signless(data, cells), weights))]
    if question.value:
        name, constant = question.value
        worse = (-question.measure.better,) * len(diverged(data, name))
        effect = value_effect(values(name)[0], constant)
        return [_judged(data, question, Comparison(f"{name} - {constant:g}", effect, worse, {name: 1}, constant))]
    levels = data.levels(question.trend) if question.trend else {}
    if len(levels) < 2:
        return []
    effect = trend_effect(list(levels.values()), np.column_stack(values(*levels)))
    weights = dict(zip(levels, trend_weights(list(levels.values())), strict=True))
    label = f"slope per unit of {question.trend}"
    return [_judged(data, question, Comparison(label, effect, _signless(data, levels), weights))]


def largest_differences(data: StudyRuns, question: Question, found: Sequence[Comparison]) -> list[Effect]:
    """The differences that are all within `smallest` where nothing matters: of best_of those of every pair."""
    if not question.best_of:
        return [each.effect for each in found]
    there = [name for name in question.best_of if len(data.finished(name))]
    return [_difference(data, question, *pair).effect for pair in itertools.combinations(there, 2)]


def detailed(data: StudyRuns, question: Question, known: Comparison) -> Comparison:
    """Adds what a reader is shown beside the judgement; `data` are the runs that judged."""
    part = PER_IMAGE.get(question.metric)
    if part and known.new_images is None and not _has_own_images(data, question, known):
        known = replace(known, new_images=data.over_images(known.weights, part, known.constant))
    if not known.pair:
        return known
    mine, theirs = data.paired(known.pair, question.metric, question.accuracy)
    scale = float(np.abs([mine, theirs]).max()) if len(mine) else 0.0
    with np.errstate(invalid="ignore"):  # infinity minus infinity is no number
        rank = signed_rank_p(mine - theirs, scale)
    return replace(known, correlation=correlation(mine, theirs), signed_rank=rank)


def _difference(data: StudyRuns, question: Question, first: str, other: str) -> Comparison:
    effect = paired_effect(*data.paired((first, other), question.metric, question.accuracy))
    lost = pair_signs(data, first, other, question.metric)
    return _judged(data, question, Comparison(f"{first} - {other}", effect, lost, {first: 1, other: -1}))


def _judged(data: StudyRuns, question: Question, known: Comparison) -> Comparison:
    """Lets the right effect judge: over seeds, over seeds and splits, or over seeds and images."""
    part, redrawn = PER_IMAGE.get(question.metric), data.redraws(known.weights)
    if _has_own_images(data, question, known):
        return replace(known, effect=data.over_splits(known.effect, question.metric, list(known.weights)))
    if question.images == "new" or (redrawn and part):
        images = (part and data.over_images(known.weights, part, known.constant)) or _NOTHING
        return replace(known, effect=images, new_images=images)
    return known


def _has_own_images(data: StudyRuns, question: Question, known: Comparison) -> bool:
    """Whether each seed has its own validation images, and the question is about them."""
    return question.metric.startswith("val") and data.redraws(known.weights)


def _signless(data: StudyRuns, variants: Iterable[str]) -> tuple[int, ...]:
    """Diverged runs where more than two variants are weighed: they speak for neither side."""
    return (0,) * sum(len(diverged(data, name)) for name in variants)


def wins(data: StudyRuns, question: Question) -> str:
    """How steady the ranking is: the seeds in which the best on average was also the best."""
    if not question.best_of:
        return ""
    ranked = _ranked(data, question.best_of, question.metric, question.accuracy)
    table = np.column_stack(data.paired(ranked, question.metric, question.accuracy)) * _upward(data, question.metric)
    alone = (table[:, :1] > table[:, 1:]).all(axis=1)
    return f"{ranked[0]} was the best in {alone.sum()} of {len(table)} seeds."


def _upward(data: StudyRuns, metric: str) -> int:
    """1 or -1, so that the best is the highest; of a metric that has no better way the lowest is named."""
    return data.measures[metric].better or -1


def _ranked(data: StudyRuns, variants: Sequence[str], metric: str, accuracy: float | None) -> list[str]:
    """The variants that finished, the best over their common seeds first."""
    there = [name for name in variants if len(data.finished(name))]
    values = data.paired(there, metric, accuracy) if there else []
    means = {name: float(np.mean(value)) if len(value) else math.nan for name, value in zip(there, values, strict=True)}
    return best_first(data, means, _upward(data, metric))
