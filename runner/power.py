"""How many seeds a difference takes, and how sure that number is: pure functions."""

from __future__ import annotations

import bisect
import math

import numpy as np
from scipy import stats

from runner.stats import ALPHA

POWER = 0.8


def smallest_effect(spread: float, seeds: int) -> float:
    """The true difference that a paired t test over so many seeds sees with power .8 at .05, if the
    differences spread so (standard deviation)."""
    from statsmodels.stats.power import TTestPower  # takes seconds to import

    standardized = TTestPower().solve_power(nobs=seeds, alpha=ALPHA, power=POWER, alternative="two-sided")
    return float(np.squeeze(standardized)) * spread


def spread_interval(spread: float, n: int) -> tuple[float, float]:
    """The 95% interval of a normal standard deviation that n values gave as `spread` (chi-squared; Hald 1952)."""
    quantiles = stats.chi2.ppf([0.975, 0.025], n - 1)
    low, high = spread * np.sqrt((n - 1) / quantiles)
    return float(low), float(high)


def seeds_needed(
    spread: float, smallest: float, alpha: float = ALPHA, equal: bool = False, most: int = 10_000
) -> int | None:
    """Seeds at which a paired t test sees a true difference of `smallest` with power .8 at `alpha`, if the
    differences spread so; None above `most` or without a spread.

    With `equal`: seeds at which two one-sided tests see that there is none beyond it, where there is none at all;
    each then needs power .9 (Julious 2004, Statistics in Medicine 23:1921)."""
    if not spread > 0 or not smallest > 0:
        return None
    level, power = (2 * alpha, (1 + POWER) / 2) if equal else (alpha, POWER)

    def enough(n: int) -> bool:
        # The other tail is below 1e-7 at such powers, and nan in scipy here and there; so are statsmodels' powers.
        critical = stats.t.isf(level / 2, n - 1)
        return bool(stats.nct.sf(critical, n - 1, smallest / spread * math.sqrt(n)) >= power)

    return bisect.bisect_left(range(most + 1), True, lo=2, key=enough) if enough(most) else None
