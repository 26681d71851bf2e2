"""Effects whose images or splits are random too, beside the seeds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from runner.stats._effects import ALPHA, Effect, Interval, _scale, _spread, _without_spread


def two_level_effect(values: npt.ArrayLike, scale: float = 0.0) -> Effect:
    """Returns the mean over seeds and images, with an interval for new seeds and new images.

    `values` is seeds x images: right or wrong (1, 0), or differences of these. The variance of a crossed design's mean
    is (MS_seed + MS_image - MS_rest) / (seeds * images); a negative part of the images counts as 0 (Brennan 2001,
    Generalizability Theory, ch. 2). Each part enters the interval with its own quantile: half^2 = (t_seed^2 MS_seed +
    t_image^2 max(0, MS_image - MS_rest)) / (seeds * images) (after Howe 1974, JASA 69:789). So the interval is never
    narrower than the t interval over the seeds alone; an interval with Satterthwaite's degrees of freedom can be. p is
    the level at which the interval ends at 0. Seeds with equal means (`scale` as in `one_sample_effect`) have no
    interval, because they do not show how other seeds would spread.

    >>> effect = two_level_effect([[1, 0, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]])  # MS: .25 seeds, .3056 images, .1389
    >>> effect.interval.estimate, round(effect.interval.low, 4), round(effect.interval.high, 4)
    (0.75, 0.0245, 1.4755)
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
    variances = (ms_seed, seeds - 1), (max(0.0, ms_image - ms_rest), images - 1)
    parts = tuple((math.sqrt(variance / x.size), df) for variance, df in variances)
    effect = Effect(Interval(mean, mean, mean, seeds), math.nan, float(rows.std(ddof=1)), parts)
    half = effect.half(ALPHA)
    return replace(effect, interval=Interval(mean, mean - half, mean + half, seeds), p=effect.p_beyond(abs(mean)))


def resampled_effect(effect: Effect, ratio: float) -> Effect:
    """Returns an effect over seeds that also draw the split, with Nadeau & Bengio's correction (2003, ML 52:239).

    `ratio` is the number of validation images divided by that of train images. Runs on overlapping splits are not
    independent, so the variance of the mean is spread^2 (1 / n + ratio) instead of spread^2 / n.

    >>> from runner.stats import one_sample_effect
    >>> effect = resampled_effect(one_sample_effect([1, 2, 3]), 0.5)
    >>> round(effect.interval.low, 3), round(effect.p, 3)  # 2 - 4.303 √(1/3 + 1/2)
    (-1.928, 0.16)
    """
    if not effect.parts:
        return effect
    n, mean = effect.interval.n, effect.interval.estimate
    wider = replace(effect, parts=((effect.spread * math.sqrt(1 / n + ratio), n - 1),))
    half = wider.half(ALPHA)
    return replace(wider, interval=Interval(mean, mean - half, mean + half, n), p=wider.p_beyond(abs(mean)))
