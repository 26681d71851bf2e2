"""Draws a study's figures, except its curves: effects, confusion, classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from runner.metrics import Unit
from runner.plot import DOWN, INK, LEVEL, UP, confusion_side, matrix_panel, saved
from runner.report._predictions import Confusions
from runner.spec import BASELINE
from runner.verdicts import BETTER_THAN, SAME_AS, WORSE_THAN, EffectRow

_LEAST_LIMIT = 5  # points: fewer are no difference to paint dark


def effects(rows: Sequence[EffectRow], label: str, path: Path, unit: Unit = Unit.SHARE) -> None:
    """Draws each variant's effect with its interval, sorted; on an accuracy in percentage points.

    `rows` have finite effects. Significantly better and worse variants are in color.
    """
    rows = sorted(rows, key=lambda row: row.effect.estimate)
    intervals = [(row.effect.estimate, row.effect.low, row.effect.high) for row in rows]
    is_share = unit is Unit.SHARE
    estimates, lows, highs = (100 if is_share else 1) * np.array(intervals).T
    colors = {BETTER_THAN: UP, WORSE_THAN: DOWN, SAME_AS: LEVEL}
    limit = _focus(estimates, lows, highs, least=0.1 if is_share else 0.0)
    with saved(path, 1, 1, (8, 0.42 * len(rows) + 1.5)) as (_, axes):
        axes.axvline(0, color=INK, linewidth=1)
        for y, (estimate, low, high) in enumerate(zip(estimates, lows, highs, strict=True)):
            color = colors[rows[y].side]
            if abs(estimate) > limit:
                texts = _texts((estimate, low, high), unit)
                _off_scale(axes, y, texts, math.copysign(limit, estimate), color)
                continue
            ends = max(low, -limit), min(high, limit)
            if math.isfinite(low):
                axes.plot(ends, (y, y), color=color, linewidth=2.5, alpha=0.6, solid_capstyle="round")
            for end, bound, mark in zip(ends, (low, high), "<>", strict=True):
                if end != bound and math.isfinite(bound):  # the interval continues beyond the axis
                    axes.plot(end, y, mark, color=color, markersize=6)
            axes.plot(estimate, y, "o", color=color, markersize=7)
            text = f"{estimate:+z.2f}" if is_share else unit.text(estimate, unit=False)
            axes.annotate(text, (1.01, y), xycoords=("axes fraction", "data"), va="center", color=color, fontsize=9)
        axes.set_yticks(range(len(rows)), [row.variant for row in rows])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlim(-limit * 1.05, limit * 1.05)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(label)


def _texts(bounds: tuple[float, float, float], unit: Unit) -> str:
    """An estimate and its interval, as an arrow off the scale says them."""
    texts = [f"{each:+z.1f}" if unit is Unit.SHARE else unit.text(each, unit=False) for each in bounds]
    return texts[0] + (f" [{texts[1]}, {texts[2]}]" if math.isfinite(bounds[1]) else "")


def _focus(*arrays: Any, least: float) -> float:
    """Half the width of an axis that shows most effects well: a disaster must not squash the others."""
    bounds = np.sort(np.nanmax(np.abs(np.vstack(arrays)), axis=0)) if len(arrays[0]) else np.array([1.0])
    limit = bounds[0]
    for bound in bounds:
        limit = bound if bound <= max(4 * np.median(bounds[: max(1, len(bounds) * 3 // 4)]), 5 * least) else limit
    return float(max(limit, least) or 1.0) * 1.1


def _off_scale(axes: Axes, y: float, text: str, end: float, color: str) -> None:
    axes.annotate(
        "",
        (end, y),
        (end * 0.86, y),
        arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": 2.5},
    )
    axes.annotate(
        f"{text}, off the scale", (end * 0.84, y), va="center", ha="left" if end < 0 else "right", color=color,
        fontsize=9,
    )  # fmt: skip


def confusions(found: Confusions, path: Path) -> None:
    """The baseline's confusion matrix, and, where there is a difference, what another variant does more and less."""
    side = confusion_side(len(found.classes))
    panels = 1 if found.difference is None else 2
    with saved(path, 1, panels, (panels * side + 1, side + 0.3), found.classes, squeeze=False) as (_, grid):
        left = grid.flat[0]
        matrix_panel(left, 100 * found.shares, found.classes, "Blues", (0, 100), "{:.0f}", 0.5)
        left.set_title(BASELINE, loc="left")
        left.set_ylabel("true class (each row in % of its images)")
        if found.difference is not None:
            right, points = grid.flat[1], 100 * found.difference
            limit = max(float(np.abs(points).max()), _LEAST_LIMIT)
            matrix_panel(right, points, found.classes, "RdBu", (-limit, limit), "{:+z.0f}", 0.5)
            right.set_title(f"{found.other}, minus the {BASELINE}'s (points)", loc="left")
        for axes in grid.flat:
            axes.set_xlabel("predicted class")


def class_differences(differences: pd.DataFrame, told: pd.DataFrame, path: Path) -> None:
    """Variants x classes: each class's test accuracy minus the baseline's, in points; bold where `told`."""
    values = 100 * differences.to_numpy(dtype=float)
    limit = max(4 * float(np.nanmedian(np.abs(values))), 1)  # a disaster must not bleach the others
    columns = list(differences.columns)
    with saved(path, 1, 1, (2.2 + 0.62 * len(columns), 0.42 * len(differences) + 1.3), columns) as (_, axes):
        matrix_panel(
            axes, values, columns, "RdBu", (-limit, limit), "{:+z.1f}", 0.0, list(differences.index), told.to_numpy()
        )
        axes.set_xlabel("class: test accuracy minus the baseline's, points")
