"""Computes means and effects with their t intervals and t tests."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

Array = npt.NDArray[np.float64]
ALPHA = 0.05
_LEAST_P = 1e-12
_ROUNDING = 8e-8  # of the values compared, which event files round to 24 bits


@dataclass(frozen=True)
class Interval:
    """An estimate from n values with its two-sided 95% interval; the bounds are nan where no interval is defined."""

    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Effect:
    """A mean of differences with its interval and two-sided p.

    spread  the standard deviation of the differences over seeds (ddof = 1)
    parts   standard error and degrees of freedom of each source of variation: one for the seeds, and where the images
            are random too, one for them; empty without an interval

    p or spread are nan where they are not defined.
    """

    interval: Interval
    p: float
    spread: float = math.nan
    parts: tuple[tuple[float, int], ...] = ()

    def half(self, p: float) -> float:
        """Returns half the width of the interval whose two-sided error is p. Needs parts."""
        return math.sqrt(sum((_upper_quantile(p / 2, df) * error) ** 2 for error, df in self.parts))

    def at(self, level: float) -> Effect:
        """Returns the same effect with the interval of another level, such as 0.99."""
        if not self.parts or level == 1 - ALPHA:
            return self
        mean, half = self.interval.estimate, self.half(1 - level)
        return replace(self, interval=replace(self.interval, low=mean - half, high=mean + half))

    def reversed(self) -> Effect:
        """Returns the effect with the opposite sign."""
        own = self.interval
        return replace(self, interval=Interval(-own.estimate, -own.high, -own.low, own.n))

    def p_beyond(self, distance: float) -> float:
        """Returns the two-sided error of the interval that ends at this distance (not negative) from the estimate.

        Needs parts. The smallest value that several parts give is 1e-12.
        """
        if len(self.parts) == 1:
            ((error, df),) = self.parts
            return float(2 * stats.t.sf(distance / error, df))
        if self.half(_LEAST_P) <= distance:
            return _LEAST_P
        return float(optimize.brentq(lambda p: self.half(p) - distance, _LEAST_P, 1.0))


def _scale(*values: npt.ArrayLike) -> float:
    """Returns the largest absolute value in the arrays."""
    return max((float(np.abs(array).max()) for array in map(np.asarray, values) if array.size), default=0.0)


def _is_rounding(size: float, scale: float) -> bool:
    """Whether a spread or a difference is floating-point rounding only, for values as large as `scale`."""
    return size <= _ROUNDING * scale


def _spread(values: Array, scale: float) -> float:
    """Returns the standard deviation (ddof = 1), or 0 where it is rounding only."""
    return float(_spreads(values[None], scale)[0])


def _spreads(rows: Array, scale: float) -> Array:
    """Returns the standard deviation of each row, or 0 where it is rounding only."""
    spreads = rows.std(axis=1, ddof=1)
    spreads[spreads <= _ROUNDING * np.maximum(scale, np.abs(rows).max(axis=1))] = 0.0
    return np.asarray(spreads)


def mean_interval(values: npt.ArrayLike, level: float = 0.95, scale: float = 0.0) -> Interval:
    """Returns the mean of n values and its t interval with n - 1 degrees of freedom (Student 1908).

    `values` has shape n. The bounds are nan for one value, and where a value is not finite. Where the values are
    differences, `scale` is the largest value compared: a spread below 8e-8 of it counts as 0.

    >>> found = mean_interval([1, 2, 3])
    >>> found.estimate, round(found.low, 3), round(found.high, 3), found.n
    (2.0, -0.484, 4.484, 3)
    """
    return mean_intervals(np.asarray(values, dtype=float)[None], level, scale)[0]


def mean_intervals(rows: Array, level: float = 0.95, scale: float = 0.0) -> list[Interval]:
    """Returns what `mean_interval` does for each row; `rows` has shape rows x n."""
    count = rows.shape[1]
    if count == 0:
        return [Interval(math.nan, math.nan, math.nan, 0)] * len(rows)
    means, finite = rows.mean(axis=1).tolist(), np.isfinite(rows).all(axis=1)
    found = [Interval(mean, math.nan, math.nan, count) for mean in means]
    if count > 1 and finite.any():
        halves = _quantile((1 + level) / 2, count - 1) * _spreads(rows[finite], scale) / math.sqrt(count)
        for place, half in zip(np.flatnonzero(finite).tolist(), halves.tolist(), strict=True):
            found[place] = Interval(means[place], means[place] - half, means[place] + half, count)
    return found


@cache  # of a few levels and numbers of seeds, asked thousands of times
def _quantile(share: float, df: int) -> float:
    return float(stats.t.ppf(share, df))


@lru_cache(maxsize=10_000)  # an interval's level is often the same, and one that is solved for is not
def _upper_quantile(share: float, df: int) -> float:
    return float(stats.t.isf(share, df))


def one_sample_effect(differences: npt.ArrayLike, scale: float = 0.0) -> Effect:
    """Tests whether the mean of n differences is 0: t interval and two-sided t test.

    `differences` has shape n. Equal differences have no interval, because their spread does not show how others would
    spread; their p is 1 where they are 0, else nan. They count as equal where their spread is below 8e-8 of `scale`,
    the largest value compared.

    >>> round(one_sample_effect([1, 2, 3]).p, 4), one_sample_effect([0, 0, 0]).p, one_sample_effect([1, 1, 1]).p
    (0.0742, 1.0, nan)
    """
    array = np.asarray(differences, dtype=float)
    interval = mean_interval(array, scale=scale)
    if interval.n < 2 or math.isnan(interval.low):
        return Effect(interval, math.nan)
    spread = _spread(array, scale)
    if not spread:
        return _without_spread(interval.estimate, interval.n, max(scale, _scale(array)))
    error, df = spread / math.sqrt(len(array)), len(array) - 1
    # scipy's test warns where values are nearly equal
    return Effect(interval, float(2 * stats.t.sf(abs(interval.estimate / error), df)), spread, ((error, df),))


def _without_spread(mean: float, n: int, scale: float) -> Effect:
    mean = 0.0 if _is_rounding(abs(mean), scale) else mean
    return Effect(Interval(mean, math.nan, math.nan, n), math.nan if mean else 1.0, 0.0)


def value_effect(values: npt.ArrayLike, constant: float) -> Effect:
    """Returns the effect of values (shape n) minus a constant that has no error of its own.

    >>> value_effect([3, 4, 5], 2).interval.estimate
    2.0
    """
    array = np.asarray(values, dtype=float)
    return one_sample_effect(array - constant, _scale(array, constant))


def paired_effect(variant: npt.ArrayLike, baseline: npt.ArrayLike) -> Effect:
    """Returns the effect of variant minus baseline, paired by seed: both arrays have one value for each seed.

    The paired t test is the one-sample t test of the differences.

    >>> effect = paired_effect([5, 7, 9], [4, 5, 6])
    >>> effect.interval.estimate, round(effect.p, 4)
    (2.0, 0.0742)
    """
    with np.errstate(invalid="ignore"):  # infinity minus infinity is nan, and shown as nan
        differences = np.asarray(variant, dtype=float) - np.asarray(baseline, dtype=float)
    return one_sample_effect(differences, _scale(variant, baseline))


def interaction_effect(
    both: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike, neither: npt.ArrayLike
) -> Effect:
    """Returns the 2x2 interaction within seeds, y11 - y10 - y01 + y00. Each array has one value for each seed.

    It is the effect of both settings together, beyond the sum of their two effects.

    >>> interaction_effect([9, 9], [5, 6], [4, 4], [2, 2]).interval.estimate  # mean of 2 and 1
    1.5
    """
    return contrast_effect(np.column_stack((both, first, second, neither)), [1, -1, -1, 1])


def contrast_effect(values: npt.ArrayLike, weights: npt.ArrayLike) -> Effect:
    """Returns the effect of a weighted sum of a design's cells within seeds.

    `values` is seeds x cells; `weights` has one number for each cell, and they add up to 0. Main effects and
    interactions of a factorial design are such sums. With one sum for each seed, the cells need no common variance
    (Maxwell & Delaney 2004, ch. 13 and 14: the multivariate approach).

    >>> contrast_effect([[5, 3], [7, 4]], [1, -1]).interval.estimate  # mean of 2 and 3
    2.5
    """
    table, column = np.asarray(values, dtype=float), np.asarray(weights, dtype=float)
    with np.errstate(invalid="ignore"):
        sums = table @ column
    return one_sample_effect(sums, _contrast_scale(table, column))


def _contrast_scale(values: Array, weights: Array) -> float:
    """Returns the scale of a contrast; for weights of 1 and -1 it is the scale of the values."""
    return _scale(values) * float(np.abs(weights).sum()) / 2


def trend_weights(levels: npt.ArrayLike) -> Array:
    """Returns the weights whose sum with the values at these levels is their least-squares slope.

    >>> trend_weights([0, 1, 2]).tolist()
    [-0.5, 0.0, 0.5]
    """
    x = np.asarray(levels, dtype=float)
    return np.asarray((x - x.mean()) / float(((x - x.mean()) ** 2).sum()))


def trend_effect(levels: npt.ArrayLike, values: npt.ArrayLike) -> Effect:
    """Returns the mean over seeds of each seed's least-squares slope; `values` is seeds x levels.

    It fits a slope for each seed and then tests the slopes: the two-stage analysis of repeated measures (Matthews et
    al. 1990, BMJ 300:230). Its unit is that of the values, divided by that of the levels.

    >>> trend_effect([0, 1, 2], [[0, 2, 4], [1, 4, 7]]).interval.estimate  # mean of 2 and 3
    2.5
    """
    weights = trend_weights(levels)
    table = np.asarray(values, dtype=float)
    with np.errstate(invalid="ignore"):
        # Subtract each seed's mean, which is large beside its slope: the weights add up to 0 only up to rounding.
        slopes = (table - table.mean(axis=1, keepdims=True)) @ weights
    return one_sample_effect(slopes, _contrast_scale(table, weights))
