"""Validation curves: accuracy over the levels of a numeric setting, all else equal."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from runner.expand.cells import slug
from runner.report.curve_figures import wrapped
from runner.report.figures import INK, MUTED, saved
from runner.report.tables import StudyRuns
from runner.spec import BASELINE

_LEAST, _MOST_LINES = 3, 6  # levels that make a curve; lines that one can tell apart
_NO_SCALE = {"stream", "channels"}  # numbers that are names
_DODGE = 0.06  # of a step from level to level, so that intervals stand beside each other


@dataclass(frozen=True)
class LevelLine:
    """Variants that differ in one numeric setting alone: its level to the variant, levels ascending."""

    label: str  # what they have in common that the baseline has not
    variants: dict[float, str]


def level_lines(data: StudyRuns) -> dict[str, list[LevelLine]]:
    """Lines by numeric setting, where at least one has three levels; the baseline's own first.

    `images_per_class` of 0, which takes all, is the level infinity. More than six lines can't be told apart: then
    the first alone.
    """
    settings = {name: data.study["variants"][name]["settings"] for name in data.variants if len(data.finished(name))}
    changed = sorted({key for name in settings for key in data.study["variants"][name]["changes"]} - _NO_SCALE)
    found = {}
    for key in changed:
        groups: dict[str, dict[float, str]] = {}
        for name, own in settings.items():
            if (level := _level(key, own[key])) is not None:
                rest = json.dumps({other: own[other] for other in own if other != key}, sort_keys=True)
                groups.setdefault(rest, {}).setdefault(level, name)
        lines = [
            LevelLine(_label(data, key, members), dict(sorted(members.items())))
            for members in groups.values()
            if len(members) > 1
        ]
        if any(len(line.variants) >= _LEAST for line in lines):
            found[key] = lines if len(lines) <= _MOST_LINES else lines[:1]
    return found


def _level(key: str, value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return math.inf if key == "images_per_class" and value == 0 else float(value)


def _label(data: StudyRuns, key: str, members: dict[float, str]) -> str:
    """What a line's variants change beside the setting, as in batch_norm=True."""
    changes = data.study["variants"][next(iter(members.values()))]["changes"]
    return ", ".join(f"{other}={slug(value)}" for other, value in changes.items() if other != key) or BASELINE


def draw_levels(summary: pd.DataFrame, lines: dict[str, list[LevelLine]], path: Path) -> None:
    """A panel a setting: accuracy at the best epoch, on validation and on a fixed part of train.

    `summary` has a row a variant, as `summarize` makes it.
    """
    means = summary.set_index("variant")
    rows = len(lines)
    with saved(path, rows, 1, (7, 3.2 * rows), squeeze=False) as (_, grid):
        for axes, (key, own) in zip(grid.flat, lines.items(), strict=True):
            levels = sorted({level for line in own for level in line.variants})
            for number, line in enumerate(own):
                shift = _DODGE * (number - (len(own) - 1) / 2)
                places = [levels.index(level) + shift for level in line.variants]
                _plot(axes, places, means.loc[list(line.variants.values())], plt.get_cmap("tab10")(number))
            axes.set_xticks(range(len(levels)), ["all" if math.isinf(level) else f"{level:g}" for level in levels])
            axes.set_ylim(top=min(axes.get_ylim()[1], 1.02))  # a t interval doesn't know that nothing is above 1
            axes.set_xlim(-0.4, len(levels) - 0.6)
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
            axes.set(xlabel=key, ylabel="accuracy")
            axes.legend(handles=_legend(own), frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.01, 0.5))


def _plot(axes: Axes, places: Sequence[float], rows: pd.DataFrame, color: Any) -> None:
    accuracy = rows["val/accuracy"]
    on_train = accuracy + rows["generalization_gap"]  # train accuracy minus validation accuracy
    axes.plot(places, on_train, "--", color=color, alpha=0.6, linewidth=1.6)
    halves = (accuracy - rows["val/accuracy low"]).where(np.isfinite(rows["val/accuracy low"]), 0.0)
    axes.errorbar(places, accuracy, yerr=halves, color=color, linewidth=1.6, marker="o", markersize=5)


def _legend(lines: Sequence[LevelLine]) -> list[Line2D]:
    parts = [
        Line2D([], [], color=INK, marker="o", markersize=5, label="validation"),
        Line2D([], [], color=MUTED, linestyle="--", label="a fixed part of train"),
    ]
    named = [
        Line2D([], [], color=plt.get_cmap("tab10")(number), linewidth=4, label=wrapped(line.label))
        for number, line in enumerate(lines)
    ]
    return parts + (named if len(lines) > 1 or lines[0].label != BASELINE else [])
