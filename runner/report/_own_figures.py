"""The curves of your own training: a panel a metric, a line a variant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatter

from runner.palette import color
from runner.plot import INK, saved
from runner.report._curves import OwnCurves
from runner.spec import BASELINE

_COLUMNS = 2  # of panels
_LONGEST = 40  # characters of a name in the legend


class _Plain(LogFormatter):
    """Labels the ticks that a log scale labels, as 0.3 instead of 3e-01."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:.3g}" if super().__call__(x, pos) else ""


def draw_own_curves(found: Sequence[OwnCurves], path: Path) -> None:
    """Draws each metric's means over the seeds with their bands, and one legend for all panels."""
    names = list(dict.fromkeys(name for curves in found for name in curves.variants))
    others = [name for name in names if name != BASELINE]
    hues = {name: INK if name == BASELINE else color(others.index(name)) for name in names}
    columns = min(_COLUMNS, len(found))
    rows = -(-len(found) // columns)
    size = (5.0 * columns, 2.8 * rows + 0.2 * -(-len(names) // columns))
    with saved(path, rows, columns, size, squeeze=False) as (figure, grid):
        panels = list(grid.flat)
        for axes, curves in zip(panels, found, strict=False):
            for name, band in curves.variants.items():
                axes.fill_between(band["epoch"], band["low"], band["high"], color=hues[name], alpha=0.14, linewidth=0)
                width = 2.2 if name == BASELINE else 1.5
                axes.plot(band["epoch"], band["mean"], color=hues[name], linewidth=width)
            if curves.is_log:
                axes.set_yscale("log")
                axes.yaxis.set_major_formatter(_Plain())
                axes.yaxis.set_minor_formatter(_Plain(minor_thresholds=(1, 0.5)))
                axes.tick_params(which="minor", labelsize=7)
            axes.set_title(curves.metric.label, loc="left")
            axes.tick_params(labelsize=8)
        for axes in panels[len(found) :]:
            axes.axis("off")
        lines = [Line2D([], [], color=hue, linewidth=3, label=_short(name)) for name, hue in hues.items()]
        figure.legend(handles=lines, loc="outside upper left", ncols=columns, frameon=False, fontsize=9)
        figure.supxlabel("step", fontsize=9)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
