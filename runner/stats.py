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
from scipy import optimize, stats

Array = npt.NDArray[np.float64]
ALPHA = 0.05
POWER = 0.8
WILCOXON_LEAST = 6  # seeds: below, the smallest two-sided exact p, 2 / 2^n, is above .05


@dataclass(frozen=True)
class Interval:
    """An estimate with its two-sided 95% interval, from n values; the bounds are nan where there can be none."""

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
    spread = float(array.std(ddof=1)) if np.ptp(array) else 0.0  # of equal values it may come out as 1e-17
    half = float(stats.t.ppf((1 + level) / 2, count - 1)) * spread / math.sqrt(count)
    return Interval(mean, mean - half, mean + half, count)


def one_sample_effect(differences: npt.ArrayLike) -> Effect:
    """Whether the differences' mean is zero: t interval and t test (two-sided).

    Equal differences have no interval: a few values without a spread don't tell how others would spread. Their p is 1
    where they are zero, else nan.
    """
    array = np.asarray(differences, dtype=float)
    interval = mean_interval(array)
    if interval.n < 2 or math.isnan(interval.low):
        return Effect(interval, math.nan)
    if interval.low == interval.high:
        return _without_spread(interval.estimate, interval.n)
    spread = float(array.std(ddof=1))
    t = interval.estimate / (spread / math.sqrt(len(array)))  # scipy's own warns where values are nearly alike
    return Effect(interval, float(2 * stats.t.sf(abs(t), len(array) - 1)), spread)


def _without_spread(mean: float, n: int) -> Effect:
    return Effect(Interval(mean, math.nan, math.nan, n), 1.0 if mean == 0 else math.nan, 0.0)


def paired_effect(variant: npt.ArrayLike, baseline: npt.ArrayLike) -> Effect:
    """Variant minus baseline within seeds: the paired t test is the one-sample test of the differences."""
    with np.errstate(invalid="ignore"):  # infinity minus infinity is no number, and shown as such
        return one_sample_effect(np.asarray(variant, dtype=float) - np.asarray(baseline, dtype=float))


def interaction_effect(
    both: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike, neither: npt.ArrayLike
) -> Effect:
    """The 2x2 interaction within seeds: y11 - y10 - y01 + y00 (what both do together beyond the sum of each)."""
    return contrast_effect(np.column_stack((both, first, second, neither)), [1, -1, -1, 1])


def contrast_effect(values: npt.ArrayLike, weights: npt.ArrayLike) -> Effect:
    """A weighted sum of a design's cells within seeds: `values` is seeds x cells, the weights add up to 0.

    Main effects and interactions of a factorial design are such sums; one a seed, they need no common
    variance of the cells (Maxwell & Delaney 2004, ch. 13 and 14: the multivariate approach).
    """
    with np.errstate(invalid="ignore"):
        return one_sample_effect(np.asarray(values, dtype=float) @ np.asarray(weights, dtype=float))


def two_level_effect(values: npt.ArrayLike) -> Effect:
    """The mean of seeds x images values with both drawn at random: what new seeds and new images would give.

    The variance of a crossed design's mean is (MS_seed + MS_image - MS_rest) / (seeds * images), where the images'
    part counts as 0 if it comes out negative (Brennan 2001, Generalizability Theory, ch. 2). Each part enters the
    interval by its own quantile, half^2 = t_seed^2 MS_seed + t_image^2 max(0, MS_image - MS_rest) over seeds * images
    (after Howe 1974, JASA 69:789), so it is never narrower than the t interval over the seeds alone, as one by
    Satterthwaite's degrees of freedom can be. p is where the interval of that level ends at 0. Values are right or
    wrong (0, 1), or differences of such.
    """
    x = np.asarray(values, dtype=float)
    seeds, images = x.shape
    if seeds < 2 or images < 2:
        return Effect(Interval(float(x.mean()), math.nan, math.nan, seeds), math.nan)
    rows, columns, mean = x.mean(axis=1), x.mean(axis=0), float(x.mean())
    ms_seed, ms_image = images * float(rows.var(ddof=1)), seeds * float(columns.var(ddof=1))
    rest = x - rows[:, None] - columns + mean
    ms_rest = float((rest**2).sum()) / ((seeds - 1) * (images - 1))
    parts = [(ms_seed / x.size, seeds - 1), (max(0.0, ms_image - ms_rest) / x.size, images - 1)]

    def half(p: float) -> float:
        return math.sqrt(sum(float(stats.t.isf(p / 2, df)) ** 2 * variance for variance, df in parts))

    if half(ALPHA) == 0:
        return _without_spread(mean, seeds)
    least = 1e-12  # below it p is as good as this
    certain = half(least) <= abs(mean)
    p = least if certain else float(optimize.brentq(lambda p: half(p) - abs(mean), least, 1.0))
    return Effect(Interval(mean, mean - half(ALPHA), mean + half(ALPHA), seeds), p)


def mcnemar_p(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Exact two-sided p that two trained models are right equally often on the same images (McNemar 1947).

    `first` and `second` say for each image whether the model was right. It is about these two models and
    not about how they were trained: it does not replace variation over seeds (Dietterich 1998).
    """
    from statsmodels.stats.contingency_tables import mcnemar  # takes seconds to import

    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
    return float(mcnemar(table, exact=True).pvalue)


def trend_effect(levels: npt.ArrayLike, values: npt.ArrayLike) -> Effect:
    """The mean over seeds of each seed's least-squares slope: `values` is seeds x levels.

    A slope a seed, then a t test of the slopes: the two-stage analysis of repeated measures (Matthews et
    al. 1990, BMJ 300:230)."""
    x = np.asarray(levels, dtype=float)
    centered = x - x.mean()
    slopes = np.asarray(values, dtype=float) @ centered / float(centered @ centered)
    return one_sample_effect(slopes)


def correlation(variant: npt.ArrayLike, baseline: npt.ArrayLike) -> float:
    """Pearson's r between the pairs. Pairing by seed narrows an interval where r makes up for the degrees of freedom
    that it halves: with equal spreads above about .6 for 3 seeds, .3 for 5, .15 for 10."""
    a, b = np.asarray(variant, dtype=float), np.asarray(baseline, dtype=float)
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0 or not np.isfinite([*a, *b]).all():
        return math.nan
    return float(stats.pearsonr(a, b).statistic)


def signed_rank_p(differences: npt.ArrayLike) -> float | None:
    """Wilcoxon's two-sided signed-rank p (Wilcoxon 1945), or None below six non-zero differences, where it can't
    reach .05 whatever they are. Exact up to 16, with ties too; beyond that as scipy chooses."""
    array = np.asarray(differences, dtype=float)
    array = array[array != 0]
    if len(array) < WILCOXON_LEAST or not np.isfinite(array).all():
        return None
    if len(array) > 16:
        return float(stats.wilcoxon(array).pvalue)
    every_sign = stats.PermutationMethod(n_resamples=2 ** len(array))
    return float(stats.wilcoxon(array, method=every_sign).pvalue)


def equivalence_p(effect: Effect, margin: float) -> float:
    """The larger p of two one-sided t tests that the mean lies within +-margin (Schuirmann 1987).

    At .05 that is the 90% interval within the margin. nan without a spread: then no t test is defined."""
    return float(np.maximum(_one_sided(effect, margin, "less"), _one_sided(effect, -margin, "greater")))


def outside_p(effect: Effect, margin: float) -> float:
    """Twice the smaller p of two one-sided t tests that the mean lies beyond the margin on either side; nan without
    a spread."""
    smaller = np.minimum(_one_sided(effect, margin, "greater"), _one_sided(effect, -margin, "less"))
    return float(np.minimum(1.0, 2 * smaller))


def _one_sided(effect: Effect, against: float, side: str) -> float:
    n, estimate = effect.interval.n, effect.interval.estimate
    if n < 2 or not effect.spread > 0:
        return math.nan
    t = (estimate - against) / (effect.spread / math.sqrt(n))
    return float(stats.t.cdf(t, n - 1) if side == "less" else stats.t.sf(t, n - 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p (Holm 1979); a p that is nan stays nan and takes no share.

    As statsmodels' multipletests, which collects all garbage at each call: a tenth of a second and more.
    """
    array = np.asarray(p_values, dtype=float)
    adjusted = np.full(len(array), math.nan)
    order = np.argsort(array)[: int((~np.isnan(array)).sum())]  # nan comes last
    left = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(left * array[order]), 1.0)
    return [float(p) for p in adjusted]


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
