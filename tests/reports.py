"""Studies with planted numbers, and the reports written from them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from runner.publish import write_all
from runner.store import EPOCH_SCALARS, Provenance, RunDir, RunJson, RunResult
from runner.text import plain_console
from tests.studies import vouch

ACCURACY = {
    "baseline": [0.90, 0.91, 0.89],
    "better": [0.93, 0.945, 0.92],
    "same": [0.90, 0.905, 0.90],
    "ruin": [0.1, 0.2, 0.15],
}


def write_runs(folder: Path, accuracies: dict[str, list[float]], failed: str | None = None) -> None:
    """A study's run directories as the runner leaves them, with chosen numbers."""
    settings = {"dataset": "digits", "lr": 0.1, "epochs": 4, "dropout": 0}
    variants = {
        name: {
            "directory": f"{name}-0000000{k}",
            "changes": {"dropout": k} if k else {},
            "settings": settings | {"dropout": k},
        }
        for k, name in enumerate(accuracies)
    }
    folder.mkdir(parents=True)
    study = {"name": folder.name, "file": "f.py", "doc": "What helps?\n\nMore.", "command": "c", "variants": variants}
    (folder / "study.json").write_text(json.dumps(study))
    rng = np.random.default_rng(0)
    for name, values in accuracies.items():
        for seed, accuracy in enumerate(values):
            directory = RunDir(folder / variants[name]["directory"] / f"seed{seed}")  # type: ignore[operator]
            provenance = {
                "versions": {"torch": "2"},
                "commit": "abc",
                "code": "c",
                "data": "d",
                "machine": "m",
                "device": "cpu",
                "threads": 1,
            }
            content = {
                "study": folder.name,
                "variant": name,
                "hash": f"0000000{list(variants).index(name)}",
                "seed": seed,
                "status": "finished",
                "ended": 10.0 + seed,
                "provenance": provenance,
                "classes": ["a", "b"],
                "settings": variants[name]["settings"],
            }
            if name == failed and seed == 0:
                content |= {"status": "failed", "cause": "ValueError: boom | <b>"}
                directory.write_run_json(RunJson.model_validate(content))
                continue
            directory.write_run_json(RunJson.model_validate(content))
            rows = pd.DataFrame({key: np.linspace(0.1, accuracy, 4) for key in EPOCH_SCALARS})
            rows.insert(0, "epoch", range(1, 5))
            rows.to_csv(directory.folder / "metrics.csv", index=False)
            labels = rng.integers(0, 2, 50)
            logits = np.eye(2, dtype=np.float32)[labels]
            val = {"val_logits": logits[:30], "val_labels": labels[:30]}
            directory.save_predictions(**val, test_logits=logits, test_labels=labels)
            names = ("val/loss", "test/loss", "epochs", "generalization_gap", "seconds")
            metrics: dict[str, float | None] = {
                "val/accuracy": accuracy,
                "test/accuracy": accuracy,
                "best_epoch": 3,
                **dict.fromkeys(names, 1.0),
            }
            directory.write_result(RunResult(metrics=metrics, provenance=Provenance()))


def cells(page: str, name: str) -> list[str]:
    """The cells of the first row of the page's tables that begins with this name, without the name."""
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    return next(row[1:] for row in rows if row[0].strip("*†") == name)


def change(folder: Path, **changes: Any) -> None:
    """A study.json, edited by hand."""
    path = folder / "study.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def predict(folder: Path, labels: list[int], guesses: list[int]) -> None:
    """Has every run of a study predict this on both parts."""
    logits = np.eye(2, dtype=np.float32)[guesses]
    for path in folder.glob("*/seed*"):
        run, truth = RunDir(path), np.array(labels)
        run.save_predictions(val_logits=logits, val_labels=truth, test_logits=logits, test_labels=truth)
        vouch(run)


def said(runs: Path, names: list[str], reports: Path) -> str:
    """Writes the reports of these studies; what the terminal shows."""
    console = plain_console(200)
    console.file = out = io.StringIO()
    write_all(runs, names, reports, console)
    return out.getvalue()
