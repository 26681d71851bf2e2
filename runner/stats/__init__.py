"""Turns arrays into effects, intervals and tests: pure functions.

Paired t intervals come first. With a few seeds the percentile bootstrap covers far less than it claims, and below six
seeds no signed-rank test reaches 5%.
"""

from runner.stats._crossed import resampled_effect, two_level_effect
from runner.stats._effects import (
    ALPHA,
    Effect,
    Interval,
    contrast_effect,
    interaction_effect,
    mean_interval,
    mean_intervals,
    one_sample_effect,
    paired_effect,
    trend_effect,
    trend_weights,
    value_effect,
)
from runner.stats._pvalues import (
    benjamini_hochberg,
    correlation,
    equivalence_p,
    holm,
    mcnemar_p,
    outside_p,
    signed_rank_p,
)
from runner.stats._welch import unpaired_effect

__all__ = [
    "ALPHA",
    "Effect",
    "Interval",
    "benjamini_hochberg",
    "contrast_effect",
    "correlation",
    "equivalence_p",
    "holm",
    "interaction_effect",
    "mcnemar_p",
    "mean_interval",
    "mean_intervals",
    "one_sample_effect",
    "outside_p",
    "paired_effect",
    "resampled_effect",
    "signed_rank_p",
    "trend_effect",
    "trend_weights",
    "two_level_effect",
    "unpaired_effect",
    "value_effect",
]
