"""A search's figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from runner.report.figures import _LEVEL, CURVE, INK, MUTED, TRAIN, saved
from runner.search.suggest import FINISHED, PRUNED


def progress(runs: pd.DataFrame, random: pd.DataFrame | None, path: Path) -> None:
    """The lowest validation loss so far against the number of runs, over each run's own."""
    with saved(path, 1, 1, (8, 4)) as (figure, axes):
        if random is not None:
            _search(axes, random, MUTED, f"random search (n = {len(random)} runs)")
        _search(axes, runs, CURVE, f"this search (n = {len(runs)} runs)")
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
        axes.set_xlabel("runs, in the order in which they were begun; one search of each kind, one seed a run")
        axes.set_ylabel("validation loss\n(line: lowest so far; ×: pruned)")
        figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=9)


def _search(axes: Axes, runs: pd.DataFrame, color: str, label: str) -> None:
    numbers, losses = np.arange(1, len(runs) + 1), runs["val/loss"].to_numpy(dtype=float)
    losses = np.where(np.isfinite(losses), losses, np.nan)
    finished, pruned = (runs["status"] == FINISHED).to_numpy(), (runs["status"] == PRUNED).to_numpy()
    axes.plot(numbers[finished], losses[finished], "o", color=color, markersize=4, alpha=0.6)
    axes.plot(numbers[pruned], losses[pruned], "x", color=color, markersize=5, alpha=0.6)
    best = np.fmin.accumulate(np.where(finished, losses, np.nan))
    axes.step(numbers, best, where="post", color=color, linewidth=1.8, label=label)


def importance(table: pd.DataFrame, path: Path) -> None:
    """Each setting's share of the variance, the largest first, with its interval."""
    rows = table.iloc[::-1]
    with saved(path, 1, 1, (8, 0.42 * len(rows) + 1.3)) as (_, axes):
        for y, (_, row) in enumerate(rows.iterrows()):
            axes.plot([row["low"], row["high"]], [y, y], color=_LEVEL, linewidth=2.5, alpha=0.6, solid_capstyle="round")
            axes.plot(row["importance"], y, "o", color=TRAIN, markersize=7)
        axes.set_yticks(range(len(rows)), rows["setting"], color=INK)
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlim(0, None)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(
            f"share of the variance of the runs' ranks (n = {rows['n'].iloc[0]} runs; line: over 20 resamples)"
        )
