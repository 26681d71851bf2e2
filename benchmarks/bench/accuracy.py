"""Checks that two tools train equally well."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from runner.stats import ALPHA

Accuracies = Sequence[float] | npt.NDArray[np.float64]  # of 0 to 1


@dataclass(frozen=True)
class Difference:
    """The mean difference of two tools' accuracies, with half of its interval."""

    mean: float
    half: float

    @property
    def within_noise(self) -> bool:
        """Whether the interval contains 0."""
        return abs(self.mean) <= self.half

    def __str__(self) -> str:
        return f"{100 * self.mean:+.2f} ± {100 * self.half:.2f} points"


def difference(ours: Accuracies, others: Accuracies, comparisons: int = 1) -> Difference:
    """Returns others minus ours, of runs in one order: pairs of a variant and a seed.

    A pair starts from the same weights, but draws batches, Dropout and augmentation for itself. So pairs differ by
    chance, and the paired t interval over them says by how much. Its level is 95%, after Bonferroni's correction for
    `comparisons`. Raises ValueError for fewer than two pairs, or for runs without a partner.
    """
    if len(ours) != len(others) or len(ours) < 2:
        raise ValueError(f"{len(ours)} and {len(others)} runs; expected at least two pairs")
    pairs = np.subtract(others, ours)
    error = float(pairs.std(ddof=1)) / math.sqrt(len(pairs))
    return Difference(float(pairs.mean()), float(stats.t.isf(ALPHA / comparisons / 2, len(pairs) - 1)) * error)
