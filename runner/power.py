"""Computes how many seeds a difference needs, and how certain that number is: pure functions."""

from __future__ import annotations

import bisect
import math
from functools import cache

import numpy as np
from scipy import optimize, stats

from runner.stats import ALPHA

POWER = 0.8


def smallest_effect(spread: float, seeds: int, alpha: float = ALPHA) -> float:
    """Returns the true difference that a paired t test over `seeds` seeds detects with power .8 at `alpha`.

    `spread` is the standard deviation of the differences; the result has its unit.

    >>> round(smallest_effect(0.01, 10), 4)  # about one standard deviation
    0.01
    """
    from statsmodels.stats.power import TTestPower  # takes seconds to import

    standardized = TTestPower().solve_power(nobs=seeds, alpha=alpha, power=POWER, alternative="two-sided")
    return float(np.squeeze(standardized)) * spread


@cache
def detectable(seeds: int, equal: bool = False) -> float:
    """Returns the smallest true difference, in standard deviations, that `seeds` show with power .8 at .05.

    With `equal`, it is the smallest margin within which they show that there is no difference.

    >>> round(detectable(10), 3), round(detectable(10, equal=True), 3)
    (0.996, 1.005)
    """
    return float(optimize.brentq(lambda size: _power(size, seeds, ALPHA, equal) - _wanted(equal), 1e-6, 100))


def _wanted(equal: bool) -> float:
    return (1 + POWER) / 2 if equal else POWER


def _power(size: float, n: int, alpha: float, equal: bool) -> float:
    """The power of a t test over n differences; `size` is in standard deviations. See `seeds_needed` for `equal`."""
    # Ignore the other tail: it is below 1e-7 at such powers, and sometimes nan in scipy and in statsmodels.
    critical = stats.t.isf(alpha if equal else alpha / 2, n - 1)
    return float(stats.nct.sf(critical, n - 1, size * math.sqrt(n)))


def spread_interval(spread: float, n: int) -> tuple[float, float]:
    """Returns the 95% interval of a normal distribution's standard deviation (chi-squared; Hald 1952).

    `spread` is its estimate from n values (ddof = 1).

    >>> [round(bound, 3) for bound in spread_interval(1.0, 5)]  # √(4 / 11.143) and √(4 / 0.4844)
    [0.599, 2.874]
    """
    quantiles = stats.chi2.ppf([0.975, 0.025], n - 1)
    low, high = spread * np.sqrt((n - 1) / quantiles)
    return float(low), float(high)


def seeds_needed(
    spread: float, smallest: float, alpha: float = ALPHA, equal: bool = False, most: int = 10_000
) -> int | None:
    """Returns the seeds that a paired t test needs to detect a true difference of `smallest` with power .8 at `alpha`.

    `spread` is the standard deviation of the differences, in the unit of `smallest`. The result is None above `most`
    seeds, and where `spread` or `smallest` is not above 0. With `equal`, it is the seeds that two one-sided tests need
    to show that the difference is within `smallest`, where the true difference is 0: each test then needs power .9
    (Julious 2004, Statistics in Medicine 23:1921).

    >>> seeds_needed(1.0, 1.0), seeds_needed(1.0, 1.0, equal=True)  # the power at 9 and 10 seeds: .748 and .803
    (10, 11)
    """
    if not spread > 0 or not smallest > 0:
        return None

    def enough(n: int) -> bool:
        return _power(smallest / spread, n, alpha, equal) >= _wanted(equal)

    return bisect.bisect_left(range(most + 1), True, lo=2, key=enough) if enough(most) else None
