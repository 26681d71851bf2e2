"""Runs that a study trains itself: by a function, or by a command."""

from __future__ import annotations

import math
import random
import shutil
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from runner.checkpoints import is_machines
from runner.events import hparams, is_event_file
from runner.execute._messages import Command, Message, Send
from runner.execute._own_attempts import left_metrics
from runner.execute._own_command import run_command
from runner.execute._own_scalars import event_files_below
from runner.execute._record import new_attempt, run_json
from runner.expand import Run
from runner.logs import OwnLog, at_best
from runner.spec import OwnTraining, describe, load_function
from runner.store import (
    FAILED,
    FINISHED,
    RUNNING,
    Provenance,
    RunDir,
    RunResult,
    own_provenance,
    same_provenance,
)
from runner.train import Interrupted

_TELL_SECONDS = 1.0  # between two messages about logged steps


class NeverLogged(Exception):
    """A run ended without a metric that the study counts on."""


class OwnRun:
    """What your own training gets beside its settings.

    seed        the run's seed; Python's, numpy's and torch's random numbers are seeded with it before the call
    folder      a directory for your files; it stays when the run is stopped and resumed
    checkpoint  where to save what you resume from; there is a file once you have saved one
    """

    def __init__(
        self, seed: int, folder: Path, log: OwnLog, stop: Callable[[], bool], tell: Callable[[int], None]
    ) -> None:
        """`tell` hears of each logged step."""
        self.seed = seed
        self.folder = folder
        self.checkpoint = folder / "checkpoint"
        self._log = log
        self._stop, self._tell = stop, tell
        self.was_told_to_stop = self.has_logged = False

    @property
    def writer(self) -> Any:
        """A SummaryWriter in the run's directory, for anything but the metrics."""
        return self._log.writer

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Logs numbers of a step: for TensorBoard, the report, and the study's metrics.

        Raises TypeError for a step that is no whole number, or a value that is no number.
        """
        if isinstance(step, bool) or int(step) != step or step < 0:
            raise TypeError(f"run.log got the step {step!r}; expected a whole number from 0.")
        numbers = {}
        for name, value in metrics.items():
            try:
                numbers[str(name)] = float(value)
            except (TypeError, ValueError):
                raise TypeError(f"run.log got {name}={value!r}; expected a number.") from None
        self._log.log(int(step), numbers)
        self.has_logged = True
        self._tell(int(step))

    def should_stop(self) -> bool:
        """Whether to save a checkpoint and return now: Ctrl-C was pressed. The next command calls you again."""
        self.was_told_to_stop = self.was_told_to_stop or self._stop()
        return self.was_told_to_stop


class Teller:
    """Says now and then which step a run has logged, and the latest of its study's metrics."""

    def __init__(self, run: Run, training: OwnTraining, log: OwnLog, send: Send) -> None:
        self._run, self._metrics, self._log, self._send = run, training.metrics, log, send
        self._due = -math.inf

    def __call__(self, step: int) -> None:
        """Sends a message, unless the last one is too new."""
        if (now := time.monotonic()) < self._due:
            return
        self._due = now + _TELL_SECONDS
        rows = self._log.rows.values()
        found = {name: next((row[name] for row in reversed(rows) if name in row), None) for name in self._metrics}
        latest = {name: value for name, value in found.items() if value is not None}
        self._send(Message("logged", self._run, {**latest, "step": float(step)}))


def train_own(run: Run, training: OwnTraining, command: Command, send: Send, stop: Callable[[], bool]) -> None:
    """Trains one run to its end. Raises Interrupted where it was told to stop: the next command calls it again."""
    directory = RunDir(command.runs / run.folder)
    provenance = own_provenance(command.provenance, training)
    attempt, started = new_attempt(), time.time()
    over, known = _starts_over(directory, provenance), directory.run_json()
    resumed = not over and known is not None

    def record(status: str, cause: str | None = None, machines: bool = False) -> None:
        content = run_json(run, provenance, status, attempt, started, cause=cause, machines=machines, resumed=resumed)
        directory.write_run_json(content)

    log: OwnLog | None = None
    try:
        if over:
            _clear(directory.folder)
        elif known:
            provenance = provenance.resuming(known.provenance)
        directory.forget()
        record(RUNNING)
        log = OwnLog(directory.folder)
        plain = run.variant.settings.plain()
        group = f"{run.variant.directory} ({run.study})"
        log.begin(plain, run.variant.changes, hparams(plain, run.study, run.variant.name), group)
        send(Message("began", run, {"epoch": 0.0}))
        own = OwnRun(run.seed, directory.folder / "own", log, stop, Teller(run, training, log, send))
        _call(training, plain, own)
        finals = _finals(training, log)
        log.end(succeeded=True, finals=finals)
        record(FINISHED)
        took = None if resumed else time.time() - started
        directory.write_result(RunResult(metrics=dict(finals), provenance=provenance))
        send(Message(FINISHED, run, finals, took=took))
    except Interrupted:
        if log:
            log.close()
        raise
    except (Exception, SystemExit) as error:
        cause = describe(error)
        with suppress(OSError):
            record(FAILED, cause, is_machines(error))
            directory.write_traceback("".join(traceback.format_exception(error)))
            if log:
                log.end(succeeded=False, cause=cause)
        send(Message(FAILED, run, cause=cause, stops=isinstance(error, NeverLogged)))


def _starts_over(directory: RunDir, provenance: Provenance) -> bool:
    """Whether a run must not resume from what is there: it had finished, or another state of the code made it."""
    known = directory.run_json()
    finished = (directory.folder / "result.json").exists()
    return finished or (known is not None and not same_provenance(known.provenance, provenance))


def _clear(folder: Path) -> None:
    """Removes what a run's own training has left, so that it begins anew."""
    for path in folder.iterdir():
        if path.name == "own":
            shutil.rmtree(path)
        elif path.name in ("metrics.csv", "output.txt") or is_event_file(path.name):
            path.unlink()


def _call(training: OwnTraining, settings: dict[str, Any], own: OwnRun) -> None:
    """Calls the function, or runs the command; what they print goes to output.txt in the run's directory.

    Raises Interrupted where it was told to stop.
    """
    own.folder.mkdir(exist_ok=True)
    if training.command:
        for step, metrics in run_command(training, settings, own.seed, own.folder, own.should_stop):
            own.log(step, metrics)
        return
    random.seed(own.seed)
    np.random.seed(own.seed % 2**32)
    torch.manual_seed(own.seed)
    before = event_files_below(own.folder)
    path = own.folder.parent / "output.txt"
    with (
        open(path, "a", buffering=1, encoding="utf-8", errors="replace") as output,
        redirect_stdout(output),  # else it would break the display
        redirect_stderr(output),
    ):
        load_function(training.train)(settings, own)
    if own.was_told_to_stop:
        raise Interrupted
    if not own.has_logged:  # a framework's own logger did
        found = left_metrics(own.folder, training.metrics, before)
        for step in sorted(found):
            own.log(step, found[step])


def _finals(training: OwnTraining, log: OwnLog) -> dict[str, float]:
    """Returns the run's metrics. Raises NeverLogged where one is missing."""
    table = training.measures.table
    found = at_best(log.rows, {name: int(metric.better) for name, metric in table.items()}, training.monitor)
    if missing := [name for name in table if name not in found]:
        logged = ", ".join(sorted({name for row in log.rows.values() for name in row})) or "nothing"
        raise NeverLogged(
            f"the run never logged {', '.join(missing)}, which the study's metrics name; it logged {logged}"
        )
    return {name: value if math.isfinite(value) else math.nan for name, value in found.items()}
