"""Trains a study in this process, with the runner's logs or with nothing in their place, and prints its CPU seconds.

`python -m benchmarks.bench.unlogged TASK.json with|without`
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from runner.execute import Job
from runner.execute._job import train_job
from runner.execute._messages import Command
from runner.expand import Overrides, resolve
from runner.logs import RunLog
from runner.store import EPOCH_SCALARS, Provenance, Row


class NoLog(RunLog):
    """Keeps the rows, as the runner needs them, and writes nothing."""

    def __init__(self, folder: Path, *_: Any) -> None:
        self.folder, self.rows, self.resumed = folder, [], False
        folder.mkdir(parents=True, exist_ok=True)

    def begin(self, *_: Any, **__: Any) -> None:
        """Does nothing."""

    def epoch(self, epoch: int, metrics: Row, *_: Any, **__: Any) -> None:
        """Keeps the row."""
        self.rows.append({"epoch": epoch, **{key: metrics[key] for key in EPOCH_SCALARS}})

    augmented = finish = sync = begin


def main(task: dict[str, Any], logged: bool) -> float:
    """Returns the CPU seconds of all threads."""
    torch.set_num_threads(1)
    runs = resolve(Path("bench"), task["study"], "", Overrides()).runs()
    log = RunLog if logged else NoLog
    with tempfile.TemporaryDirectory() as place, mock.patch("runner.execute._training.RunLog", log):
        began = time.process_time()
        train_job(Job(tuple(runs), Path(task["cache"])), Command(Path(place), "cpu", Provenance()), lambda _: None)
        spent = time.process_time() - began
        results = list(Path(place).glob("*/*/seed*/result.json"))
    if len(results) != len(runs):
        sys.exit(f"{len(results)} of {len(runs)} runs finished")
    return spent


if __name__ == "__main__":
    print(main(json.loads(Path(sys.argv[1]).read_text()), sys.argv[2] == "with"))
