"""A search's figures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

from runner.classnames import class_labels
from runner.plot import CURVE, INK, LEVEL, MUTED, TRAIN, saved
from runner.spec import Space
from runner.store import FINISHED, PRUNED


def progress(runs: pd.DataFrame, random: pd.DataFrame | None, path: Path) -> None:
    """The lowest validation loss so far against the epochs spent, over each run's own."""
    with saved(path, 1, 1, (8, 4)) as (figure, axes):
        if random is not None:
            _search(axes, random, MUTED, f"random search (n = {len(random)} runs)")
        _search(axes, runs, CURVE, f"this search (n = {len(runs)} runs)")
        _log_losses(axes)
        axes.set_xlabel(
            "epochs spent, runs in the order in which they were begun; one search of each kind, one seed a run"
        )
        axes.set_ylabel("validation loss\n(line: lowest so far; ×: pruned)")
        figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=9)


def _log_losses(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")


def _search(axes: Axes, runs: pd.DataFrame, color: str, label: str) -> None:
    spent, losses = runs["epochs had"].cumsum().to_numpy(), runs["val/loss"].to_numpy(dtype=float)
    losses = np.where(np.isfinite(losses), losses, np.nan)
    finished, pruned = (runs["status"] == FINISHED).to_numpy(), (runs["status"] == PRUNED).to_numpy()
    axes.plot(spent[finished], losses[finished], "o", color=color, markersize=4, alpha=0.6)
    axes.plot(spent[pruned], losses[pruned], "x", color=color, markersize=5, alpha=0.6)
    best = np.fmin.accumulate(np.where(finished, losses, np.nan))
    axes.step(spent, best, where="post", color=color, linewidth=1.8, label=label)


def slices(runs: pd.DataFrame, spaces: dict[str, Space], path: Path) -> None:
    """Each run's validation loss against each setting's value, the winner ringed."""
    runs = runs[np.isfinite(runs["val/loss"].to_numpy(dtype=float))]
    losses, status = runs["val/loss"].to_numpy(dtype=float), runs["status"].to_numpy()
    finished, pruned = status == FINISHED, status == PRUNED
    best = [int(np.where(finished, losses, np.inf).argmin())] if finished.any() else []
    columns = min(4, len(spaces))
    rows = -(-len(spaces) // columns)
    size = (2.5 * columns + 0.6, 2.4 * rows + 0.3)
    with saved(path, rows, columns, size, sharey=True, squeeze=False) as (figure, grid):
        panels = list(grid.flat)
        for axes, (key, space) in zip(panels, spaces.items(), strict=False):
            values = _positions(axes, space, runs[key])
            axes.plot(values[finished], losses[finished], "o", color=CURVE, markersize=4, alpha=0.6)
            axes.plot(values[pruned], losses[pruned], "x", color=MUTED, markersize=5, alpha=0.8)
            axes.plot(values[best], losses[best], "o", color=TRAIN, markersize=10, fillstyle="none")
            axes.set_title(key, loc="left")
            axes.tick_params(labelsize=8)
        for axes in panels[len(spaces) :]:
            axes.axis("off")
        _log_losses(panels[0])
        figure.supylabel("validation loss (×: pruned; ring: the winner)", fontsize=9)


def _positions(axes: Axes, space: Space, values: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """Where the values stand on the axis: choices side by side, numbers on their own scale; nan where there is none."""
    if space.kind != "categorical":
        if space.kind == "log_uniform":
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_formatter("")
        return values.to_numpy(dtype=float)
    axes.set_xticks(
        range(len(space.values)), class_labels([_label(value) for value in space.values]), rotation=30, ha="right"
    )
    axes.set_xlim(-0.5, len(space.values) - 0.5)
    places = [space.values.index(value) if value in space.values else math.nan for value in values]
    return np.array(places, dtype=float)


def _label(value: Any) -> str:
    """A choice in few letters: transforms by their capitals, HF for HorizontalFlip."""
    if not isinstance(value, list):
        return f"{value:.3g}" if isinstance(value, float) else str(value)
    names = [next(iter(item)) if isinstance(item, dict) else str(item) for item in value]
    return "+".join("".join(filter(str.isupper, name)) or name for name in names) or "none"


def importance(table: pd.DataFrame, path: Path) -> None:
    """Each setting's share of the variance, the largest first, with its interval."""
    rows = table.iloc[::-1]
    with saved(path, 1, 1, (8, 0.42 * len(rows) + 1.3)) as (_, axes):
        for y, (_, row) in enumerate(rows.iterrows()):
            axes.plot([row["low"], row["high"]], [y, y], color=LEVEL, linewidth=2.5, alpha=0.6, solid_capstyle="round")
            axes.plot(row["importance"], y, "o", color=TRAIN, markersize=7)
        axes.set_yticks(range(len(rows)), rows["setting"], color=INK)
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlim(0, None)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(
            f"share of the variance of the runs' ranks (n = {rows['n'].iloc[0]} runs; line: over 20 resamples)"
        )
