"""Draws an evaluated run's figures, in the style of the report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from runner.classnames import class_labels
from runner.evaluate._metrics import Counts, PartMetrics
from runner.evaluate._results import Mistake
from runner.evaluate._tables import PARTS
from runner.metrics import PART_METRICS, Unit
from runner.plot import CURVE, MUTED, TRAIN, confusion_side, matrix_panel, saved

EXAMPLES = 8  # images of a pair of classes
_COLORS = {"train": TRAIN, "val": CURVE, "test": "#7b1fa2"}
_ROWS, _MOST_COLUMNS = 25, 6  # classes per column, and columns before these grow


def losses(rows: Sequence[Mapping[str, float]], best_epoch: int, smoothing: float, path: Path) -> None:
    """Draws the losses over the epochs and marks the best epoch.

    rows       the rows of metrics.csv
    smoothing  of the labels in training, which raises the training loss above the others
    """
    table = pd.DataFrame(rows)
    as_it_was = f"labels smoothed by {smoothing:g}, so higher" if smoothing else "mean over the epoch"
    curves = {
        "train/loss": (f"training, as it trained ({as_it_was})", TRAIN, "-"),
        "train_eval/loss": ("training part, evaluation mode", TRAIN, ":"),
        "val/loss": ("validation", CURVE, "-"),
    }
    with saved(path, 1, 1, (7, 4.2)) as (_, axes):
        for column, (label, color, style) in curves.items():
            marker = "o" if len(table) == 1 else ""
            axes.plot(table["epoch"], table[column], style, marker=marker, color=color, linewidth=1.8, label=label)
        best = table[table["epoch"] == best_epoch]["val/loss"]
        axes.axvline(best_epoch, color=MUTED, linewidth=1)
        axes.plot([best_epoch] * len(best), best, "o", color=CURVE, markersize=8, markeredgecolor="white")
        value = f", validation loss {best.iloc[0]:.4f}" if len(best) else ""
        axes.set_title(f"best epoch: {best_epoch}{value}", loc="left", fontweight="bold")
        axes.set_xlabel("epoch")
        axes.set_ylabel("cross-entropy loss (nats)")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(edgecolor="none", fontsize=9)


def overview(parts: Mapping[str, PartMetrics], path: Path) -> None:
    """Draws every part's metrics, then precision, recall and F1 of each class on test, the best class first."""
    table = parts["test"].classes.sort_values("f1", ascending=False, kind="stable", na_position="last")
    height = max(_ROWS, math.ceil(len(table) / _MOST_COLUMNS))
    blocks = [table.iloc[start : start + height] for start in range(0, len(table), height)]
    shown = min(len(table), height)
    size = (7.6 + 3.2 * len(blocks), max(4.8, 0.2 * shown + 1.2))
    ratios = {"width_ratios": [3.2, 2.5, *[2] * len(blocks)]}
    names = list(map(str, parts["test"].classes.index))
    labels = dict(zip(names, class_labels(names), strict=True))
    with saved(path, 1, 2 + len(blocks), size, names, gridspec_kw=ratios) as (figure, (dots, numbers, *panels)):
        _overall(dots, numbers, parts)
        values = table[["precision", "recall", "f1"]].to_numpy(dtype=float)
        least = np.nanmin(values) if np.isfinite(values).any() else 0.0
        low = max(0.0, math.floor(10 * (least - 0.05)) / 10)  # so that differences are visible
        for axes, block in zip(panels, blocks, strict=True):
            _classes(axes, block, [labels[str(name)] for name in block.index], shown)
            margin = (1 - low) * 0.03
            axes.set_xlim(low - margin, 1 + margin)
        panels[0].set_title("each class on test", loc="left", fontweight="bold")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower right", ncols=3, frameon=False)


def _overall(axes: Axes, numbers: Axes, parts: Mapping[str, PartMetrics]) -> None:
    """Draws a row for each metric: a dot for each part, and the numbers beside them."""
    keys = [key for key in PART_METRICS if key in parts["test"].overall]
    for column, (name, part) in enumerate(parts.items()):
        style: dict[str, Any] = {"ha": "center", "va": "center", "color": _COLORS[name]}
        for row, key in enumerate(keys):
            value = part.overall[key]
            unit = PART_METRICS[key].unit
            if unit is Unit.SHARE:
                axes.plot(value, row + 0.2 * (column - 1), "o", color=_COLORS[name], markersize=6, clip_on=False)
            numbers.text(column, row, f"{value:.0f}" if unit is Unit.COUNT else f"{value:.3f}", **style)
        numbers.text(column, -0.85, PARTS[name], fontweight="bold", fontsize=9, **style)
    axes.set_yticks(range(len(keys)), [PART_METRICS[key].label for key in keys])
    axes.set_xlim(0, 1)
    numbers.axis("off")
    numbers.set_xlim(-0.6, len(parts) - 0.5)
    for each in (axes, numbers):
        each.set_ylim(len(keys) - 0.5, -0.5)
    axes.set_title("all classes", loc="left", fontweight="bold")


def _classes(axes: Axes, block: pd.DataFrame, labels: Sequence[str], height: int) -> None:
    """Draws a row for each class; the panel has room for `height` rows."""
    color, rows = _COLORS["test"], range(len(block))
    for column, marker in (("precision", "<"), ("recall", ">")):
        style: dict[str, Any] = {"color": "none", "markeredgecolor": color, "markersize": 5, "clip_on": False}
        axes.plot(block[column], rows, marker, label=column, **style)
    axes.plot(block["f1"], rows, "o", color=color, markersize=6, clip_on=False, label="F1")
    axes.set_yticks(rows, labels, fontsize=8)
    axes.set_ylim(height - 0.5, -0.5)


def confusion(matrix: Counts, classes: Sequence[str], title: str, path: Path) -> None:
    """Draws one part's confusion matrix twice: numbers of images, and each row in percent."""
    side = confusion_side(len(classes))
    shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    with saved(path, 1, 2, (2 * side + 1, side + 0.3), classes) as (figure, (left, right)):
        counted = matrix_panel(left, matrix, classes, "Blues", (0, max(int(matrix.max()), 1)), "{:.0f}", 1)
        shared = matrix_panel(right, shares, classes, "Blues", (0, 100), "{:.0f}", 0.5)
        for axes, image, what in ((left, counted, "images"), (right, shared, "% of the true class's images")):
            axes.set_title(f"{title}: {what}", loc="left")
            axes.set_xlabel("predicted class")
            if not axes.texts:  # shades alone
                figure.colorbar(image, ax=axes, shrink=0.6)
        left.set_ylabel("true class")


def confused(pairs: pd.DataFrame, mistakes: Sequence[Sequence[Mistake]], classes: Sequence[str], path: Path) -> None:
    """Draws a row for each pair of classes with its surest mistakes: image, true and predicted class, probability."""
    width = max([4, *map(len, mistakes)])
    labels = dict(zip(classes, class_labels(classes), strict=True))
    size = (1.2 * (width + 2), max(0.5, 1.65 * len(pairs)))
    with saved(path, 1, 1, size, classes) as (_, axes):  # one for all images: axes are slow
        axes.axis("off")
        axes.set_aspect("equal")
        axes.set_xlim(-2, width)
        axes.set_ylim(max(0.4, 1.35 * len(pairs)), 0)
        if not len(pairs):
            axes.text(-2, 0.2, "no test image was mistaken for another class", va="center")
        for row, ((_, pair), examples) in enumerate(zip(pairs.iterrows(), mistakes, strict=True)):
            axes.text(-2, 1.35 * row + 0.5, _pair_text(pair, labels), va="center", fontsize=9, linespacing=1.5)
            for column, mistake in enumerate(examples):
                _show(axes, mistake, labels, column, 1.35 * row)


def _show(axes: Axes, mistake: Mistake, labels: Mapping[str, str], left: float, top: float) -> None:
    """Draws a mistake's image in a square of side 0.94, with its true and its predicted class below."""
    height, width, channels = mistake.image.shape
    scale = 0.94 / max(height, width)
    image = mistake.image[..., 0] if channels == 1 else mistake.image
    extent = (left, left + width * scale, top + height * scale, top)
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, extent=extent)
    caption = f"{labels[mistake.true]}\n→ {labels[mistake.guess]}, {mistake.sureness:.0%}"
    axes.text(left + 0.47, top + 0.97, caption, ha="center", va="top", fontsize=7.5)


def _pair_text(pair: pd.Series[Any], labels: Mapping[str, str]) -> str:
    first, second = labels[pair["first"]], labels[pair["second"]]
    arrow = " → " if len(first) + len(second) <= 20 else "\n   → "
    return (
        f"{first}{arrow}{second}: {pair['first_as_second']}\n{second}{arrow}{first}: {pair['second_as_first']}\n"
        f"{pair['share']:.1%} of their images"
    )
