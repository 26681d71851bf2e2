"""Random SIGKILLs of a worker, the runner, or the whole process group over a study; then every number is compared.

The study is trained once without a disturbance. Then the same command is started again and again, and killed at
random moments, until it has finished; and so on in a new directory while there are kills left. At every kill: is
each result that was there before still the very same file? How much had the runs in training done since they began or
had their last checkpoint? At every finish: are all numbers, times apart, those of the undisturbed study, bit for bit,
and do the event files show each epoch once?

    make soak                                  100 kills, some 50 minutes; writes docs/reliability.md's figures
    make soak ARGS="--kills 6 --epochs 60"     a short form; writes nothing

It asks `ps` for the workers: Linux and macOS.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import Timeout

from runner.execute.training import CHECKPOINT_SECONDS
from runner.files import lock
from tests.commands import ROOT, event_steps, numbers, start

PAGE = ROOT / "docs" / "reliability.md"
MARKS = "<!-- written by make soak -->", "<!-- to here -->"
ENOUGH = 100  # kills, before figures are written
VICTIMS = ("worker", "runner", "group")


def study(epochs: int, seeds: int) -> dict[str, Any]:
    """Small runs with everything that has a state: BatchNorm, Dropout, a schedule, an average, augmentation."""
    baseline = {
        "dataset": "digits", "normalize": "train", "model": "mlp", "hidden": [32, 16],
        "optimizer": "Adam", "lr": 1e-3, "batch_size": 64, "epochs": epochs,
    }  # fmt: skip
    variants = {
        "both": {"batch_norm": True, "dropout": 0.5},
        "average": {"weight_average": 0.9, "schedule": "one_cycle"},
        "flips": {"augment": ["HorizontalFlip"]},
    }
    return {"baseline": baseline, "variants": variants, "seeds": seeds}


@dataclass
class Figures:
    """What was seen."""

    kills: Counter[str] = field(default_factory=Counter)
    lost: list[float] = field(default_factory=list)  # seconds, at each kill: the most that a run in training lost
    blamed: int = 0  # commands that took a run for the cause of two kills of a worker
    finishes: int = 0
    runs: int = 0  # compared
    retrained: int = 0  # finished runs
    different: int = 0
    steps_wrong: int = 0

    @property
    def good(self) -> bool:
        """Whether no finished run was retrained, no number differs, and the event files have each epoch once."""
        return not (self.retrained or self.different or self.steps_wrong)

    def table(self, epochs: int) -> str:
        """As Markdown, with what it ran on and when."""
        kinds = ", ".join(f"{self.kills[kind]} of {name}" for kind, name in
                          (("worker", "a worker"), ("runner", "the runner"), ("group", "the whole group")))  # fmt: skip
        lost = f"median {statistics.median(self.lost):.1f} s, at most {max(self.lost):.1f} s"
        return "\n".join(
            [
                "| | |",
                "|---|---|",
                f"| SIGKILLs at random moments | {self.kills.total()}: {kinds} |",
                f"| commands that gave up a run whose worker, training it alone, was killed twice | {self.blamed} |",
                f"| the study came to its end | {self.finishes} times, {self.runs} runs of {epochs} epochs compared |",
                f"| finished runs trained again | {self.retrained} |",
                f"| lost at a kill, beside the epoch in flight (a checkpoint every {CHECKPOINT_SECONDS} s) | {lost} |",
                f"| runs with a number that differs | {self.different} |",
                f"| runs whose event files do not show each epoch once | {self.steps_wrong} |",
                "",
                f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python "
                f"{platform.python_version()}, {datetime.date.today()}.",
            ]
        )


class Soak:
    """One undisturbed study, and many lives of the same command beside it."""

    def __init__(self, place: Path, arguments: argparse.Namespace) -> None:
        self._place = place
        self._longest = arguments.longest
        self._options = ["--workers", str(arguments.workers)]
        self._epochs = arguments.epochs
        self._study = study(arguments.epochs, arguments.seeds)
        self._random = random.Random(arguments.seed)
        self._results: dict[Path, tuple[int, bytes]] = {}
        self._process: subprocess.Popen[str] | None = None
        self.figures = Figures()

    def run(self, kills: int) -> None:
        """Lives and deaths until there were so many kills, and the study has finished after the last."""
        self._life(self._folder("whole"), 0)
        self._expected = numbers(self._place / "whole")
        while self.figures.kills.total() < kills:
            folder = self._folder(f"round{self.figures.finishes}")
            while not self._life(folder, kills):
                pass
            self._compare(folder)

    def end(self) -> None:
        """Leaves no process of an interrupted soak behind."""
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _folder(self, name: str) -> Path:
        folder = self._place / name
        folder.mkdir()
        return folder

    def _life(self, folder: Path, kills: int) -> bool:
        """One command, from its start to its end or death; whether it came to its end."""
        process, began = start(folder, *self._options, study=self._study), time.time()
        self._process = process
        before = self.figures.kills["worker"]
        while process.poll() is None and self.figures.kills.total() < kills:
            if self._random.random() < 0.75:  # the other kills may fall on its start
                _wait_for_training(folder, process, began)
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=self._random.uniform(0, self._longest))
            if process.poll() is None:
                self._kill(folder, process, began)
        output, _ = process.communicate()
        if process.returncode > 0:
            # Only a run that was alone with its worker at two kills is taken for their cause; the next command tries
            # it again.
            if self.figures.kills["worker"] - before < 2:
                sys.exit(f"the study failed:\n{output}")
            self.figures.blamed += 1
        return process.returncode == 0

    def _kill(self, folder: Path, process: subprocess.Popen[str], began: float) -> None:
        workers = _workers(process.pid)
        victim = self._random.choice(VICTIMS if workers else VICTIMS[1:])
        self._look(folder)
        lost = [unsafe_seconds(path.parent, began) for path in folder.glob("runs/*/*/seed*/run.json")]
        with suppress(ProcessLookupError):
            if victim == "group":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                os.kill(process.pid if victim == "runner" else self._random.choice(workers), signal.SIGKILL)
        if victim != "worker":
            process.wait()
        self.figures.kills[victim] += 1
        self.figures.lost.append(max(lost, default=0.0))
        print(f"{self.figures.kills.total():>4}  {victim:<7}  at most {self.figures.lost[-1]:5.1f} s lost", flush=True)

    def _look(self, folder: Path) -> None:
        """Every result that was there is there still, the same file."""
        now = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.glob("runs/*/*/seed*/result.json")}
        self.figures.retrained += sum(now.get(path) != seen for path, seen in self._results.items())
        self._results = now

    def _compare(self, folder: Path) -> None:
        self._look(folder)
        self._results = {}
        found, steps = numbers(folder), list(range(1, self._epochs + 1))
        self.figures.finishes += 1
        self.figures.runs += len(self._expected)
        self.figures.different += sum(found.get(name) != expected for name, expected in self._expected.items())
        self.figures.steps_wrong += sum(event_steps(path) != (steps, steps) for path in folder.glob("runs/*/*/seed*"))


def _wait_for_training(folder: Path, process: subprocess.Popen[str], began: float) -> None:
    while process.poll() is None:
        if any(path.stat().st_mtime > began for path in folder.glob("runs/*/*/seed*/run.json")):
            return
        time.sleep(0.1)


def _workers(runner: int) -> list[int]:
    """The runner's worker processes: the children of the server that it forks them from."""
    listing = subprocess.run(["ps", "-axo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [(int(pid), int(parent), args) for pid, parent, *args in map(_fields, listing.splitlines())]
    servers = {pid for pid, parent, args in rows if parent == runner and "forkserver" in "".join(args)}
    return [pid for pid, parent, _ in rows if parent in servers]


def _fields(line: str) -> list[str]:
    return line.split(None, 2)


def unsafe_seconds(folder: Path, life_began: float) -> float:
    """What a kill would take from a run, beside the epoch in flight: the seconds of the epochs that ended since it
    began or had its last checkpoint.

    0 where nobody trains it, where it has finished, and where it waits, since it began, for the runs of its cohort that
    have fewer epochs behind them.
    """
    try:
        with lock(folder).acquire(blocking=False):
            return 0.0
    except Timeout:
        began, safe, latest = (
            path.stat().st_mtime if path.exists() else 0.0
            for path in (folder / "run.json", folder / "checkpoint.pt", folder / "metrics.csv")
        )
        return max(0.0, latest - max(life_began, began, safe))


def main() -> None:
    """Soaks, prints the figures, and writes them to the page where there are enough."""
    parser = argparse.ArgumentParser(description="random SIGKILLs over a study")
    parser.add_argument("--kills", type=int, default=ENOUGH)
    parser.add_argument("--epochs", type=int, default=1200, help="of each run; long enough for checkpoints")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--longest", type=float, default=40, help="seconds until the next kill, at most")
    parser.add_argument("--seed", type=int, default=0, help="of the moments and the victims")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        soak = Soak(Path(place), arguments)
        with suppress(KeyboardInterrupt):  # what was seen until then is shown, and not written
            soak.run(arguments.kills)
        soak.end()
    if not soak.figures.lost:
        sys.exit(130)
    table = soak.figures.table(arguments.epochs)
    print(table)
    if soak.figures.finishes and soak.figures.kills.total() >= ENOUGH:
        before, after = (re.escape(mark) for mark in MARKS)
        text = PAGE.read_text(encoding="utf-8")
        new = "\n".join((MARKS[0], table, MARKS[1]))
        PAGE.write_text(re.sub(f"{before}.*?{after}", lambda _: new, text, flags=re.DOTALL), encoding="utf-8")
    sys.exit(0 if soak.figures.good else 1)


if __name__ == "__main__":
    main()
