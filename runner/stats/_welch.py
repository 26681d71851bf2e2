"""Computes the effect between two groups whose seeds are not paired."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

from runner.stats._effects import ALPHA, Effect, Interval, _scale, _spread, _without_spread


def unpaired_effect(variant: npt.ArrayLike, baseline: npt.ArrayLike) -> Effect:
    """Returns the effect of variant minus baseline where no seed belongs to both: Welch's t interval and test.

    The arrays have one value for each run, and may differ in length and spread (Welch 1947, Biometrika 34:28). The
    interval's n is the length of the shorter one. Below two values each, and where neither array has a spread, there
    is no interval, as for pairs. Where n is 0, the estimate is nan.

    >>> effect = unpaired_effect([4, 5, 6], [1, 2, 3, 4])
    >>> effect.interval.estimate, round(effect.p, 4), effect.interval.n
    (2.5, 0.0346, 3)
    """
    first, second = np.asarray(variant, dtype=float), np.asarray(baseline, dtype=float)
    count = min(len(first), len(second))
    with np.errstate(invalid="ignore"):  # infinity minus infinity is nan, and shown as nan
        mean = float(first.mean() - second.mean()) if count else math.nan
    if count < 2 or not np.isfinite([*first, *second]).all():
        return Effect(Interval(mean, math.nan, math.nan, count), math.nan)
    scale = _scale(first, second)
    parts = [_spread(array, scale) ** 2 / len(array) for array in (first, second)]
    if not sum(parts):
        return _without_spread(mean, count, scale)
    error = math.sqrt(sum(parts))
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(array) - 1) for part, array in zip(parts, (first, second), strict=True)
    )
    half = float(stats.t.isf(ALPHA / 2, freedom)) * error
    return Effect(Interval(mean, mean - half, mean + half, count), float(2 * stats.t.sf(abs(mean) / error, freedom)))
