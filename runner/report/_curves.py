"""Learning curves over a variant's seeds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from runner.metrics import Better, Metric
from runner.spec import BASELINE
from runner.stats import Interval, mean_interval
from runner.verdicts import StudyRuns

_MOST_STEPS, _MOST_VARIANTS = 400, 12  # of one curve, and of one figure


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
    return _band(wide.index, [mean_interval(row[known]) for row, known in values])


def stepped(steps: pd.DataFrame, curve: str, running: Collection[int] = ()) -> pd.DataFrame:
    """Returns what `banded` does, for a curve of your own training: a seed has a value at some steps only.

    Between its steps, and after its last one, a seed keeps the value before. Before its first step it does not count.
    Of more than 400 steps so many are returned, evenly spaced, with the first and the last.
    """
    known = steps.dropna(subset=[curve]) if curve in steps else steps.iloc[:0].assign(**{curve: []})
    wide = known.pivot(index="epoch", columns="seed", values=curve).sort_index().ffill()
    for seed in set(running) & set(wide.columns):
        wide.loc[wide.index > known.loc[known["seed"] == seed, "epoch"].max(), seed] = np.nan
    wide = wide.dropna(how="all")
    chosen = np.unique(np.linspace(0, len(wide) - 1, min(len(wide), _MOST_STEPS)).round().astype(int))
    wide = wide.iloc[chosen]
    return _band(wide.index, [mean_interval(row[~np.isnan(row)]) for row in wide.to_numpy(dtype=float)])


def suits_log(metric: Metric, bands: Iterable[pd.DataFrame]) -> bool:
    """Whether curves are drawn on a log scale: where less is better, and all means are positive."""
    return metric.better is Better.LOWER and all((band["mean"] > 0).all() for band in bands)


@dataclass(frozen=True)
class OwnCurves:
    """The curves of one metric of your own training: variant to what `stepped` returns."""

    metric: Metric
    variants: dict[str, pd.DataFrame]

    @property
    def is_log(self) -> bool:
        """Whether they are drawn on a log scale."""
        return suits_log(self.metric, self.variants.values())


def own_curves(data: StudyRuns, best_first: Sequence[str]) -> list[OwnCurves]:
    """Each metric's curves: the baseline's and those of the best variants, at most 12; none without a second step."""
    trained = [name for name in best_first if len(data.finished(name))]
    others = [name for name in trained if name != BASELINE]
    chosen = [name for name in trained if name == BASELINE] + others[: _MOST_VARIANTS - 1]
    found = []
    for metric in data.measures.table.values():
        bands = {name: stepped(_of(data, name), metric.name) for name in chosen}
        bands = {name: band for name, band in bands.items() if len(band)}
        if any(len(band) > 1 for band in bands.values()):
            found.append(OwnCurves(metric, bands))
    return found


def _band(epochs: pd.Index, intervals: Sequence[Interval]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "epoch": epochs,
            "mean": [i.estimate for i in intervals],
            "low": [i.low for i in intervals],
            "high": [i.high for i in intervals],
            "n": [i.n for i in intervals],
        }
    )
