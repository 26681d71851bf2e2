"""Arrays to effects, intervals and tests: pure functions.

Paired t intervals lead: with a few seeds the percentile bootstrap covers far less than it says, and below
six seeds no signed-rank test can say 5%.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Array = npt.NDArray[np.float64]
ALPHA = 0.05
POWER = 0.8
WILCOXON_LEAST = 6  # seeds: below, the smallest two-sided exact p, 2 / 2^n, is above .05


@dataclass(frozen=True)
class Interval:
    """An estimate with its two-sided 95% interval, from n values; without a spread the bounds are nan."""

    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Effect:
    """A mean of differences with its two-sided p, and the spread of the differences (ddof = 1)."""

    interval: Interval
    p: float
    spread: float = math.nan


def mean_interval(values: npt.ArrayLike, level: float = 0.95) -> Interval:
    """The mean of n values and its t interval with n - 1 degrees of freedom (Student 1908).

    With one value, or with values that are not finite, there is no interval: nan.
    """
    array = np.asarray(values, dtype=float)
    count = len(array)
    if count == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    mean = float(array.mean())
    if count == 1 or not np.isfinite(array).all():
        return Interval(mean, math.nan, math.nan, count)
    half = float(stats.t.ppf((1 + level) / 2, count - 1)) * float(array.std(ddof=1)) / math.sqrt(count)
    return Interval(mean, mean - half, mean + half, count)


def one_sample_effect(differences: npt.ArrayLike) -> Effect:
    """Whether the differences' mean is zero: t interval and t test (two-sided).

    Equal differences (no spread at all) have p = 1 where they are zero, else nan: a t test needs a spread.
    """
    array = np.asarray(differences, dtype=float)
    interval = mean_interval(array)
    if interval.n < 2 or math.isnan(interval.low):
        return Effect(interval, math.nan)
    if interval.low == interval.high:
        return Effect(interval, 1.0 if interval.estimate == 0 else math.nan, 0.0)
    return Effect(interval, float(stats.ttest_1samp(array, 0.0).pvalue), float(array.std(ddof=1)))


def paired_effect(variant: npt.ArrayLike, baseline: npt.ArrayLike) -> Effect:
    """Variant minus baseline within seeds: the paired t test is the one-sample test of the differences."""
    with np.errstate(invalid="ignore"):  # infinity minus infinity is no number, and shown as such
        return one_sample_effect(np.asarray(variant, dtype=float) - np.asarray(baseline, dtype=float))


def interaction_effect(
    both: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike, neither: npt.ArrayLike
) -> Effect:
    """The 2x2 interaction within seeds: y11 - y10 - y01 + y00 (what both do together beyond the sum of each)."""
    y11, y10, y01, y00 = (np.asarray(each, dtype=float) for each in (both, first, second, neither))
    return one_sample_effect(y11 - y10 - y01 + y00)


def trend_effect(levels: npt.ArrayLike, values: npt.ArrayLike) -> Effect:
    """The mean over seeds of each seed's least-squares slope: `values` is seeds x levels.

    A slope a seed, then a t test of the slopes: the two-stage analysis of repeated measures (Matthews et
    al. 1990, BMJ 300:230)."""
    x = np.asarray(levels, dtype=float)
    centered = x - x.mean()
    slopes = np.asarray(values, dtype=float) @ centered / float(centered @ centered)
    return one_sample_effect(slopes)


def correlation(variant: npt.ArrayLike, baseline: npt.ArrayLike) -> float:
    """Pearson's r between the pairs: above 0, pairing by seed made the difference's interval narrower."""
    a, b = np.asarray(variant, dtype=float), np.asarray(baseline, dtype=float)
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0 or not np.isfinite([*a, *b]).all():
        return math.nan
    return float(stats.pearsonr(a, b).statistic)


def signed_rank_p(differences: npt.ArrayLike) -> float | None:
    """Wilcoxon's exact two-sided signed-rank p (Wilcoxon 1945), or None below six non-zero differences,
    where it can't reach .05 whatever they are."""
    array = np.asarray(differences, dtype=float)
    array = array[array != 0]
    if len(array) < WILCOXON_LEAST or not np.isfinite(array).all():
        return None
    if len(array) > 16:
        return float(stats.wilcoxon(array).pvalue)
    every_sign = stats.PermutationMethod(n_resamples=2 ** len(array))  # exact, with ties too
    return float(stats.wilcoxon(array, method=every_sign).pvalue)


def equivalence_p(effect: Effect, margin: float) -> float:
    """The larger p of two one-sided t tests that the mean lies within +-margin (Schuirmann 1987)."""
    upper = _one_sided(effect, margin, "less")
    lower = _one_sided(effect, -margin, "greater")
    return max(upper, lower)


def outside_p(effect: Effect, margin: float) -> float:
    """Twice the smaller p of two one-sided t tests that the mean lies beyond the margin on either side."""
    return min(1.0, 2 * min(_one_sided(effect, margin, "greater"), _one_sided(effect, -margin, "less")))


def _one_sided(effect: Effect, against: float, side: str) -> float:
    n, estimate = effect.interval.n, effect.interval.estimate
    if n < 2 or math.isnan(effect.spread):
        return 1.0
    if effect.spread == 0:
        holds = estimate < against if side == "less" else estimate > against
        return 0.0 if holds else 1.0
    t = (estimate - against) / (effect.spread / math.sqrt(n))
    return float(stats.t.cdf(t, n - 1) if side == "less" else stats.t.sf(t, n - 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p (Holm 1979); a p that is nan stays nan and takes no share."""
    from statsmodels.stats.multitest import multipletests  # takes seconds to import

    known = [p for p in p_values if not math.isnan(p)]
    adjusted = iter(multipletests(known, method="holm")[1].tolist() if known else [])
    return [next(adjusted) if not math.isnan(p) else math.nan for p in p_values]


def seeds_needed(spread: float, smallest: float, most: int = 10_000) -> int | None:
    """Seeds at which a paired t test sees a true difference of `smallest` with power .8 at .05, if the
    differences spread as they did; None above `most` or without a spread."""
    if not spread > 0 or not smallest > 0:
        return None
    from statsmodels.stats.power import ttest_power  # takes seconds to import

    def enough(n: int) -> bool:
        return bool(ttest_power(smallest / spread, nobs=n, alpha=ALPHA) >= POWER)

    # Doubling, then halving: far above the answer the noncentral t is nan, and statsmodels' own solver may not end.
    high = 2
    while not enough(high):
        high *= 2
        if high > most:
            return None
    return bisect.bisect_left(range(high + 1), True, lo=2, key=enough)
