"""Pages of planted studies, as readers see them: `python -m tests.pages` writes them to the golden files.

Four studies and two searches have nearly every sentence that a page, the front page or the terminal can have.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from matplotlib.figure import Figure

from runner.publish import write_all
from runner.report import front_page
from runner.spec import plan_seeds
from runner.store import StudyFile
from runner.text import plain_console
from runner.verdicts import gather, progress
from tests.planted import MADE, Images, Planted, entry, plant_study
from tests.planted_search import SEARCH, STOPPED, plant_search

GOLDEN = Path(__file__).parent / "golden"
SEEDS = 6
_LEVEL = (-0.03, -0.01, 0.0, 0.01, 0.02, 0.01)  # of each seed's accuracy: pairing removes it
_NOISE = np.round(np.random.default_rng(7).normal(0, 0.004, (20, SEEDS)), 4)
_TURNS, _FALLS, _NOISY = (1.0, 0.6, 0.5, 0.55, 0.61), (1.0, 0.8, 0.6, 0.5, 0.4), (1.0, 0.5, 0.6, 0.55, 0.58)
_BEFORE, _LATER = "2023-01-01T00:00:00+00:00", "2024-01-01T00:00:00+00:00"

_MEANS = {
    "baseline": 0.7, "batchnorm": 0.73, "dropout=0.2": 0.7, "dropout=0.5": 0.67, "batchnorm+dropout=0.5": 0.68,
    "batchnorm+dropout=0.2": 0.72, "wide": 0.706, "fast": 0.74, "late": 0.7, "again": 0.7, "lost": 0.6, "killed": 0.6,
}  # fmt: skip
_CHANGES: dict[str, dict[str, Any]] = {
    "baseline": {}, "batchnorm": {"batch_norm": True}, "dropout=0.2": {"dropout": 0.2}, "dropout=0.5": {"dropout": 0.5},
    "batchnorm+dropout=0.5": {"batch_norm": True, "dropout": 0.5},
    "batchnorm+dropout=0.2": {"batch_norm": True, "dropout": 0.2},
    "wide": {"hidden": [512]}, "fast": {"lr": 1.0},
    "late": {"lr": 0.01}, "again": {"stream": 1}, "lost": {"optimizer": "SGD"}, "killed": {"hidden": [9999]},
}  # fmt: skip
_SETTINGS = {
    "dataset": "digits", "model": "mlp", "hidden": [64], "batch_norm": False, "dropout": 0.0, "optimizer": "Adam",
    "lr": 0.1, "weight_decay": 0.0, "stream": 0, "epochs": 5, "patience": 2,
}  # fmt: skip
_OUT_OF_MEMORY = "its worker was killed (signal 9)"

QUESTIONS: list[dict[str, Any]] = [
    {"ask": "Does batch normalization help?", "compare": ["batchnorm", "baseline"], "expect": "more",
     "smallest": 0.005, "claim": "60.8% with, 55.1% without"},
    {"ask": "Does much dropout help?", "compare": ["dropout=0.5", "baseline"], "expect": "more"},
    {"ask": "Does little dropout help?", "compare": ["dropout=0.2", "baseline"], "expect": "more", "smallest": 0.005,
     "claim": "of photos alone", "claim_for": ["photos"]},
    {"ask": "Does width help?", "compare": ["wide", "baseline"], "expect": "more", "smallest": 0.002},
    {"ask": "Does it matter that dropout is small?", "compare": ["dropout=0.2", "dropout=0.5"], "expect": "more",
     "smallest": 0.2},
    {"ask": "Is little dropout harmless?", "compare": ["dropout=0.2", "baseline"], "expect": "equal", "smallest": 0.03},
    {"ask": "Is batch normalization harmless?", "compare": ["batchnorm", "baseline"], "expect": "equal",
     "smallest": 0.005},
    {"ask": "Are both harmless?", "compare": ["baseline", ["batchnorm", "dropout=0.5"]], "expect": "equal",
     "smallest": 0.005},
    {"ask": "Is little dropout nearly without effect?", "compare": ["dropout=0.2", "baseline"], "expect": "equal",
     "smallest": 0.001},
    {"ask": "Which regularizer is best?", "best_of": ["baseline", "batchnorm", "dropout=0.5"]},
    {"ask": "Which of the alike is best?", "best_of": ["baseline", "dropout=0.2", "late"]},
    {"ask": "Which optimizer is best?", "best_of": ["baseline", "lost"]},
    {"ask": "Does accuracy rise with dropout?", "trend": "dropout", "expect": "more"},
    {"ask": "Does the loss change with dropout?", "trend": "dropout", "metric": "val/loss", "smallest": 0.1},
    {"ask": "Do both together do less than each alone?", "expect": "less",
     "interaction": ["batchnorm+dropout=0.5", "batchnorm", "dropout=0.5", "baseline"]},
    {"ask": "Is batch normalization better than the course's 60%?", "value": ["batchnorm", 0.6], "expect": "more"},
    {"ask": "Does a fast start help?", "compare": ["fast", "baseline"], "expect": "more"},
    {"ask": "Does a late start hurt?", "compare": ["late", "baseline"], "expect": "less", "smallest": 0.05},
    {"ask": "Does another order matter?", "compare": ["again", "baseline"]},
    {"ask": "Is batch normalization best of all?", "expect": "more",
     "compare": ["batchnorm", ["baseline", "dropout=0.2", "dropout=0.5", "wide"]]},
    {"ask": "Is the baseline better than others?", "compare": ["baseline", ["batchnorm", "dropout=0.5"]],
     "expect": "more"},
    {"ask": "Which is slower?", "compare": ["wide", "baseline"], "metric": "seconds", "expect": "more",
     "declared": _LATER},
    {"ask": "Does SGD help?", "compare": ["lost", "baseline"]},
    {"ask": "Does a huge layer help?", "compare": ["killed", "baseline"]},
    {"ask": "Is there a trend over streams?", "trend": "epochs"},
    {"ask": "Is it better than itself?", "compare": ["wide", "wide"]},
]  # fmt: skip


def _runs(number: int, name: str) -> dict[int, Planted]:
    losses = _TURNS if name == "baseline" else _FALLS if name == "wide" else _NOISY
    noise = _NOISE[0 if name == "again" else number]
    found = {
        seed: Planted(
            round(_MEANS[name] + _LEVEL[seed] + float(noise[seed]), 4),
            [round(each * (1 + 0.02 * seed + float(noise[seed])), 4) for each in losses],
            numbers={"seconds": 60.0 + number + seed % 3},
        )
        for seed in range(SEEDS)
    }
    diverged = {"cause": "NonFiniteLoss: the loss is nan in epoch 2"}
    if name == "fast":
        found[1] = found[1].but(**diverged)
    if name == "late":
        found[3] = found[3].but(cause="OSError: No space left on device", machines=True)
    if name in ("lost", "killed"):
        how = diverged if name == "lost" else {"cause": _OUT_OF_MEMORY, "machines": True}
        return {seed: each.but(**how) for seed, each in found.items() if seed < 2}
    if name == "wide":
        units: dict[str, float] = {"units": 512, "distinct_units": 64}
        return {seed: run.but(numbers=units | dict(run.numbers)) for seed, run in found.items()}
    return found


def _study(
    name: str, doc: str, changes: Mapping[str, Mapping[str, Any]], questions: Sequence[dict[str, Any]]
) -> StudyFile:
    return StudyFile(
        name=name, file=f"ablations/{name.partition('-')[0]}.py", doc=doc, command=f"make ablations STUDY={name}",
        variants={variant: entry(variant, _SETTINGS, own) for variant, own in changes.items()},
        questions=[{"declared": _BEFORE} | question for question in questions],
    )  # fmt: skip


def _regularize() -> None:
    """Verdicts of every kind, and failed runs."""
    doc = "Which regularizer helps?\n\nRun: make ablations STUDY=regularize\n\nOutcome: batch normalization."
    runs = {name: _runs(number, name) for number, name in enumerate(_CHANGES)}
    images = Images(["zero", "one", "two"], [40, 40, 40])
    plant_study(Path("runs/regularize-digits"), _study("regularize-digits", doc, _CHANGES, QUESTIONS), runs, images)
    close = Path("reports/regularize-digits/wide/seed0")
    close.mkdir(parents=True)
    (close / "confused_pairs.csv").write_text("first,second,images\none,two,7\n")
    part = {"loss": 1.25, "accuracy": 0.525}
    record = {"variant": "wide", "seed": 0, "hash": "0", "ended": 1.7e9, "train": part, "test": part}
    (close / "metrics.json").write_text(json.dumps(record))


def _rare() -> None:
    """Imbalanced classes, corrupt files, runs of other code, your own model, and files that became images."""
    changes: dict[str, dict[str, Any]] = {
        "baseline": {}, "decay": {"weight_decay": 0.1}, "late": {"lr": 0.01}, "own": {"model": "nets:own"},
        "tiny": {"hidden": [1]}, "small": {"hidden": [2]},
    }  # fmt: skip
    questions: list[dict[str, Any]] = [
        {"ask": "Does weight decay help?", "compare": ["decay", "baseline"], "expect": "more", "smallest": 0.01},
        {"ask": "Does it help on test?", "compare": ["decay", "baseline"], "metric": "test/accuracy"},
        {"ask": "Does it help the rare class?", "compare": ["decay", "baseline"],
         "metric": "val/balanced_accuracy", "expect": "more"},
    ]  # fmt: skip
    runs = {
        name: {seed: Planted(0.9 + 0.01 * seed + 0.02 * number) for seed in range(3)}
        for number, name in enumerate(changes)
    }
    runs["baseline"][2] = runs["baseline"][2].but(only=0)
    for seed in (0, 1):
        runs["decay"][seed] = runs["decay"][seed].but(only=0, accuracy=0.9)
    runs["late"] = {seed: run.but(made=MADE.having(code="01d", commit=None)) for seed, run in runs["late"].items()}
    runs["own"] = {seed: run.but(made=MADE.having(model="0e1"), never=[4]) for seed, run in runs["own"].items()}
    runs["tiny"] = {seed: Planted(0.8, only=seed) for seed in range(4)}
    runs["small"] = {seed: Planted(0.8, never=range(seed + 1, 5)) for seed in range(4)}
    study = _study("rare-photos", "Does weight decay help where one class is rare?", changes, questions)
    for each in study.variants.values():
        each.settings["dataset"] = "folder:photos"
    study = study.model_copy(update={"data_notes": ["3 images were larger than 64 x 64 and were made smaller"]})
    images = Images(["healthy", "ache", "burn", "cold", "flu"], [80, 5, 5, 5, 5])
    plant_study(Path("runs/rare-photos"), study, runs, images)
    Path("runs/rare-photos/decay-0/seed2/metrics.csv").write_text("corrupt")


def _short() -> None:
    """One seed."""
    changes: dict[str, dict[str, Any]] = {"baseline": {}, "decay": {"weight_decay": 0.1}}
    question = {"ask": "Does weight decay help?", "compare": ["decay", "baseline"], "expect": "more"}
    study = _study("short-digits", "", changes, [question])
    runs = {name: {0: Planted(0.8 + 0.02 * number)} for number, name in enumerate(changes)}
    plant_study(Path("runs/short-digits"), study, runs, Images(["zero", "one"], [20, 20]))


def _looks() -> None:
    """A sequential design after all of its looks."""
    changes: dict[str, dict[str, Any]] = {
        "baseline": {}, "batchnorm": {"batch_norm": True}, "wide": {"hidden": [512]}, "again": {"stream": 1},
        "noisy": {"dropout": 0.5}, "unasked": {"lr": 0.01},
    }  # fmt: skip
    questions: list[dict[str, Any]] = [
        {"ask": "Does batch normalization help?", "compare": ["batchnorm", "baseline"], "expect": "more",
         "smallest": 0.01},
        {"ask": "Does another order matter?", "compare": ["again", "baseline"], "smallest": 0.03},
        {"ask": "Does width help?", "compare": ["wide", "baseline"], "expect": "more"},
        {"ask": "Does noise matter at all?", "compare": ["noisy", "baseline"], "smallest": 0.0001},
        {"ask": "Does width help on new images?", "compare": ["wide", "baseline"], "metric": "test/accuracy",
         "images": "new", "smallest": 0.005},
        {"ask": "Did batch normalization help before?", "compare": ["batchnorm", "baseline"], "metric": "val/loss",
         "declared": _LATER},
    ]  # fmt: skip
    means = {"baseline": 0.7, "batchnorm": 0.75, "wide": 0.705, "again": 0.7, "noisy": 0.699, "unasked": 0.71}
    means["noisy"] = 0.7 + float((_NOISE[0, :3] - _NOISE[4, :3]).mean())  # it seems to have no effect at all
    plan = plan_seeds("3..6")
    study = _study("looks-digits", "Which change helps, with as few seeds as possible?", changes, questions)
    study = study.model_copy(update={"seeds": plan.plain()})
    counts = dict.fromkeys(changes, 3)
    while counts:
        runs = {
            name: {
                seed: Planted(round(means[name] + _LEVEL[seed] + float(_NOISE[number, seed]), 4))
                for seed in plan.seeds[: counts[name]]
            }
            for number, name in enumerate(changes)
        }
        plant_study(Path("runs/looks-digits"), study, runs, Images(["zero", "one"], [60, 60]))
        found = progress(gather(Path("runs/looks-digits")))
        counts = found.counts if found.look else {}


@contextmanager
def _quick() -> Iterator[None]:
    """Saves figures as empty files and waits for no disk, which would take most of the time."""
    with patch.object(Figure, "savefig", lambda _, path: Path(path).touch()), patch("os.fsync"):
        yield


def pages() -> dict[str, str]:
    """What the golden files hold, by their names."""
    said = io.StringIO()
    console = plain_console(160)
    console.file = said
    with tempfile.TemporaryDirectory() as place, chdir(place), _quick():
        for plant in (_regularize, _rare, _short, _looks, plant_search):
            plant()
        studies = ["regularize-digits", "rare-photos", "short-digits", "looks-digits", SEARCH, STOPPED]
        write_all(Path("runs"), studies, Path("reports"), console)
        found = {name: Path("reports", name, "summary.md").read_text("utf-8") for name in studies}
        front = Path("reports/summary.md").read_text("utf-8")
    return found | {"front": front, "front-without-studies": front_page([]), "terminal": said.getvalue()}


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, text in pages().items():
        (GOLDEN / f"{name}.txt").write_text(text, encoding="utf-8")
