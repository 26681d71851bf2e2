"""Effects of variants against a baseline, for runs of which only the curves are known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from runner.board.anyruns._curves import values_at
from runner.board.anyruns._query import Better
from runner.board.anyruns._read import Series
from runner.stats import ALPHA, Effect, Interval, holm, mean_interval, paired_effect, unpaired_effect
from runner.verdicts import BETTER_THAN, SAME_AS, WORSE_THAN, EffectRow

_NONE = Effect(Interval(math.nan, math.nan, math.nan, 0), math.nan)


@dataclass(frozen=True)
class Contrast:
    """A row of the effects table, and the difference of each pair of seeds behind it; none where nothing is paired."""

    row: EffectRow
    points: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class _Compared:
    effect: Effect
    points: tuple[tuple[str, float], ...]
    lost: tuple[int, ...]  # for each comparison with one diverged run, the sign of variant minus baseline it speaks for


def measured(series: Series, at: Literal["last", "best"] | int, better: Better) -> float | None:
    """Returns the one value of a run: its last or best one, or at a step; None where it has none yet.

    It is nan where the run diverged: the last value, or every value, is not finite. The best one is the best finite
    one. At a step between two of the run's own the value is interpolated; after its last step the last value counts.

    >>> measured(Series(np.array([1, 2, 3]), np.array([5.0, 7.0, 6.0])), "best", "max")
    7.0
    """
    if not len(series.steps) or (isinstance(at, int) and at < series.steps[0]):
        return None
    if at == "last":
        return _finite(float(series.values[-1]))
    if at == "best":
        finite = series.values[np.isfinite(series.values)]
        return math.nan if not len(finite) else float(finite.max() if better == "max" else finite.min())
    return float(values_at(series, np.array([at]))[0])


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def contrasts(
    tag: str, values: Mapping[str, Mapping[str, float]], baseline: str, better: Better, paired: bool
) -> list[Contrast]:
    """Returns a row for each variant: its mean, and its effect against the baseline.

    `values` has variant to seed to value; a nan is a run that diverged, which counts as failed. With `paired`, effects
    are over the seeds that both have; else they are Welch's. p is adjusted over the variants (Holm 1979). A variant is
    better or worse where the adjusted p is at most .05, and no run that diverged speaks against it.
    """
    base = values.get(baseline, {})
    compare = _pairs if paired else _groups
    up = 1 if better == "max" else -1
    found = {name: compare(own, base, up) for name, own in values.items() if name != baseline and base}
    adjusted = dict(zip(found, holm([each.effect.p for each in found.values()]), strict=True))
    rows = []
    for name, own in values.items():
        there = [value for value in own.values() if not math.isnan(value)]
        mean, failed = mean_interval(there), len(own) - len(there)
        if each := found.get(name):
            effect, side = each.effect, _side(each, adjusted[name], up)
            row = EffectRow(
                name, tag, len(there), failed, mean, effect.interval, effect.p, adjusted[name], side
            )  # fmt: skip
            rows.append(Contrast(row, each.points))
        else:
            rows.append(Contrast(EffectRow(name, tag, len(there), failed, mean)))
    return rows


def _pairs(own: Mapping[str, float], base: Mapping[str, float], up: int) -> _Compared:
    shared = [seed for seed in own if seed in base]
    whole = [seed for seed in shared if not math.isnan(own[seed]) and not math.isnan(base[seed])]
    lost = [up if math.isnan(base[seed]) else -up for seed in shared if math.isnan(own[seed]) != math.isnan(base[seed])]
    mine, theirs = [own[seed] for seed in whole], [base[seed] for seed in whole]
    effect = paired_effect(mine, theirs) if whole else _NONE
    return _Compared(effect, tuple((seed, own[seed] - base[seed]) for seed in whole), tuple(lost))


def _groups(own: Mapping[str, float], base: Mapping[str, float], up: int) -> _Compared:
    mine = [value for value in own.values() if not math.isnan(value)]
    theirs = [value for value in base.values() if not math.isnan(value)]
    lost = [-up] * (len(own) - len(mine)) + [up] * (len(base) - len(theirs))
    return _Compared(unpaired_effect(mine, theirs) if mine and theirs else _NONE, (), tuple(lost))


def _side(compared: _Compared, adjusted: float, up: int) -> str:
    estimate = compared.effect.interval.estimate
    if not adjusted <= ALPHA or not estimate:
        return SAME_AS
    sign = 1 if estimate > 0 else -1
    if any(each != sign for each in compared.lost):
        return SAME_AS
    return BETTER_THAN if sign == up else WORSE_THAN
