"""Validation curves: accuracy over the levels of a numeric setting, all else equal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from runner.metrics import METRICS, Metric
from runner.palette import color
from runner.plot import INK, MUTED, saved
from runner.report._curve_figures import wrapped
from runner.report._levels import BASELINES, LEAST, LevelLine
from runner.spec import NO_LIMIT
from runner.verdicts import EffectsTable

_MOST_TICKS = 20  # that can be read
_DODGE = 0.06  # of a step from level to level, so that intervals stand beside each other


def draw_levels(
    effects: EffectsTable, lines: dict[str, list[LevelLine]], path: Path, own_metric: Metric | None = None
) -> None:
    """A panel a setting: accuracy at the best epoch, on validation and on a fixed part of train.

    With `own_metric`, that metric of your own training instead.
    """
    legends = [_legend(own, own_metric) for own in lines.values()]
    heights = [max(3.2, 0.6 + sum(0.2 * (1 + str(h.get_label()).count("\n")) for h in legend)) for legend in legends]
    size = (7, sum(heights))
    with saved(path, len(lines), 1, size, squeeze=False, height_ratios=heights) as (_, grid):
        for axes, (key, own), legend in zip(grid.flat, lines.items(), legends, strict=True):
            levels = sorted({level for line in own for level in line.variants})
            for number, line in enumerate(own):
                shift = _DODGE * (number - (len(own) - 1) / 2)
                places = [levels.index(level) + shift for level in line.variants]
                variants = list(line.variants.values())
                _plot(axes, places, effects, variants, color(number), own_metric or METRICS["val/accuracy"])
            _ticks(axes, key, levels)
            if own_metric is None:
                low, high = axes.get_ylim()
                axes.set_ylim(max(low, -0.02), min(high, 1.02))  # a t interval doesn't know the ends of a share
                axes.yaxis.set_major_formatter(PercentFormatter(1.0))
            axes.set(xlabel=key, ylabel=own_metric.label if own_metric else "accuracy")
            place: Any = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)}
            axes.legend(handles=legend, frameon=False, fontsize=9, **place)


def _ticks(axes: Axes, key: str, levels: Sequence[float]) -> None:
    """Marks the levels in equal steps, with enough digits to distinguish them."""
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
    if len(levels) > LEAST * 2:
        for label in axes.get_xticklabels():
            label.set(rotation=45, ha="right", rotation_mode="anchor")
    axes.set_xlim(-0.4, len(levels) - 0.6)


def _plot(
    axes: Axes, places: Sequence[float], effects: EffectsTable, variants: Sequence[str], hue: str, metric: Metric
) -> None:
    means = [effects.row(name, metric.name).mean for name in variants]
    values = np.array([mean.estimate for mean in means])
    if metric is METRICS["val/accuracy"]:
        gaps = np.array([effects.row(name, "generalization_gap").mean.estimate for name in variants])
        axes.plot(places, values + gaps, "--", color=hue, alpha=0.6, linewidth=1.6)  # accuracy on train
    halves = [mean.estimate - mean.low if math.isfinite(mean.low) else 0.0 for mean in means]
    axes.errorbar(places, values, yerr=halves, color=hue, linewidth=1.6, marker="o", markersize=5)


def _legend(lines: Sequence[LevelLine], own_metric: Metric | None) -> list[Line2D]:
    what = own_metric.label if own_metric else "validation"
    parts = [Line2D([], [], color=INK, marker="o", markersize=5, label=what)]
    if own_metric is None:
        parts.append(Line2D([], [], color=MUTED, linestyle="--", label="a fixed part of train"))
    named = [
        Line2D([], [], color=color(number), linewidth=4, label=wrapped(line.label)) for number, line in enumerate(lines)
    ]
    return parts + (named if len(lines) > 1 or lines[0].label != BASELINES else [])
