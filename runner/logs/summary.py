"""Runs over all: the mean over a variant's seeds, and the root's layout and columns."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from runner.files import naming
from runner.logs.events import event_files, open_writer
from runner.logs.hparams import Hparam, experiment
from runner.stats import mean_interval
from runner.store.epochs import read_rows
from runner.store.tags import MEAN_SCALARS, mean_tag

_CARD = "answers"


def write_mean(folder: Path, tables: Sequence[Path]) -> None:
    """A variant's mean run: each scalar's mean over the seeds' metrics.csv, with its 95% t interval.

    A seed that stopped early keeps its last value. Made anew each time, from the tables alone.
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
    """A study's answers as a text card in the root run, in a file of its own, made anew each time."""
    suffix = f".{_CARD}-{study}"
    old = [path for path in event_files(folder) if path.name.endswith(suffix)]
    with naming(folder), open_writer(folder, filename_suffix=suffix) as writer:
        writer.add_text(f"answers/{study}", text)
    for path in old:
        path.unlink()


def write_root(folder: Path, sessions: Iterable[Mapping[str, Hparam]], ranges: Collection[str] | None = None) -> None:
    """The root's events: one layout of charts, and the one list of columns for all studies' and searches' runs
    (`ranges`: see `experiment`).

    TensorBoard takes just one of each, so they are made anew, from all runs that there are.
    """
    old = [path for path in event_files(folder) if f".{_CARD}-" not in path.name]
    with naming(folder), open_writer(folder) as writer:
        writer.add_custom_scalars(_layout())
        writer._get_file_writer().add_summary(experiment(sessions, ranges), 0)
    for path in old:
        path.unlink()


def _layout() -> dict[str, dict[str, list[str | list[str]]]]:
    """Margin charts of the means with their bands, then train against validation.

    Tags are patterns, matched from the start, so they are closed at the end."""
    titles = {
        "val/accuracy": "validation accuracy", "val/loss": "validation loss",
        "train/accuracy": "training accuracy", "train/loss": "training loss",
        "generalization_gap": "generalization gap",
    }  # fmt: skip
    means: dict[str, list[str | list[str]]] = {
        title: ["Margin", [mean_tag(tag), mean_tag(tag, "lower"), mean_tag(tag, "upper")]]
        for tag, title in titles.items()
    }
    pairs: dict[str, list[str | list[str]]] = {
        name: ["Multiline", [f"{mean_tag(f'train_eval/{name}')}$", f"{mean_tag(f'val/{name}')}$"]]
        for name in ("loss", "accuracy")
    }
    return {"Mean over seeds, 95% interval": means, "Train against validation": pairs}
