"""Runs over all: the mean over a variant's seeds, and the root's layout and columns."""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from runner.files import naming
from runner.logs.events import event_files
from runner.logs.hparams import Hparam, experiment
from runner.logs.tags import EPOCH_SCALARS, MEAN_SCALARS, mean_tag
from runner.metrics import CURVES
from runner.stats import mean_interval

_CARD = "answers"


def write_mean(folder: Path, tables: Sequence[Path]) -> None:
    """A variant's mean run: each scalar's mean over the seeds' metrics.csv, with its 95% t interval.

    A seed that stopped early keeps its last value. Made anew each time, from the tables alone.
    """
    seeds = [rows for rows in map(read_rows, tables) if rows]
    if not seeds:
        return
    old = event_files(folder)
    with SummaryWriter(str(folder)) as writer:
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


def read_rows(path: Path) -> list[dict[str, float]]:
    """The rows of a metrics.csv, up to the first that is not whole; none of a table with other columns."""
    rows: list[dict[str, float]] = []
    if not path.is_file():
        return rows
    with open(path, newline="", errors="replace") as file, suppress(TypeError, ValueError, csv.Error):
        for row in csv.DictReader(file):
            values = {key: float(value) for key, value in row.items()}
            if not values.keys() >= {"epoch", *EPOCH_SCALARS}:
                break
            rows.append(values)
    return rows


def write_card(folder: Path, study: str, text: str) -> None:
    """A study's answers as a text card in the root run, in a file of its own, made anew each time."""
    suffix = f".{_CARD}-{study}"
    old = [path for path in event_files(folder) if path.name.endswith(suffix)]
    with naming(folder), SummaryWriter(str(folder), filename_suffix=suffix) as writer:
        writer.add_text(f"answers/{study}", text)
    for path in old:
        path.unlink()


def write_root(folder: Path, sessions: Iterable[Mapping[str, Hparam]], ranges: Collection[str] | None = None) -> None:
    """The root's events: one layout of charts, and the one list of columns for all studies' and searches' runs
    (`ranges`: see `experiment`).

    TensorBoard takes just one of each, so they are made anew, from all runs that there are.
    """
    old = [path for path in event_files(folder) if f".{_CARD}-" not in path.name]
    with naming(folder), SummaryWriter(str(folder)) as writer:
        writer.add_custom_scalars(_layout())
        writer._get_file_writer().add_summary(experiment(sessions, ranges), 0)
    for path in old:
        path.unlink()


def _layout() -> dict[str, dict[str, list[str | list[str]]]]:
    """Margin charts of the means with their bands, then train against validation.

    Tags are patterns, matched from the start, so they are closed at the end."""
    shown = ("val/accuracy", "val/loss", "train/accuracy", "train/loss", "generalization_gap")
    means: dict[str, list[str | list[str]]] = {
        CURVES[tag].label: ["Margin", [mean_tag(tag), mean_tag(tag, "lower"), mean_tag(tag, "upper")]] for tag in shown
    }
    pairs: dict[str, list[str | list[str]]] = {
        name: ["Multiline", [f"{mean_tag(f'train_eval/{name}')}$", f"{mean_tag(f'val/{name}')}$"]]
        for name in ("loss", "accuracy")
    }
    return {"Mean over seeds, 95% interval": means, "Train against validation": pairs}
