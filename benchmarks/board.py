"""Measures how fast the *Ablations* tab answers: `python -m benchmarks.board [RUNS ...]`.

For each number of runs (by default 50 and 1,000) it plants a finished study with at most 50 seeds a variant and a
question for each variant. It prints a table of seconds for each route:

cold     the first request, in the order of the table: each route finds what the routes above it have read
warm     the same request again, nothing changed
changed  the same request after one run was retrained

Run it on an idle machine. The planted files are in the file cache, so `cold` has no disk time.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from werkzeug.test import Client

from runner.board import Loader
from runner.spec import plan_seeds
from runner.store import RunDir, StudyFile
from runner.text import plain_console
from tests.planted import Images, Planted, entry, plant_study

ROUTES = ("progress", "overview", "effects", "curves")
_SEEDS = 50
_EPOCHS = 30
_IMAGES = Images([f"class {k}" for k in range(10)], [100] * 10)
_SETTINGS = {"dataset": "digits", "model": "mlp", "dropout": 0.0, "epochs": _EPOCHS}


def plant(folder: Path, runs: int) -> None:
    """Writes a finished study of a fixed design with so many runs and, for each variant, a question."""
    seeds = min(_SEEDS, runs // 5)
    names = ["baseline", *(f"dropout={k / 1000}" for k in range(1, runs // seeds))]
    changes: dict[str, dict[str, Any]] = {name: {"dropout": k / 1000} if k else {} for k, name in enumerate(names)}
    variants = {name: entry(name, _SETTINGS, changes[name]) for name in names}
    questions = [{"ask": f"Does {name} help?", "compare": [name, "baseline"], "expect": "more"} for name in names[1:]]
    study = StudyFile(
        name=folder.name, file="ablations/bench.py", doc="A benchmark.", command="make bench", variants=variants,
        questions=questions, seeds=plan_seeds(seeds).plain(),
    )  # fmt: skip
    noise = np.random.default_rng(0).normal(0.8, 0.01, (len(names), seeds))
    losses = np.geomspace(1.0, 0.3, _EPOCHS).tolist()
    planted = {
        name: {seed: Planted(float(noise[k, seed]), losses) for seed in range(seeds)} for k, name in enumerate(names)
    }
    plant_study(folder, study, planted, _IMAGES)


def seconds(get: Callable[[str], None]) -> list[float]:
    """Returns how long each route takes, in their order."""
    found = []
    for route in ROUTES:
        start = time.perf_counter()
        get(route)
        found.append(time.perf_counter() - start)
    return found


def measure(logdir: Path, runs: int) -> dict[str, list[float]]:
    """Returns the seconds of each route: cold, warm, and after one run has changed."""
    folder = logdir / f"bench-{runs}"
    plant(folder, runs)
    plugin = Loader().load(SimpleNamespace(logdir=str(logdir), data_provider=None))
    assert plugin
    apps = plugin.get_plugin_apps()

    def get(route: str) -> None:
        response = Client(apps[f"/{route}"]).get(f"/{route}?study={folder.name}")
        assert response.status_code == 200, response.text

    found = {"cold": seconds(get), "warm": seconds(get)}
    run = RunDir(next(folder.glob("baseline-*/seed0")))
    result = run.result()
    assert result
    run.write_result(result.model_copy(update={"metrics": result.metrics | {"val/accuracy": 0.5}}))
    return found | {"changed": seconds(get)}


def main(counts: Iterable[int]) -> None:
    """Prints a table for each number of runs."""
    console = plain_console(80)
    for runs in counts:
        with tempfile.TemporaryDirectory() as place:
            found = measure(Path(place), runs)
        console.print(f"{runs:,} runs: seconds\n{'':10}" + "".join(f"{state:>10}" for state in found))
        for number, route in enumerate(ROUTES):
            console.print(f"{route:10}" + "".join(f"{each[number]:10.3f}" for each in found.values()))


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or (50, 1000))
