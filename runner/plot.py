"""Draws figures in one style, and the panels that several rooms share.

Figures have a light background of their own, so that they are readable on light and dark pages.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font

from runner.classnames import class_labels, font_for
from runner.palette import PALETTE

INK, MUTED, _GRID = "#202124", "#80868b", "#e8eaed"
UP, DOWN, LEVEL = "#1a7f37", "#c5221f", "#5f6368"
CURVE, TRAIN = "#1a73e8", "#e8710a"
_NUMBERED, _MOST_NAMED = 20, 150  # the most columns of a matrix with numbers in its cells, and of one with names
_STYLE: Any = {
    "font.size": 10, "text.color": INK, "axes.labelcolor": INK,
    "axes.edgecolor": MUTED, "xtick.color": MUTED, "ytick.color": INK, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.color": _GRID, "axes.axisbelow": True,
    "axes.titlesize": 10, "figure.facecolor": "white", "savefig.facecolor": "white", "savefig.dpi": 160,
    "axes.prop_cycle": f"cycler(color={list(PALETTE)})",
    "text.parse_math": False,  # a class may be called $x$
}  # fmt: skip


@contextmanager
def saved(
    path: Path, rows: int, columns: int, size: tuple[float, float], names: Sequence[str] = (), **options: Any
) -> Iterator[tuple[Figure, Any]]:
    """Yields a figure and its axes, and saves the figure when the context ends without an error.

    `rows` and `columns` count the axes; `size` is width and height in inches. `names` are the class names on the
    figure, which may need another font.
    """
    with mpl.rc_context(_STYLE | {"font.family": _families(names)}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a name that the font can't draw
        figure = Figure(figsize=size, layout="constrained")
        yield figure, figure.subplots(rows, columns, **options)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)


def _families(names: Sequence[str]) -> list[str]:
    file = font_for(names)
    return ["DejaVu Sans", *([FT2Font(file).family_name] if file else [])]


def confusion_side(classes: int) -> float:
    """Returns the side, in inches, of a readable matrix of so many classes."""
    return float(np.clip(0.42 * classes, 4.6, 8.4) if classes <= _NUMBERED else np.clip(0.13 * classes, 8.4, 14))


def matrix_panel(
    axes: Axes,
    values: Any,
    columns: Sequence[str],
    colors: str,
    limits: tuple[float, float],
    text: str,
    least: float,
    rows: Sequence[str] | None = None,
    bold: Any = None,
) -> ScalarMappable:
    """Draws values (rows x columns) as colors, and as numbers where there is room.

    text   the format of a number, such as "{:.2f}"
    least  smaller values have no number
    bold   rows x columns, whether a number is bold
    rows   the names of the rows, where they differ from `columns`
    """
    # Shades grow fast from zero, so that a few confusions among many right predictions are visible.
    norm = Normalize(*limits) if limits[0] else PowerNorm(0.6, *limits)
    image = axes.imshow(values, cmap=colors, norm=norm, aspect="auto")
    axes.grid(visible=False)
    count = len(columns)
    if count <= _MOST_NAMED:
        names = class_labels(columns)
        size = float(np.clip(45 * confusion_side(count) / count, 4, 8))
        slant: Any = {"rotation": 45, "ha": "right"} if count <= _NUMBERED else {"rotation": 90}
        axes.set_xticks(range(count), names, fontsize=size, color=INK, **(slant if max(map(len, names)) > 3 else {}))
        axes.set_yticks(range(len(values)), rows or names, fontsize=size)
    for (row, column), value in np.ndenumerate(values) if count <= _NUMBERED else ():
        if math.isfinite(value) and abs(value) >= least:
            dark = np.dot(image.to_rgba(value)[:3], (0.299, 0.587, 0.114)) < 0.5  # luma (ITU-R BT.601)
            weight = "bold" if bold is not None and bold[row, column] else "normal"
            style: Any = {"fontsize": 7.5, "color": "white" if dark else INK, "fontweight": weight}
            axes.text(column, row, text.format(value), ha="center", va="center", **style)
    return image
