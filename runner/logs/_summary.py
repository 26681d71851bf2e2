"""Writes what summarizes runs: the mean over a variant's seeds, and the root run's charts and columns."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from runner.files import naming
from runner.logs._events import event_files, open_writer
from runner.logs._hparams import Hparam, experiment
from runner.metrics import CURVES
from runner.stats import mean_interval
from runner.store import MEAN_SCALARS, mean_tag, read_rows

_CARD = "answers"


def write_mean(folder: Path, tables: Sequence[Path]) -> None:
    """Rewrites a variant's mean run: each scalar's mean over the seeds, with its 95% t interval.

    `tables` are the seeds' metrics.csv; nothing else is read. A seed that stopped early keeps its last value.
    """
    seeds = [rows for rows in map(read_rows, tables) if rows]
    if not seeds:
        return
    old = event_files(folder)
    with open_writer(folder) as writer:
        for number in range(max(map(len, seeds))):
            for scalar in MEAN_SCALARS:
                values = np.array([rows[min(number, len(rows) - 1)][scalar] for rows in seeds])
                interval = mean_interval(values)
                writer.add_scalar(mean_tag(scalar), interval.estimate, number + 1)
                if math.isfinite(interval.low):  # one seed alone has no interval
                    writer.add_scalar(mean_tag(scalar, "lower"), interval.low, number + 1)
                    writer.add_scalar(mean_tag(scalar, "upper"), interval.high, number + 1)
    for path in old:
        path.unlink()


def write_card(folder: Path, study: str, text: str) -> None:
    """Rewrites a study's summary card, a text in the root run with an event file of its own."""
    suffix = f".{_CARD}-{study}"
    old = [path for path in event_files(folder) if path.name.endswith(suffix)]
    with naming(folder), open_writer(folder, filename_suffix=suffix) as writer:
        writer.add_text(f"answers/{study}", text)
    for path in old:
        path.unlink()


def write_root(folder: Path, sessions: Iterable[Mapping[str, Hparam]], ranges: Collection[str] | None = None) -> None:
    """Rewrites the root run: one layout of charts, and one list of columns for the runs of all studies and searches.

    TensorBoard accepts only one of each, so they cover all runs. `ranges` are as in `experiment`.
    """
    old = [path for path in event_files(folder) if f".{_CARD}-" not in path.name]
    with naming(folder), open_writer(folder) as writer:
        writer.add_custom_scalars(_layout())
        writer._get_file_writer().add_summary(experiment(sessions, ranges), 0)
    for path in old:
        path.unlink()


def _layout() -> dict[str, dict[str, list[str | list[str]]]]:
    """Returns charts of the means with their intervals, then of train against validation.

    Tags are patterns that TensorBoard matches from the start, so a $ ends them.
    """
    shown = ("val/accuracy", "val/loss", "train/accuracy", "train/loss", "generalization_gap")
    means: dict[str, list[str | list[str]]] = {
        CURVES[tag].label: ["Margin", [mean_tag(tag), mean_tag(tag, "lower"), mean_tag(tag, "upper")]] for tag in shown
    }
    pairs: dict[str, list[str | list[str]]] = {
        name: ["Multiline", [f"{mean_tag(f'train_eval/{name}')}$", f"{mean_tag(f'val/{name}')}$"]]
        for name in ("loss", "accuracy")
    }
    return {"Mean over seeds, 95% interval": means, "Train against validation": pairs}
