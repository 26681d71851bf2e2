"""Means over seeds with their intervals, along the steps of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import stats

from runner.board.anyruns._read import Series
from runner.stats import ALPHA

Array = npt.NDArray[np.float64]
MOST_STEPS = 400  # of one curve
_LEAST_STEPS, _ALL_STEPS = 50, 20_000  # of one curve, and of all curves of a tag: 20,000 are about 2 MB of JSON
_ROUNDING = 1e-9  # of the values: a smaller spread is rounding, as in runner.stats


@dataclass(frozen=True)
class Curve:
    """A variant's mean over seeds at each step, with a 95% t interval. All arrays have one entry for each step.

    n is the number of seeds with a finite value there. Bounds are nan below two seeds, the mean is nan without any.
    """

    step: npt.NDArray[np.int64]
    mean: Array
    low: Array
    high: Array
    n: npt.NDArray[np.int64]


def steps_shown(curves: int) -> int:
    """Returns how many steps each of so many curves may have.

    >>> steps_shown(3), steps_shown(200)
    (400, 100)
    """
    return min(max(_ALL_STEPS // max(curves, 1), _LEAST_STEPS), MOST_STEPS)


def curve(series: Sequence[Series], most: int = MOST_STEPS) -> Curve:
    """Returns the mean of a variant's seeds, each with one series, on the union of their steps.

    Between a seed's own steps its value is interpolated linearly. Before its first step it has none. A seed that
    stopped early keeps its last value. A value that is not finite is skipped. Of more than `most` steps, so many
    are shown, evenly spaced, with the first and the last.

    >>> two = [Series(np.array([0, 2]), np.array([1.0, 3.0])), Series(np.array([1]), np.array([4.0]))]
    >>> curve(two).mean.tolist()
    [1.0, 3.0, 3.5]
    """
    steps = np.unique(np.concatenate([each.steps for each in series])) if series else np.array([], dtype=np.int64)
    if len(steps) > most:
        steps = steps[np.unique(np.linspace(0, len(steps) - 1, most).round().astype(int))]
    table = np.array([values_at(each, steps) for each in series]).reshape(len(series), len(steps))
    return Curve(steps, *mean_bands(table))


def values_at(series: Series, steps: npt.NDArray[np.int64]) -> Array:
    """Returns a series' values at these steps, as `curve` describes; nan where there is none. Has the steps' shape."""
    if not len(series.steps):
        return np.full(len(steps), np.nan)
    own = np.where(np.isfinite(series.values), series.values, np.nan)  # nan on one side gives nan in between
    return np.interp(steps, series.steps, own, left=np.nan)


def mean_bands(table: Array) -> tuple[Array, Array, Array, npt.NDArray[np.int64]]:
    """Returns the mean, low and high bound, and n of each column of seeds x steps. nan are skipped.

    The numbers are those of `runner.stats.mean_interval` for each column (Student 1908).
    """
    there = np.isfinite(table)
    count = there.sum(axis=0)
    values = np.where(there, table, 0.0)
    mean = np.where(count > 0, values.sum(axis=0) / np.maximum(count, 1), np.nan)
    apart = np.where(there, table - np.where(count > 0, mean, 0.0), 0.0)
    spread = np.sqrt((apart**2).sum(axis=0) / np.maximum(count - 1, 1))
    largest = np.abs(values).max(axis=0, initial=0.0)
    spread = np.where(spread <= _ROUNDING * largest, 0.0, spread)
    factor = np.array([_factor(int(n)) for n in count])
    half = factor * spread / np.sqrt(np.maximum(count, 1))
    return mean, mean - half, mean + half, count


@lru_cache(maxsize=1000)
def _factor(n: int) -> float:
    """Returns the t quantile of a 95% interval from n values; nan below 2."""
    return float(stats.t.isf(ALPHA / 2, n - 1)) if n > 1 else np.nan
