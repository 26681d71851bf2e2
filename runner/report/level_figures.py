"""Validation curves: accuracy over the levels of a numeric setting, all else equal."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from runner.expand.cells import cell_name
from runner.plot import INK, MUTED, saved
from runner.report.curve_figures import wrapped
from runner.report.runs import StudyRuns
from runner.spec import NO_LIMIT, level_of

_LEAST, _MOST_LINES, _MOST_TICKS = 3, 6, 20  # levels that make a curve; lines one can tell apart, ticks one can read
_NAMES = {"stream"}  # numbers that name something
_DODGE = 0.06  # of a step from level to level, so that intervals stand beside each other
_BASELINES = "as the baseline"


@dataclass(frozen=True)
class LevelLine:
    """Variants that differ in one numeric setting alone: its level to the variant, levels ascending."""

    label: str  # what they have in common that the baseline has not
    variants: dict[float, str]


def level_lines(data: StudyRuns) -> dict[str, list[LevelLine]]:
    """Lines by numeric setting, in the study's order, where at least one has three levels.

    A 0 that means no limit is the level infinity; a level that is no number, as `native`, is on no line. Of more
    than six lines, which can't be told apart, only the first with three levels.
    """
    settings = {name: data.study.variants[name].settings for name in data.trained}
    changed = sorted({key for name in settings for key in data.study.variants[name].changes} - _NAMES)
    found = {}
    for key in changed:
        groups: dict[str, dict[float, str]] = {}
        for name, own in settings.items():
            if (level := level_of(key, own[key])) is not None:
                rest = json.dumps({other: own[other] for other in own if other != key}, sort_keys=True)
                groups.setdefault(rest, {}).setdefault(level, name)
        lines = _labelled(data, key, [dict(sorted(group.items())) for group in groups.values() if len(group) > 1])
        curves = [line for line in lines if len(line.variants) >= _LEAST]
        if curves:
            found[key] = lines if len(lines) <= _MOST_LINES else curves[:1]
    return found


def _labelled(data: StudyRuns, key: str, groups: Sequence[dict[float, str]]) -> list[LevelLine]:
    """Each group by what it changes beside the setting, as in batch_norm=True; by its first variant too where several
    would have the same text, since that names transforms without their arguments."""
    firsts = [next(iter(group.values())) for group in groups]
    changes = [data.study.variants[first].changes for first in firsts]
    labels = [cell_name({k: v for k, v in own.items() if k != key}) or _BASELINES for own in changes]
    return [
        LevelLine(label if labels.count(label) == 1 else f"{label} ({first})", group)
        for label, first, group in zip(labels, firsts, groups, strict=True)
    ]


def draw_levels(summary: pd.DataFrame, lines: dict[str, list[LevelLine]], path: Path) -> None:
    """A panel a setting: accuracy at the best epoch, on validation and on a fixed part of train.

    `summary` has a row a variant, as `summarize` makes it.
    """
    means = summary.set_index("variant")
    legends = [_legend(own) for own in lines.values()]
    heights = [max(3.2, 0.6 + sum(0.2 * (1 + str(h.get_label()).count("\n")) for h in legend)) for legend in legends]
    size = (7, sum(heights))
    with saved(path, len(lines), 1, size, squeeze=False, height_ratios=heights) as (_, grid):
        for axes, (key, own), legend in zip(grid.flat, lines.items(), legends, strict=True):
            levels = sorted({level for line in own for level in line.variants})
            for number, line in enumerate(own):
                shift = _DODGE * (number - (len(own) - 1) / 2)
                places = [levels.index(level) + shift for level in line.variants]
                _plot(axes, places, means.loc[list(line.variants.values())], f"C{number}")
            _ticks(axes, key, levels)
            low, high = axes.get_ylim()
            axes.set_ylim(max(low, -0.02), min(high, 1.02))  # a t interval doesn't know the ends of a share
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
            axes.set(xlabel=key, ylabel="accuracy")
            place: Any = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)}
            axes.legend(handles=legend, frameon=False, fontsize=9, **place)


def _ticks(axes: Axes, key: str, levels: Sequence[float]) -> None:
    """Levels in equal steps, by as many digits as tell them apart."""
    digits = next(count for count in range(3, 18) if len({f"{level:.{count}g}" for level in levels}) == len(levels))
    texts = [
        NO_LIMIT[key]
        if math.isinf(level)
        else f"{level:.0f}"
        if level >= 1 and level.is_integer()
        else f"{level:.{digits}g}"
        for level in levels
    ]
    step = -(-len(levels) // _MOST_TICKS)
    axes.set_xticks(range(0, len(levels), step), texts[::step])
    if len(levels) > _LEAST * 2:
        for label in axes.get_xticklabels():
            label.set(rotation=45, ha="right", rotation_mode="anchor")
    axes.set_xlim(-0.4, len(levels) - 0.6)


def _plot(axes: Axes, places: Sequence[float], rows: pd.DataFrame, color: str) -> None:
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
        Line2D([], [], color=f"C{number}", linewidth=4, label=wrapped(line.label)) for number, line in enumerate(lines)
    ]
    return parts + (named if len(lines) > 1 or lines[0].label != _BASELINES else [])
