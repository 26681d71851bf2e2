"""Studies trained in this process or by real commands, and every number that they leave."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event

from runner.data import prepare
from runner.events import event_files
from runner.execute import Job, Outcome, Request, execute
from runner.execute._job import train_job
from runner.execute._messages import Command
from runner.expand import Overrides, resolve
from runner.store import Provenance, RunDir, read_rows

ROOT = Path(__file__).parents[1]


def run(study: dict[str, Any], place: Path, **options: Any) -> tuple[Outcome, str]:
    """What the command would do, and what it would print."""
    text = io.StringIO()
    request = Request((study,), runs=place / "runs", reports=place / "reports", **options)
    return execute(request, Console(file=text, width=200)), text.getvalue()


def train(study: dict[str, Any], place: Path) -> Path:
    """Trains a study, in this process; the directory of its baseline's first seed."""
    runs = resolve(Path("study.py"), study, "", Overrides()).runs()
    data = prepare(runs[0].variant.ours, Path("data"))
    train_job(Job(tuple(runs), data), Command(place / "runs", "cpu", Provenance()), lambda _: None)
    return place / "runs" / runs[0].folder


def numbers(place: Path) -> dict[str, Any]:
    """Every number of every run, times apart."""
    found: dict[str, Any] = {}
    for path in sorted(place.glob("runs/*/*/seed*")):
        result = RunDir(path).result()
        metrics = {k: v for k, v in result.metrics.items() if k != "seconds"} if result else None
        rows = [{k: v for k, v in row.items() if "second" not in k} for row in read_rows(path / "metrics.csv")]
        predictions = RunDir(path).load_predictions() or {}
        found["/".join(path.parts[-2:])] = (metrics, repr(rows), {k: v.tobytes() for k, v in predictions.items()})
    return found


def event_steps(folder: Path) -> tuple[list[int], list[int]]:
    """The epochs that TensorBoard's reader and the raw loader find in a run's event files."""
    board = EventAccumulator(str(folder)).Reload()
    records = [record for path in event_files(folder) for record in RawEventFileLoader(str(path)).Load()]
    events = [Event.FromString(record) for record in records]
    raw = [event.step for event in events for value in event.summary.value if value.tag == "val/loss"]
    return [point.step for point in board.Scalars("val/loss")], raw


def start(place: Path, *arguments: str, **studies: dict[str, Any]) -> subprocess.Popen[str]:
    """The command `run` in a process group of its own; the studies are written to files first."""
    folder = place / "ablations"
    folder.mkdir(exist_ok=True)
    for name, study in studies.items():
        (folder / f"{name}.py").write_text(f"STUDY = {study!r}")
    command = [sys.executable, "-m", "runner", "run", *(studies or ["study"]), *arguments]
    return subprocess.Popen(
        command, cwd=place, env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def runner(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """What a command printed, and its exit status."""
    command = [sys.executable, "-m", "runner", *arguments]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment, check=False)


def wait_for(condition: Callable[[], Any], *processes: subprocess.Popen[str]) -> None:
    """Until something holds, while these live; at most two minutes."""
    deadline = time.monotonic() + 120
    while not condition():
        for process in processes:
            assert process.poll() is None, process.stdout and process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
