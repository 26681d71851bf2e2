"""Runs that diverged: what they say in a comparison.

A run that is lost by its own doing (its loss became NaN, its model raised) ranks below every finished run of its
metric. A run that is lost to the machine says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from runner.verdicts._runs import StudyRuns


def diverged(data: StudyRuns, variant: str) -> set[int]:
    """The seeds that a variant lost by its own doing."""
    return {lost.seed for lost in data.lost([variant]) if not lost.machines}


def best_first(data: StudyRuns, means: Mapping[str, float], upward: int = 1) -> list[str]:
    """Variants by the means of their finished runs; one that diverged in some seeds ranks below all that did not.

    `upward` is 1 where high means are better, -1 where low ones are. A variant without a finished run comes last.
    """

    def rank(name: str) -> tuple[bool, int, float]:
        return math.isnan(means[name]), len(diverged(data, name)), -means[name] * upward

    return sorted(means, key=rank)


def pair_signs(data: StudyRuns, first: str, other: str, metric: str) -> tuple[int, ...]:
    """For each seed where one of two variants finished and the other diverged, the sign of first minus other.

    0 for a metric that has no better way. Where both diverged, neither is better.
    """
    mine, theirs = diverged(data, first), diverged(data, other)
    better = data.measures[metric].better
    if not better:
        return (0,) * (len(mine) + len(theirs))
    wins, losses = set(data.finished(first).index) & theirs, set(data.finished(other).index) & mine
    return (better,) * len(wins) + (-better,) * len(losses)
