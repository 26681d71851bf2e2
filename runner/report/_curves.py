"""Learning curves over a variant's seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from runner.stats import mean_interval
from runner.verdicts import StudyRuns


@dataclass(frozen=True)
class Curves:
    """A variant's means over the seeds, epoch by epoch, and its best epoch on average.

    `train` and `val` have the columns epoch, mean, low, high.
    """

    train: pd.DataFrame
    val: pd.DataFrame
    best_epoch: float


def learning_curves(data: StudyRuns, variants: Sequence[str], scalar: str) -> dict[str, Curves]:
    """Each variant's curves of accuracy or loss, on a fixed part of train and on validation."""
    return {
        name: Curves(
            _banded(data, name, f"train_eval/{scalar}"),
            _banded(data, name, f"val/{scalar}"),
            float(data.values(name, "best_epoch").mean()),
        )
        for name in variants
    }


def _banded(data: StudyRuns, variant: str, curve: str) -> pd.DataFrame:
    """Epoch, mean and interval of a curve over the variant's seeds; a stopped seed keeps its last value."""
    mine = data.curves[data.curves["variant"] == variant]
    wide = mine.pivot(index="epoch", columns="seed", values=curve).sort_index().ffill()
    intervals = [mean_interval(row) for row in wide.to_numpy(dtype=float)]
    return pd.DataFrame(
        {
            "epoch": wide.index,
            "mean": [i.estimate for i in intervals],
            "low": [i.low for i in intervals],
            "high": [i.high for i in intervals],
        }
    )
