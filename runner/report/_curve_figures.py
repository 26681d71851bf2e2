"""Learning curves: a panel a variant, train and validation over the epochs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import Formatter, MaxNLocator, PercentFormatter

from runner.plot import CURVE, MUTED, TRAIN, saved
from runner.report._curves import Curves
from runner.spec import BASELINE

_TITLE = 26  # characters that a panel's title has room for
_LEGEND = (  # color, marker, meaning
    (TRAIN, "", "a fixed part of train, in evaluation mode"),
    (CURVE, "o", "validation (dot: the mean best epoch)"),
    (MUTED, "", "the baseline's validation"),
)
_COLUMNS = 4  # of panels; the legend's entries stand in one line above so many


def accuracies(found: Mapping[str, Curves], path: Path) -> None:
    """Every variant's accuracy. The shared scale begins below where the middling variant is after its first tenth."""
    early = [each.val["mean"].iloc[len(each.val) // 10] for each in found.values()]
    low = float(np.clip(np.floor((np.nanmedian(early) - 0.1) * 20) / 20, 0, 0.9))
    _draw(found, "accuracy", (low, 1.0), path, PercentFormatter(1.0, decimals=0))


def losses(found: Mapping[str, Curves], path: Path) -> None:
    """Every variant's loss (cross-entropy, nats). The shared scale ends above the middling variant's highest."""
    low = float(np.nanmin([band["mean"].min() for each in found.values() for band in (each.train, each.val)]))
    high = float(np.nanmedian([each.val["mean"].max() for each in found.values()]))
    room = 0.08 * ((high - low) or max(abs(high), 1.0))  # an axis has a length where all are equal
    _draw(found, "loss, nats", (low - room, high + room), path)


def _draw(
    found: Mapping[str, Curves], what: str, limits: tuple[float, float], path: Path, ticks: Formatter | None = None
) -> None:
    """Draws the panels, on one scale except for variants that are beyond its limits in most epochs."""
    columns = min(_COLUMNS, len(found))
    rows = -(-len(found) // columns)
    reference = found.get(BASELINE) if len(found) > 1 else None
    legend = _LEGEND if reference else _LEGEND[:-1]
    lines = 1 if columns == _COLUMNS else len(legend)
    size = (max(2.6 * columns, 3.6) + 0.4, 2.1 * rows + 0.3 + 0.2 * lines)
    epochs = _padded([each.val["epoch"] for each in found.values()])
    with saved(path, rows, columns, size, squeeze=False) as (figure, grid):
        panels = list(grid.flat)
        for axes, (name, curves) in zip(panels, found.items(), strict=False):
            axes.set_autoscale_on(False)  # at each line, matplotlib would look at all lines again
            axes.set_xlim(*epochs)
            shown = [band[column] for band in (curves.train, curves.val) for column in ("mean", "low", "high")]
            if reference and name != BASELINE:
                axes.plot(reference.val["epoch"], reference.val["mean"], color=MUTED, linewidth=1.2)
                shown.append(reference.val["mean"])
            _panel(axes, curves)
            inside = curves.val["mean"].between(*limits).mean() >= 0.5
            axes.set_ylim(*(limits if inside else _padded(shown)))
            axes.set_title(
                wrapped(name) + ("" if inside else " (own scale)"),
                loc="left",
                fontweight="bold" if name == BASELINE else "normal",
            )
            if ticks:
                axes.yaxis.set_major_formatter(ticks)
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.tick_params(labelsize=8, labelbottom=False)
        for axes in panels[len(found) :]:
            axes.axis("off")
        for axes in panels[: len(found)][-columns:]:  # no panel is below these
            axes.tick_params(labelbottom=True)
        handles = [Line2D([], [], color=color, marker=mark, markersize=5, label=label) for color, mark, label in legend]
        columns_of_legend = -(-len(legend) // lines)
        figure.legend(handles=handles, loc="outside upper left", ncols=columns_of_legend, frameon=False, fontsize=9)
        figure.supxlabel("epoch", fontsize=9)
        figure.supylabel(what, fontsize=9)


def _padded(values: Sequence[pd.Series]) -> tuple[float, float]:
    """The limits of an axis that shows all finite values, with a little room; 0 to 1 where there are none."""
    numbers = pd.concat(list(values)).to_numpy(dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return 0.0, 1.0
    low, high = float(numbers.min()), float(numbers.max())
    room = 0.05 * ((high - low) or 1.0)
    return low - room, high + room


def _panel(axes: Axes, curves: Curves) -> None:
    """Both means with their bands, and a dot at the best epoch."""
    for band, color in ((curves.train, TRAIN), (curves.val, CURVE)):
        axes.fill_between(band["epoch"], band["low"], band["high"], color=color, alpha=0.18, linewidth=0)
        axes.plot(band["epoch"], band["mean"], color=color, linewidth=1.6)
    height = np.interp(curves.best_epoch, curves.val["epoch"].astype(float), curves.val["mean"])
    axes.plot(curves.best_epoch, height, "o", color=CURVE, markersize=5)


def wrapped(name: str) -> str:
    """A variant's name on as many lines as a panel's title needs, broken behind + , = or _."""
    lines = [""]
    for piece in re.findall(r"[^+,=_]*[+,=_]|[^+,=_]+", name):
        if lines[-1] and len(lines[-1] + piece) > _TITLE:
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)
