"""Runs one tool on the study, as a process of its own, and measures it from start to end."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench.logged import Logged, read
from benchmarks.bench.study import ROOT

OURS = "runner"


@dataclass(frozen=True)
class Contestant:
    """A tool.

    title    its name on the page
    module   of this folder; "" for the runner's own command
    folders  where it writes runs, as a pattern below its folder
    needs    packages, as Python imports them
    """

    title: str
    module: str
    folders: str
    needs: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [name for name in self.needs if not importlib.util.find_spec(name)]


CONTESTANTS = {
    OURS: Contestant("this runner", "", "runs/*/*/seed*"),
    "plain": Contestant("plain PyTorch loop", "plain_loop", "logs/*"),
    "lightning": Contestant("Lightning", "lightning_loop", "logs/*", ("lightning",)),
    "ray": Contestant("Ray Tune", "ray_tune", "logs/*", ("ray", "pyarrow", "tensorboardX")),
}


class ContestantFailed(Exception):
    """A tool ended with an error, or did not train every run; the text has the end of its output."""


@dataclass(frozen=True)
class Outcome:
    """What a tool did.

    started, ended  of its process (seconds since 1970)
    folders         of its runs, and `runs` what they logged, by variant; a variant's seeds are ascending
    """

    started: float
    ended: float
    folders: list[Path]
    runs: dict[str, list[Logged]]

    @property
    def flat(self) -> list[Logged]:
        """All runs."""
        return [run for runs in self.runs.values() for run in runs]


def launch(name: str, study: dict[str, Any], images: Path, cache: Path, place: Path) -> Outcome:
    """Trains a study with one tool in an empty folder. Raises ContestantFailed.

    `images` is the zip, and `cache` the folder that the runner has prepared from it. The command runs in the folder
    above data/cache/, where the runner finds what is prepared.
    """
    contestant = CONTESTANTS[name]
    place.mkdir(parents=True)
    if name == OURS:
        (place / "bench.py").write_text(f'"""A benchmark."""\n\nSTUDY = {study!r}\n')
        command = ["-m", "runner", "run", str(place / "bench.py"), "--data", str(images), "--device", "cpu"]
        command += ["--runs", str(place / "runs"), "--reports", str(place / "reports")]
    else:
        task = {"study": study, "cache": str(cache), "logs": str(place / "logs")}
        (place / "task.json").write_text(json.dumps(task))
        command = ["-m", f"benchmarks.bench.{contestant.module}", str(place / "task.json")]
    started = time.time()
    code = python(command, cache.parents[2], place / "output.txt")
    ended = time.time()
    folders = sorted(path for path in place.glob(contestant.folders) if path.is_dir())
    expected = (1 + len(study["variants"])) * len(study["seeds"])
    try:
        if code or len(folders) != expected:
            raise ValueError(f"exit status {code}, {len(folders)} of {expected} runs")
        runs: dict[str, list[Logged]] = {}
        for folder in folders:
            variant = folder.parent.name.rpartition("-")[0] if name == OURS else folder.name
            runs.setdefault(variant, []).append(read(folder))
    except ValueError as error:
        output = (place / "output.txt").read_text(errors="replace")
        raise ContestantFailed(f"{contestant.title}: {error}\n{output[-2000:]}") from error
    return Outcome(started, ended, folders, runs)


def python(arguments: Sequence[str], cwd: Path, output: Path) -> int:
    """Runs this Python with arguments in a folder, writes all output to a file, and returns the exit status."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "NO_ALBUMENTATIONS_UPDATE": "1"}
    with open(output, "w") as file:
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=cwd, env=environment, stdout=file, stderr=subprocess.STDOUT, check=False
        ).returncode
