"""Kills a worker, the runner or the whole process group of a study at random moments, and compares every number.

It trains the study once undisturbed. Then it starts the same command again and again, and kills it at random moments
until the study finishes. It repeats this in a new directory until it has killed often enough.

At every kill it checks that each earlier result is still the same file. It measures how long the runs in training had
trained since their start or their last checkpoint. At every finish it checks that all numbers except times equal
those of the undisturbed study bit for bit, and that the event files show each epoch once.

    make soak                                  100 kills, about 50 minutes; writes the table of docs/reliability.md
    make soak ARGS="--kills 6 --epochs 60"     a short form; writes nothing

It finds the workers with `ps`, so it runs on Linux and macOS.
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

from runner.execute.crew import CHECKPOINT_SECONDS
from runner.files import lock
from tests.commands import ROOT, event_steps, numbers, start

PAGE = ROOT / "docs" / "reliability.md"
MARKS = "<!-- written by make soak -->", "<!-- to here -->"
ENOUGH = 100  # kills; with fewer, the page is not written
VICTIMS = ("worker", "runner", "group")


def study(epochs: int, seeds: int) -> dict[str, Any]:
    """Returns a study of small runs with all kinds of state: BatchNorm, Dropout, schedule, average, augmentation."""
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
    """The counts of a soak."""

    kills: Counter[str] = field(default_factory=Counter)
    lost: list[float] = field(default_factory=list)  # seconds that a run in training lost at most, for each kill
    blamed: int = 0  # commands that failed a run because its worker was killed twice
    finishes: int = 0
    runs: int = 0  # compared runs
    retrained: int = 0  # finished runs that were trained again
    different: int = 0
    steps_wrong: int = 0

    @property
    def good(self) -> bool:
        """Whether no finished run was retrained, and no number or event differs."""
        return not (self.retrained or self.different or self.steps_wrong)

    def table(self, epochs: int) -> str:
        """Returns the counts as a Markdown table, with the machine and the date."""
        kinds = ", ".join(f"{self.kills[kind]} of {name}" for kind, name in
                          (("worker", "a worker"), ("runner", "the runner"), ("group", "the whole group")))  # fmt: skip
        lost = f"median {statistics.median(self.lost):.1f} s, at most {max(self.lost):.1f} s"
        return "\n".join(
            [
                "| | |",
                "|---|---|",
                f"| SIGKILLs at random moments | {self.kills.total()}: {kinds} |",
                f"| commands that failed a run, because its worker was killed twice while training it alone "
                f"| {self.blamed} |",
                f"| the study finished | {self.finishes} times, {self.runs} runs of {epochs} epochs compared |",
                f"| finished runs that were retrained | {self.retrained} |",
                f"| time lost at a kill, besides the current epoch (a checkpoint every {CHECKPOINT_SECONDS} s) "
                f"| {lost} |",
                f"| runs with a number that differs | {self.different} |",
                f"| runs whose event files do not show each epoch once | {self.steps_wrong} |",
                "",
                f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python "
                f"{platform.python_version()}, {datetime.date.today()}.",
            ]
        )


class Soak:
    """Trains one undisturbed study, and then runs and kills the same command many times."""

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
        """Kills the command that many times, and lets the study finish after the last kill."""
        self._life(self._folder("whole"), 0)
        self._expected = numbers(self._place / "whole")
        while self.figures.kills.total() < kills:
            folder = self._folder(f"round{self.figures.finishes}")
            while not self._life(folder, kills):
                pass
            self._compare(folder)

    def end(self) -> None:
        """Ends the processes of an interrupted soak."""
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _folder(self, name: str) -> Path:
        folder = self._place / name
        folder.mkdir()
        return folder

    def _life(self, folder: Path, kills: int) -> bool:
        """Runs the command until it ends or is killed, and returns whether it finished."""
        process, began = start(folder, *self._options, study=self._study), time.time()
        self._process = process
        before = self.figures.kills["worker"]
        while process.poll() is None and self.figures.kills.total() < kills:
            if self._random.random() < 0.75:  # the other kills may hit the start
                _wait_for_training(folder, process, began)
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=self._random.uniform(0, self._longest))
            if process.poll() is None:
                self._kill(folder, process, began)
        output, _ = process.communicate()
        if process.returncode > 0:
            # The runner fails a run only where its worker, training it alone, was killed twice. The next command tries
            # the run again.
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
        """Counts the results that were there before and are no longer the same file."""
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
    """Returns the ids of the runner's worker processes: the children of its fork server."""
    listing = subprocess.run(["ps", "-axo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [(int(pid), int(parent), args) for pid, parent, *args in map(_fields, listing.splitlines())]
    servers = {pid for pid, parent, args in rows if parent == runner and "forkserver" in "".join(args)}
    return [pid for pid, parent, _ in rows if parent in servers]


def _fields(line: str) -> list[str]:
    return line.split(None, 2)


def unsafe_seconds(folder: Path, life_began: float) -> float:
    """Returns how many seconds of finished epochs a kill would cost a run: those since its start or last checkpoint.

    `life_began` is when the command started (seconds since 1970). The result is 0 where no process trains the run,
    where the run has finished, and where it has waited since its start for runs of its cohort with fewer finished
    epochs.
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
    """Runs the soak, prints the table, and writes it to the page after enough kills."""
    parser = argparse.ArgumentParser(description="kill a study at random moments and compare every number")
    parser.add_argument("--kills", type=int, default=ENOUGH)
    parser.add_argument("--epochs", type=int, default=1200, help="epochs of each run; enough of them for checkpoints")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--longest", type=float, default=40, help="the most seconds until the next kill")
    parser.add_argument("--seed", type=int, default=0, help="determines when what is killed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        soak = Soak(Path(place), arguments)
        with suppress(KeyboardInterrupt):  # then the table is printed but not written
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
