"""Writes what summarizes runs: the mean over a variant's seeds, and the root run's charts and columns."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from runner.logs._events import event_files, is_older_run
from runner.logs._hparams import Hparam, experiment
from runner.logs._light import custom_charts, scalars, text, write_events
from runner.logs._notes import NOTES
from runner.metrics import CURVES
from runner.stats import Interval, mean_interval
from runner.store import DIVERGED_LOSS, MEAN_SCALARS, SEEDS_TAG, Row, mean_tag, read_rows

_CARD = "answers"
_MEAN, _DIVERGED = ".means", ".diverged"  # suffixes of a mean's event file; older versions wrote none
_LOSSES = tuple(name for name in MEAN_SCALARS if name.endswith("/loss"))
_Epochs = list[dict[str, Interval]]  # for each epoch, each scalar's mean over seeds


def write_mean(folder: Path, ended: Sequence[Path], running: Sequence[Path] = ()) -> bool:
    """Rewrites a variant's mean run: each scalar's mean over the seeds, its 95% t interval, and the number of seeds.

    `ended` and `running` are the seeds' metrics.csv; nothing else is read. A seed that ended early keeps its last
    value. A seed that still trains counts at the epochs that it has reached. Returns whether a mean loss has diverged.
    """
    epochs = _means([rows for rows in map(read_rows, ended) if rows], list(map(read_rows, running)))
    if not epochs:
        return False
    diverged = _has_diverged(epochs)
    old = event_files(folder)
    summaries = [(step, scalars(_tagged(means, diverged))) for step, means in enumerate(epochs, 1)]
    write_events(folder, summaries, _DIVERGED if diverged else _MEAN)
    for path in old:
        path.unlink()
    return diverged


def is_older_mean(folder: Path) -> bool:
    """Whether an older version wrote this mean run, with other tags."""
    files = event_files(folder)
    return bool(files) and not any(path.name.endswith((_MEAN, _DIVERGED)) for path in files)


def _means(ended: Sequence[Sequence[Row]], running: Sequence[Sequence[Row]]) -> _Epochs:
    found = []
    for number in range(max(map(len, [*ended, *running]), default=0)):
        rows = [each[min(number, len(each) - 1)] for each in ended]
        rows += [each[number] for each in running if number < len(each)]
        found.append({scalar: mean_interval(np.array([row[scalar] for row in rows])) for scalar in MEAN_SCALARS})
    return found


def _tagged(means: Mapping[str, Interval], diverged: bool) -> dict[str, float]:
    """An epoch's means, bounds and number of seeds by their tags."""
    values: dict[str, float] = {}
    for scalar, interval in means.items():
        values[mean_tag(scalar, "", diverged)] = interval.estimate
        if math.isfinite(interval.low):  # one seed alone has no interval
            values[mean_tag(scalar, "lower", diverged)] = interval.low
            values[mean_tag(scalar, "upper", diverged)] = interval.high
    return values | {SEEDS_TAG: next(iter(means.values())).n}


def _has_diverged(epochs: _Epochs) -> bool:
    """Whether a mean loss is above DIVERGED_LOSS at any epoch, or not finite."""
    return not all(means[scalar].estimate <= DIVERGED_LOSS for means in epochs for scalar in _LOSSES)


def write_card(folder: Path, study: str, markdown: str) -> None:
    """Rewrites a study's summary card, a text in the root run with an event file of its own."""
    suffix = f".{_CARD}-{study}"
    old = [path for path in event_files(folder) if path.name.endswith(suffix)]
    write_events(folder, [(0, text(f"answers/{study}", markdown))], suffix)
    for path in old:
        path.unlink()


def write_root(
    folder: Path,
    sessions: Iterable[Mapping[str, Hparam]],
    ranges: Collection[str] | None = None,
    own: Collection[str] = (),
) -> None:
    """Rewrites the root run: one layout of charts, and one list of columns for the runs of all studies and searches.

    TensorBoard accepts only one of each, so they cover all runs. `ranges` and `own` are as in `experiment`.
    """
    old = [path for path in event_files(folder) if f".{_CARD}-" not in path.name]
    older_runs = any(map(is_older_run, folder.glob("*/*/seed*")))
    diverged = any(folder.glob(f"*/*/mean/events.out.tfevents.*{_DIVERGED}"))
    columns = experiment(sessions, ranges, older_runs, own)
    write_events(folder, [(0, custom_charts(layout(diverged))), (0, columns), (0, text("notes", NOTES))])
    for path in old:
        path.unlink()


def layout(diverged: bool) -> dict[str, dict[str, tuple[str, list[str]]]]:
    """Returns charts of the means with their intervals, then of train against validation.

    Tags are patterns that TensorBoard matches from the start, so a $ ends them. TensorBoard draws the charts of a
    category that has intervals in reverse order. `diverged`: some variants' losses have charts of their own.
    """
    shown = ("val/accuracy", "val/loss", "train/accuracy", "train/loss", "generalization_gap")
    means: dict[str, tuple[str, list[str]]] = {
        CURVES[tag].label: ("Margin", [mean_tag(tag), mean_tag(tag, "lower"), mean_tag(tag, "upper")])
        for tag in reversed(shown)
    }
    pairs: dict[str, tuple[str, list[str]]] = {
        name: ("Multiline", [f"{mean_tag(f'train_eval/{name}')}$", f"{mean_tag(f'val/{name}')}$"])
        for name in ("accuracy", "loss")
    }
    alone: dict[str, tuple[str, list[str]]] = {
        CURVES[tag].label: ("Multiline", [f"{mean_tag(tag, diverged=True)}$"]) for tag in ("val/loss", "train/loss")
    }
    charts: dict[str, dict[str, tuple[str, list[str]]]] = {
        "Mean over seeds, 95% interval": means,
        "Train against validation": pairs,
        "Number of seeds in the mean": {"seeds": ("Multiline", [f"{SEEDS_TAG}$"])},
    }
    return charts | ({f"Variants with a loss above {DIVERGED_LOSS:.0f}": alone} if diverged else {})
