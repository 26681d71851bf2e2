"""Arrays to effects, intervals and tests: pure functions.

Paired t intervals lead: with a few seeds the percentile bootstrap covers far less than it says, and below
six seeds no signed-rank test can say 5%.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

Array = npt.NDArray[np.float64]
ALPHA = 0.05
WILCOXON_LEAST = 6  # seeds: below, the smallest two-sided exact p, 2 / 2^n, is above .05
_ROUNDING = 1e-9  # of the values compared: differences that spread less than this differ by rounding alone


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


def _scale(*values: npt.ArrayLike) -> float:
    """The largest absolute value of those compared."""
    return max((float(np.abs(array).max()) for array in map(np.asarray, values) if array.size), default=0.0)


def _is_rounding(size: float, scale: float) -> bool:
    """Whether a spread or a difference of values as large as `scale` is floating-point rounding: no spread at all."""
    return size <= _ROUNDING * scale


def _spread(values: Array, scale: float) -> float:
    """The standard deviation (ddof = 1), or 0 where it is rounding."""
    spread = float(values.std(ddof=1))
    return 0.0 if _is_rounding(spread, max(scale, _scale(values))) else spread


def mean_interval(values: npt.ArrayLike, level: float = 0.95, scale: float = 0.0) -> Interval:
    """The mean of n values and its t interval with n - 1 degrees of freedom (Student 1908).

    With one value, or with values that are not finite, there is no interval: nan. Where the values are differences,
    `scale` is the largest value compared: a spread below 1e-9 of it is none.
    """
    array = np.asarray(values, dtype=float)
    count = len(array)
    if count == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    mean = float(array.mean())
    if count == 1 or not np.isfinite(array).all():
        return Interval(mean, math.nan, math.nan, count)
    half = float(stats.t.ppf((1 + level) / 2, count - 1)) * _spread(array, scale) / math.sqrt(count)
    return Interval(mean, mean - half, mean + half, count)


def one_sample_effect(differences: npt.ArrayLike, scale: float = 0.0) -> Effect:
    """Whether the differences' mean is zero: t interval and t test (two-sided).

    Equal differences have no interval: a few values without a spread don't tell how others would spread. Their p is 1
    where they are zero, else nan. They count as equal where their spread is below 1e-9 of `scale`, the largest of the
    values whose differences they are.
    """
    array = np.asarray(differences, dtype=float)
    interval = mean_interval(array, scale=scale)
    if interval.n < 2 or math.isnan(interval.low):
        return Effect(interval, math.nan)
    spread = _spread(array, scale)
    if not spread:
        return _without_spread(interval.estimate, interval.n, max(scale, _scale(array)))
    t = interval.estimate / (spread / math.sqrt(len(array)))  # scipy's own warns where values are nearly alike
    return Effect(interval, float(2 * stats.t.sf(abs(t), len(array) - 1)), spread)


def _without_spread(mean: float, n: int, scale: float) -> Effect:
    mean = 0.0 if _is_rounding(abs(mean), scale) else mean
    return Effect(Interval(mean, math.nan, math.nan, n), math.nan if mean else 1.0, 0.0)


def value_effect(values: npt.ArrayLike, constant: float) -> Effect:
    """The values minus a constant that is taken as exact."""
    array = np.asarray(values, dtype=float)
    return one_sample_effect(array - constant, _scale(array, constant))


def paired_effect(variant: npt.ArrayLike, baseline: npt.ArrayLike) -> Effect:
    """Variant minus baseline within seeds: the paired t test is the one-sample test of the differences."""
    with np.errstate(invalid="ignore"):  # infinity minus infinity is no number, and shown as such
        differences = np.asarray(variant, dtype=float) - np.asarray(baseline, dtype=float)
    return one_sample_effect(differences, _scale(variant, baseline))


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
    table, column = np.asarray(values, dtype=float), np.asarray(weights, dtype=float)
    with np.errstate(invalid="ignore"):
        sums = table @ column
    return one_sample_effect(sums, _contrast_scale(table, column))


def _contrast_scale(values: Array, weights: Array) -> float:
    """What the weights make of a difference as large as the values: their own scale for weights of 1 and -1."""
    return _scale(values) * float(np.abs(weights).sum()) / 2


def two_level_effect(values: npt.ArrayLike, scale: float = 0.0) -> Effect:
    """The mean of seeds x images values with both drawn at random: what new seeds and new images would give.

    The variance of a crossed design's mean is (MS_seed + MS_image - MS_rest) / (seeds * images), where the images'
    part counts as 0 if it comes out negative (Brennan 2001, Generalizability Theory, ch. 2). Each part enters the
    interval by its own quantile, half^2 = t_seed^2 MS_seed + t_image^2 max(0, MS_image - MS_rest) over seeds * images
    (after Howe 1974, JASA 69:789), so it is never narrower than the t interval over the seeds alone, as one by
    Satterthwaite's degrees of freedom can be. p is where the interval of that level ends at 0. Values are right or
    wrong (0, 1), or differences of such. Seeds whose means don't spread (`scale` as in `one_sample_effect`) say
    nothing about other seeds: then there is no interval.
    """
    x = np.asarray(values, dtype=float)
    seeds, images = x.shape
    if seeds < 2 or images < 2:
        return Effect(Interval(float(x.mean()), math.nan, math.nan, seeds), math.nan)
    rows, columns, mean = x.mean(axis=1), x.mean(axis=0), float(x.mean())
    if not _spread(rows, scale):
        return _without_spread(mean, seeds, max(scale, _scale(x)))
    ms_seed, ms_image = images * float(rows.var(ddof=1)), seeds * float(columns.var(ddof=1))
    rest = x - rows[:, None] - columns + mean
    ms_rest = float((rest**2).sum()) / ((seeds - 1) * (images - 1))
    parts = [(ms_seed / x.size, seeds - 1), (max(0.0, ms_image - ms_rest) / x.size, images - 1)]

    def half(p: float) -> float:
        return math.sqrt(sum(float(stats.t.isf(p / 2, df)) ** 2 * variance for variance, df in parts))

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
    weights = (x - x.mean()) / float(((x - x.mean()) ** 2).sum())
    table = np.asarray(values, dtype=float)
    with np.errstate(invalid="ignore"):
        # Without each seed's mean, which is large beside its slope: the weights' sum is 0 up to rounding.
        slopes = (table - table.mean(axis=1, keepdims=True)) @ weights
    return one_sample_effect(slopes, _contrast_scale(table, weights))


def correlation(variant: npt.ArrayLike, baseline: npt.ArrayLike) -> float:
    """Pearson's r between the pairs. Pairing by seed narrows an interval where r makes up for the degrees of freedom
    that it halves: with equal spreads above about .6 for 3 seeds, .3 for 5, .15 for 10."""
    a, b = np.asarray(variant, dtype=float), np.asarray(baseline, dtype=float)
    if len(a) < 3 or not np.isfinite([*a, *b]).all() or not _spread(a, 0.0) or not _spread(b, 0.0):
        return math.nan
    return float(stats.pearsonr(a, b).statistic)


def signed_rank_p(differences: npt.ArrayLike, scale: float = 0.0) -> float | None:
    """Wilcoxon's two-sided signed-rank p (Wilcoxon 1945), or None below six non-zero differences, where it can't
    reach .05 whatever they are, and without a spread. Exact up to 16, with ties too; beyond that as scipy chooses.

    `scale` as in `one_sample_effect`: differences that differ by rounding are ties, or zeros.
    """
    array = np.asarray(differences, dtype=float)
    if len(array) < WILCOXON_LEAST or not np.isfinite(array).all() or not _spread(array, scale):
        return None
    array = np.round(array / (_ROUNDING * max(scale, _scale(array))))
    array = array[array != 0]
    if len(array) < WILCOXON_LEAST:
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
