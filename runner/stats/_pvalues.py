"""Computes p-values that complement the t tests of effects, and the correlation of pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from runner.stats._effects import _ROUNDING, Effect, _scale, _spread

WILCOXON_LEAST = 6  # seeds: below, the smallest two-sided exact p, 2 / 2^n, is above .05


def mcnemar_p(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Returns the exact two-sided p that two trained models are right equally often (McNemar 1947).

    `first` and `second` have one bool for each image: whether that model was right. The test is about these two models,
    not about how they were trained: it does not replace variation over seeds (Dietterich 1998).

    >>> mcnemar_p([1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1])  # only the first is right on 5 images: 2 / 2^5
    0.0625
    """
    from statsmodels.stats.contingency_tables import mcnemar  # takes seconds to import

    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
    return float(mcnemar(table, exact=True).pvalue)


def correlation(variant: npt.ArrayLike, baseline: npt.ArrayLike) -> float:
    """Returns Pearson's r between the pairs; both arrays have one value for each seed.

    It is nan below three seeds, and where an array has no spread or is not finite. Pairing halves the degrees of
    freedom. It still narrows an interval where r is large enough: with equal spreads above about .6 for 3 seeds,
    .3 for 5, .15 for 10.

    >>> round(correlation([1, 2, 3], [1, 2, 4]), 4)  # 3 / √(2 * 14/3)
    0.982
    """
    a, b = np.asarray(variant, dtype=float), np.asarray(baseline, dtype=float)
    if len(a) < 3 or not np.isfinite([*a, *b]).all() or not _spread(a, 0.0) or not _spread(b, 0.0):
        return math.nan
    return float(stats.pearsonr(a, b).statistic)


def signed_rank_p(differences: npt.ArrayLike, scale: float = 0.0) -> float | None:
    """Returns Wilcoxon's two-sided signed-rank p of n differences (Wilcoxon 1945).

    It is None without a spread, where a difference is not finite, and below six non-zero differences, where p can't
    reach .05. It is exact up to 16 differences, also with ties; above that scipy chooses the method. Differences that
    differ by rounding only are ties, or zeros (`scale` as in `one_sample_effect`).

    >>> signed_rank_p([1, 2, 3, 4, 5, 6])  # 2 / 2^6
    0.03125
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
    return _exact_signed_rank_p(array)


def _exact_signed_rank_p(array: npt.NDArray[np.float64]) -> float:
    """Returns the two-sided p over all signs of the differences, none of which is 0; ties share their mean rank.

    It counts the signs that give each sum of positive ranks, so it takes no list of all 2^n.
    """
    ranks = np.rint(2 * stats.rankdata(np.abs(array))).astype(int)  # twice, so that shared ranks are whole numbers
    ways = np.zeros(ranks.sum() + 1)
    ways[0] = 1
    for rank in ranks:
        ways[rank:] += ways[:-rank].copy()
    reached = ranks[array > 0].sum()
    tail = min(ways[: reached + 1].sum(), ways[reached:].sum())
    return float(min(1.0, 2 * tail / ways.sum()))


def equivalence_p(effect: Effect, margin: float) -> float:
    """Returns the larger p of two one-sided tests that the mean is within ±margin (Schuirmann 1987).

    They are t tests. Where images are random too, they invert the interval over both (`two_level_effect`). p is at
    most .05 where the 90% interval is within the margin. It is nan without a spread: then no t test is defined.

    >>> from runner.stats import one_sample_effect
    >>> round(equivalence_p(one_sample_effect([-1, 0, 1]), 2), 4)  # t = 2√3 with 2 degrees of freedom
    0.0371
    """
    return float(np.maximum(_one_sided(effect, margin, "less"), _one_sided(effect, -margin, "greater")))


def outside_p(effect: Effect, margin: float) -> float:
    """Returns twice the smaller p of two one-sided t tests that the mean is beyond +margin or -margin, at most 1.

    It is nan without a spread.

    >>> from runner.stats import one_sample_effect
    >>> round(outside_p(one_sample_effect([1, 2, 3]), 1), 4)  # t = √3 with 2 degrees of freedom
    0.2254
    """
    smaller = np.minimum(_one_sided(effect, margin, "greater"), _one_sided(effect, -margin, "less"))
    return float(np.minimum(1.0, 2 * smaller))


def _one_sided(effect: Effect, against: float, side: str) -> float:
    if not effect.parts:
        return math.nan
    distance = effect.interval.estimate - against
    if len(effect.parts) == 1:
        ((error, df),) = effect.parts
        return float(stats.t.cdf(distance / error, df) if side == "less" else stats.t.sf(distance / error, df))
    tail = effect.p_beyond(abs(distance)) / 2
    return tail if (distance < 0) == (side == "less") else 1 - tail


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Returns p-values adjusted for the false discovery rate, in the same order (Benjamini & Hochberg 1995).

    At most 5% of the claims with an adjusted p of at most .05 are expected to be false.

    >>> benjamini_hochberg([0.01, 0.04, 0.03])  # .01 * 3 / 1, .04 * 3 / 3, and .03 * 3 / 2 may not exceed that
    [0.03, 0.04, 0.04]
    """
    return [float(p) for p in stats.false_discovery_control(p_values)] if len(p_values) else []


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns Holm's step-down adjusted p-values in the same order (Holm 1979). A nan stays nan and does not count.

    statsmodels' multipletests gives the same numbers, but collects garbage at each call, which takes 0.1 s or more.

    >>> holm([0.01, 0.04, 0.03])  # 3 * .01, then 2 * .03, and .04 may not be below that
    [0.03, 0.06, 0.06]
    """
    array = np.asarray(p_values, dtype=float)
    adjusted = np.full(len(array), math.nan)
    order = np.argsort(array)[: int((~np.isnan(array)).sum())]  # nan comes last
    left = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(left * array[order]), 1.0)
    return [float(p) for p in adjusted]
