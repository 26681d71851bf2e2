"""A study whose runs were not trained by the runner: what your own training leaves, with planted numbers."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.store import Provenance, RunDir, RunJson, RunResult, StudyFile, VariantEntry, write_study

METRICS = {"val/f1": "more", "val/loss": "less", "val/time": "less", "val/top5": "more"}
F1 = {  # of each seed
    "baseline": [0.70, 0.72, 0.71, 0.73], "deep": [0.80, 0.81, 0.82, 0.83], "wide": [0.60, 0.61, 0.62, 0.66],
}  # fmt: skip
SETTINGS: dict[str, Any] = {"layers": 2, "dataset": ["any", "data"], "epochs": "many", "split": 0.2, "patience": None}
CHANGES: dict[str, dict[str, Any]] = {"baseline": {}, "deep": {"layers": 4}, "wide": {"layers": 1}}
QUESTIONS: list[dict[str, Any]] = [
    {"ask": "Is deep better?", "compare": ["deep", "baseline"], "expect": "more", "smallest": 0.01},
    {"ask": "Does the loss fall?", "compare": ["deep", "baseline"], "metric": "val/loss", "expect": "less"},
    {"ask": "Is there a trend?", "trend": "layers", "expect": "more"},
]
STEPS = (10, 20, 30)


def values(f1: float) -> dict[str, float]:
    """The numbers of result.json."""
    return {"val/f1": f1, "val/loss": 1 - f1, "val/time": 1000 * f1, "val/top5": f1 + 0.1}


def rows(f1: float, steps: Sequence[int] = STEPS) -> list[dict[str, Any]]:
    """The steps of metrics.csv: F1 rises to its end, the loss is logged at every second step only."""
    return [
        {"step": step, "val/f1": f1 - 0.1 * (len(steps) - 1 - number)}
        | ({"val/loss": 1 - f1} if number % 2 == 0 else {})
        | {"lr": 0.1}
        for number, step in enumerate(steps)
    ]


def write_steps(path: Path, table: Sequence[Mapping[str, Any]]) -> None:
    """Writes a metrics.csv."""
    names = list(dict.fromkeys(name for row in table for name in row))
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(table)


def plant_own_run(
    folder: Path,
    variant: str,
    seed: int,
    f1: float | None,
    table: Sequence[Mapping[str, Any]],
    status: str = "finished",
) -> RunDir:
    """Writes the directory of one run; without `f1` it has no result."""
    run = RunDir(folder / f"{variant}-0" / f"seed{seed}")
    content = {"study": folder.name, "variant": variant, "hash": "0", "seed": seed, "status": status}
    made = {"settings": SETTINGS | CHANGES[variant], "provenance": {}, "started": 1.7e9, "ended": 1.7e9 + 60}
    run.write_run_json(RunJson.model_validate(content | made | ({"cause": "Boom: it broke"} if f1 is None else {})))
    write_steps(run.folder / "metrics.csv", table)
    if f1 is not None:
        run.write_result(RunResult(metrics=dict(values(f1)), provenance=Provenance()))
    return run


def plant_own(folder: Path, **changes: Any) -> StudyFile:
    """Writes the study; `changes` are fields of study.json."""
    variants = {
        name: VariantEntry(directory=f"{name}-0", changes=own, settings=SETTINGS | own) for name, own in CHANGES.items()
    }
    given: dict[str, Any] = {"questions": QUESTIONS, "metrics": METRICS, "monitor": "val/f1"} | changes
    study = StudyFile(name=folder.name, file="own.py", doc="Does depth help?", command="c", variants=variants, **given)
    write_study(folder, study)
    for name, own in F1.items():
        for seed, f1 in enumerate(own):
            plant_own_run(folder, name, seed, f1, rows(f1))
    return study
