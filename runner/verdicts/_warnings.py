"""What may make a verdict mislead: runs that were still learning, and variants whose seeds fall into two groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runner.verdicts._runs import StudyRuns

_LEAST_GAP = 0.1  # of accuracy
_TIMES = 5  # so much wider than each group is the gap between them


def cut_off(data: StudyRuns, variant: str) -> tuple[int, int] | None:
    """How many finished runs the limit of epochs stopped before their patience ran out, and how many there are.

    None where the patience can't end a run.
    """
    entry, finished = data.study.variants.get(variant) if data.measures.is_ours else None, data.finished(variant)
    patience = entry.settings.get("patience", 0) if entry else 0
    if entry is None or not 0 < patience < entry.settings.get("epochs", math.inf) or not len(finished):
        return None
    waited = finished["epochs"] - finished["best_epoch"]
    return int((waited < patience).sum()), len(finished)


def mostly_cut_off(data: StudyRuns, variants: Sequence[str]) -> tuple[int, int] | None:
    """The same over several variants, where it is more than half of their runs; None where it is not."""
    found = [own for name in variants if (own := cut_off(data, name))]
    stopped, runs = (sum(counts) for counts in zip(*found, strict=True)) if found else (0, 0)
    return (stopped, runs) if 2 * stopped > runs else None


@dataclass(frozen=True)
class TwoGroups:
    """A variant whose seeds fall into two groups: the seeds of the lower one, and the means of both."""

    variant: str
    seeds: tuple[int, ...]
    low: float
    high: float


def lower_group(values: npt.ArrayLike) -> int:
    """How many of n accuracies are in the lower of two groups; 0 where they are one group.

    The gap between the groups is at least 10 points, and at least 5 times as wide as either group.

    >>> lower_group([0.9, 0.1, 0.91, 0.92]), lower_group([0.2, 0.4, 0.6, 0.8])
    (1, 0)
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    if len(ordered) < 3:
        return 0
    cut = int(np.diff(ordered).argmax()) + 1
    low, high = ordered[:cut], ordered[cut:]
    return cut if high[0] - low[-1] >= max(_LEAST_GAP, _TIMES * max(np.ptp(low), np.ptp(high))) else 0


def two_groups(data: StudyRuns, variant: str) -> TwoGroups | None:
    """Whether a variant's validation accuracies fall into two groups, as where training collapses in some seeds.

    A t interval covers far less than 95% there (docs/calibration.md).
    """
    if not data.measures.is_ours:
        return None
    values = data.finished(variant)["val/accuracy"].dropna().sort_values()
    if not (cut := lower_group(values.to_numpy(dtype=float))):
        return None
    low, high = values.iloc[:cut], values.iloc[cut:]
    return TwoGroups(variant, tuple(sorted(map(int, low.index))), float(low.mean()), float(high.mean()))
