"""Learning curves over a variant's seeds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from runner.stats import mean_interval
from runner.verdicts import StudyRuns


@dataclass(frozen=True)
class Curves:
    """A variant's means over the seeds, epoch by epoch, and its best epoch on average.

    `train` and `val` have the columns epoch, mean, low, high, n.
    """

    train: pd.DataFrame
    val: pd.DataFrame
    best_epoch: float


def learning_curves(data: StudyRuns, variants: Sequence[str], scalar: str) -> dict[str, Curves]:
    """Each variant's curves of accuracy or loss, on a fixed part of train and on validation."""
    return {
        name: Curves(
            banded(_of(data, name), f"train_eval/{scalar}"),
            banded(_of(data, name), f"val/{scalar}"),
            float(data.values(name, "best_epoch").mean()),
        )
        for name in variants
    }


def _of(data: StudyRuns, variant: str) -> pd.DataFrame:
    return data.curves[data.curves["variant"] == variant]


def banded(epochs: pd.DataFrame, curve: str, running: Collection[int] = ()) -> pd.DataFrame:
    """Returns a curve's mean over a variant's seeds, its 95% t interval and n, by epoch.

    `epochs` has a row for each seed and epoch. A seed that stopped keeps its last value; one that is `running` counts
    only as far as it is.
    """
    wide = epochs.pivot(index="epoch", columns="seed", values=curve).sort_index()
    ended = [seed for seed in wide.columns if int(seed) not in running]
    wide[ended] = wide[ended].ffill()
    there = pd.DataFrame(True, index=wide.index, columns=wide.columns)
    for seed in set(running) & set(wide.columns):
        there[seed] = wide.index <= epochs.loc[epochs["seed"] == seed, "epoch"].max()
    values = zip(wide.to_numpy(dtype=float), there.to_numpy(), strict=True)
    intervals = [mean_interval(row[known]) for row, known in values]
    return pd.DataFrame(
        {
            "epoch": wide.index,
            "mean": [i.estimate for i in intervals],
            "low": [i.low for i in intervals],
            "high": [i.high for i in intervals],
            "n": [i.n for i in intervals],
        }
    )
