"""Run directories with planted numbers: what trained runs would leave, without training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from runner.expand import Run
from runner.store import (
    EPOCH_SCALARS,
    FAILED,
    FINISHED,
    PRUNED,
    Provenance,
    RunDir,
    RunJson,
    RunResult,
    StudyFile,
    VariantEntry,
    write_study,
)

DAY = 1.7e9  # 2023-11-14, 22:13 UTC
MADE = Provenance.model_validate(
    {
        "versions": {"python": "3.11.7", "torch": "2.0"}, "code": "c0de", "commit": "abc123", "data": "da7a",
        "machine": "Linux x86_64", "processor": "a processor", "device": "cpu", "threads": 1,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """One run.

    accuracy  on validation; test accuracy is a little lower
    losses    of validation, epoch by epoch
    cause     of a failure, or why a search pruned the run; empty for a finished run
    machines  whether the machine caused the failure
    pruned    whether a search stopped it
    only      the one class that it predicts, where it predicts one
    never     classes that it mistakes for the first class
    numbers   further numbers of result.json
    """

    accuracy: float
    losses: Sequence[float] = (1.0, 0.6, 0.5, 0.55, 0.6)
    cause: str = ""
    machines: bool = False
    pruned: bool = False
    only: int | None = None
    never: Sequence[int] = ()
    made: Provenance = MADE
    numbers: Mapping[str, float] = field(default_factory=dict)

    def but(self, **changes: Any) -> Planted:
        """The run with some values changed."""
        return replace(self, **changes)

    @property
    def status(self) -> str:
        """The status in run.json."""
        return PRUNED if self.pruned else FAILED if self.cause else FINISHED


@dataclass(frozen=True)
class Images:
    """The classes of a data set, and how many images of each are in validation and in test."""

    classes: Sequence[str]
    counts: Sequence[int]

    @property
    def labels(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The true class of each image."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


def plant_study(folder: Path, study: StudyFile, runs: Mapping[str, Mapping[int, Planted]], images: Images) -> None:
    """Writes study.json and every run; `runs` by variant and seed."""
    write_study(folder, study)
    for name, entry in study.variants.items():
        for seed, planted in runs.get(name, {}).items():
            digest = entry.directory.rpartition("-")[2]
            place = folder / entry.directory / f"seed{seed}"
            content = RunJson.model_validate(
                {"study": study.name, "variant": name, "hash": digest, "seed": seed, "settings": entry.settings}
                | _said(planted, seed, images)
            )
            _plant(RunDir(place), content, planted, images)


def plant_run(runs: Path, run: Run, planted: Planted, images: Images) -> None:
    """Writes one run of a search."""
    variant = run.variant
    content = RunJson.model_validate(
        {"study": run.study, "variant": variant.name, "hash": variant.digest, "settings": variant.settings.plain()}
        | {"seed": run.seed}
        | _said(planted, int(variant.name), images)
    )
    _plant(RunDir(runs / run.folder), content, planted, images)


def entry(name: str, settings: Mapping[str, Any], changes: Mapping[str, Any]) -> VariantEntry:
    """A variant in study.json that changes these settings."""
    return VariantEntry(directory=f"{name}-0", changes=dict(changes), settings={**settings, **changes})


def _said(planted: Planted, number: int, images: Images) -> dict[str, Any]:
    ended = DAY + 600 * number
    return {
        "status": planted.status, "cause": planted.cause, "machines": planted.machines, "started": ended - 60,
        "ended": ended, "classes": list(images.classes), "provenance": planted.made,
    }  # fmt: skip


def _plant(directory: RunDir, content: RunJson, planted: Planted, images: Images) -> None:
    directory.write_run_json(content)
    _epochs(planted).to_csv(directory.folder / "metrics.csv", index=False)
    if planted.status != FINISHED:
        return
    test = _logits(planted, images, content.seed + 1, planted.accuracy - 0.02)
    val = _logits(planted, images, content.seed + 2, planted.accuracy)
    directory.save_predictions(val_logits=val, val_labels=images.labels, test_logits=test, test_labels=images.labels)
    best = int(np.argmin(planted.losses))
    metrics: dict[str, float | None] = {
        "val/accuracy": planted.accuracy, "val/loss": planted.losses[best], "test/loss": planted.losses[best] + 0.02,
        "test/accuracy": float((test.argmax(axis=1) == images.labels).mean()), "best_epoch": best + 1,
        "epochs": len(planted.losses), "generalization_gap": 0.05, "seconds": 60.0, **planted.numbers,
    }  # fmt: skip
    directory.write_result(RunResult(metrics=metrics, provenance=planted.made))


def _epochs(planted: Planted) -> pd.DataFrame:
    count = len(planted.losses)
    rows = pd.DataFrame({name: np.linspace(0.1, 1.0, count) for name in EPOCH_SCALARS})
    rows["val/loss"] = planted.losses
    rows["val/accuracy"] = planted.accuracy + 0.01 * (np.arange(count) - int(np.argmin(planted.losses)))
    rows["train/loss"] = [planted.losses[0] / (1 + epoch) for epoch in range(count)]
    rows["train_eval/accuracy"] = rows["val/accuracy"] + 0.05
    rows["generalization_gap"] = 0.05
    rows["seconds"] = 12.0
    rows.insert(0, "epoch", range(1, count + 1))
    return rows


def _logits(planted: Planted, images: Images, seed: int, accuracy: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Images x classes: the given share is right, the others are mistaken for the next class."""
    labels, classes = images.labels, len(images.classes)
    right = np.random.default_rng(seed).permutation(len(labels)) < round(accuracy * len(labels))
    guesses = np.where(right, labels, (labels + 1) % classes)
    guesses[np.isin(guesses, planted.never)] = 0
    if planted.only is not None:
        guesses = np.full(len(labels), planted.only)
    return np.eye(classes, dtype=np.float32)[guesses]
