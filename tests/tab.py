"""Planted studies for the *Ablations* tab, and the tab's routes asked in this process."""

from __future__ import annotations

import json
import os
import urllib.parse
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from werkzeug.test import Client

from runner.board import Loader
from runner.spec import plan_seeds
from runner.store import StudyFile, read_study
from runner.verdicts import gather, progress
from tests.planted import Images, Planted, entry, plant_study

with warnings.catch_warnings():  # TensorBoard's copy of html5lib warns about itself when it is imported
    warnings.simplefilter("ignore", DeprecationWarning)
    import tensorboard.plugin_util  # noqa: F401

ROUTES = ("progress", "overview", "effects", "curves")
IMAGES = Images(["zero", "one"], [30, 30])
SETTINGS: dict[str, Any] = {"dataset": "digits", "model": "mlp", "dropout": 0.0, "lr": 0.1, "epochs": 5}
CHANGES: dict[str, dict[str, Any]] = {
    "baseline": {}, "better": {"dropout": 0.2}, "same": {"dropout": 0.4}, "slow": {"lr": 0.01}, "lost": {"lr": 9.0},
}  # fmt: skip
MEANS = {"baseline": 0.7, "better": 0.78, "same": 0.7, "slow": 0.703, "lost": 0.5}
NOISE = np.round(np.random.default_rng(3).normal(0, 0.01, (len(MEANS), 8)), 4)
QUESTIONS: list[dict[str, Any]] = [
    {"ask": "Is it better?", "compare": ["better", "baseline"], "expect": "more", "smallest": 0.01},
    {"ask": "Is it the same?", "compare": ["baseline", "same"], "smallest": 0.03},
    {"ask": "Is slow better?", "compare": ["slow", "baseline"], "metric": "val/loss", "expect": "less"},
    {"ask": "Is it better than both?", "compare": ["better", ["baseline", "lost"]], "expect": "more"},
    {"ask": "Which is best?", "best_of": ["baseline", "better", "slow"]},
    {"ask": "Does accuracy fall with dropout?", "trend": "dropout", "expect": "less"},
]


def planted(name: str, seed: int) -> Planted:
    """The run of a variant and seed: `lost` diverges on every second seed."""
    row = list(MEANS).index(name)
    shift = float(NOISE[row, seed])
    run = Planted(round(MEANS[name] + shift, 4), [round(loss + shift, 4) for loss in (1.0, 0.6, 0.5, 0.55, 0.6)])
    return run.but(cause="NonFiniteLoss: the loss is nan in epoch 2") if name == "lost" and seed % 2 else run


def plant(folder: Path, seeds: Any = 4, ended: int | Mapping[str, int] | None = None, **changes: Any) -> StudyFile:
    """Writes a study; `ended` is how many seeds have ended (by default all), `changes` are fields of study.json."""
    plan = plan_seeds(seeds)
    study = StudyFile(
        name=folder.name, file="ablations/tab.py", doc="What helps?\n\nMore.", command="make ablations",
        variants={name: entry(name, SETTINGS, own) for name, own in CHANGES.items()},
        questions=QUESTIONS, seeds=plan.plain(),
    ).model_copy(update=changes)  # fmt: skip
    most = plan.looks[0] if ended is None else ended
    counts = most if isinstance(most, Mapping) else dict.fromkeys(MEANS, most)
    runs = {name: {seed: planted(name, seed) for seed in plan.seeds[:count]} for name, count in counts.items()}
    plant_study(folder, study, runs, IMAGES)
    return study


def plant_looks(folder: Path, seeds: Any = "3..8") -> StudyFile:
    """Writes a sequential study as the runner leaves it: with the seeds that its looks asked for."""
    study = plant(folder, seeds)
    while (found := progress(gather(folder))).look:
        study = plant(folder, seeds, found.counts)
    return study


class Tab:
    """The tab's routes for a log directory."""

    def __init__(self, logdir: Path) -> None:
        plugin = Loader().load(SimpleNamespace(logdir=str(logdir), data_provider=None))
        assert plugin
        self.plugin = plugin
        self._apps = plugin.get_plugin_apps()

    def ask(self, route: str, query: str = "") -> tuple[int, Any]:
        """The status and the content of a route's answer, which is strict JSON."""
        response = Client(self._apps[f"/{route}"]).get(f"/data/plugin/ablations/{route}?{query}")
        assert response.mimetype == "application/json"
        return response.status_code, strict(response.get_data())

    def get(self, route: str, study: str) -> Any:
        """The content of a route's answer about a study."""
        status, content = self.ask(route, urllib.parse.urlencode({"study": study}))
        assert status == 200, content
        return content

    def every(self, study: str) -> dict[str, Any]:
        """The contents of all routes about a study."""
        return {route: self.get(route, study) for route in ROUTES}


def strict(text: str | bytes) -> Any:
    """JSON without NaN and infinity."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def number(text: str) -> float:
    """A number of a page, such as "+1.20", also with a long minus sign."""
    return float(text.replace("\u2212", "-"))


def numbers(cell: str) -> Sequence[float]:
    """The estimate and the bounds in a page's cell, such as "+1.20 [-0.30, +2.70]"."""
    return [number(part) for part in cell.partition(" (")[0].replace("[", "").replace("]", "").replace(",", "").split()]


def study_of(folder: Path) -> StudyFile:
    """The study.json of a planted study."""
    found = read_study(folder)
    assert found
    return found


def spoil(path: Path, kind: str, outside: Path) -> None:
    """Replaces a file by a pipe, a link to the same file elsewhere, a directory, or two terabytes of nothing."""
    content = path.read_bytes() if path.exists() else b""
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        outside.write_bytes(content)
        path.symlink_to(outside)
    elif kind == "directory":
        path.mkdir()
    else:
        with open(path, "wb") as file:
            file.truncate(2**41)
