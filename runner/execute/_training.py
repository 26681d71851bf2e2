"""One run that a worker trains: what it logs, checkpoints and leaves."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch

from runner import checkpoints
from runner.checkpoints import State, is_machines
from runner.data import Dataset
from runner.events import hparams
from runner.execute._longer import Shorter, keep_state, keeps_state, shorter
from runner.execute._messages import Command, Message, Send
from runner.execute._record import new_attempt, run_json
from runner.expand import Run, file_hash
from runner.logs import RunLog, copy_epochs, roles
from runner.spec import describe
from runner.store import (
    FAILED,
    FINISHED,
    PRUNED,
    RUNNING,
    Provenance,
    Row,
    RunDir,
    RunResult,
    own_code_hashes,
    same_provenance,
)
from runner.train import Epoch, Failed, Finished, Interrupted, Learner

CHECKPOINT_SECONDS = 30


class TrainingRun:
    """A run that this worker trains: its learner, its log, its directory."""

    learner: Learner
    log: RunLog

    def __init__(self, run: Run, command: Command, dataset: Dataset, send: Send, supervised: bool = False) -> None:
        self.run = run
        self.ended = False
        self._supervised = supervised
        self._dataset = dataset
        self._send = send
        self._command = command
        self._directory = RunDir(command.runs / run.folder)
        self._provenance = command.provenance.having(data=dataset.fingerprint, **own_code_hashes(run.variant.ours))
        self._attempt = new_attempt()
        self._started = time.time()
        self._saved_at = time.monotonic()
        self._saved_epoch = 0
        self._epoch = 0  # the last one logged; on a GPU training may be further
        self._snapshot: State = {}  # of that epoch
        self._name = [run.study, run.variant.digest, run.seed]  # in its checkpoint: another run's is refused
        self._said_slow = False
        self._restart_reason = ""  # why it does not resume from its checkpoint

    def open(self, device: torch.device) -> None:
        """Sets up learner and log: new ones, or those of a checkpoint that comparable code, data and versions made.

        OSError where a file that the settings name has changed since the command began.
        """
        settings, dataset = self.run.variant.settings, self._dataset
        for path, known in self.run.variant.files.items():
            if file_hash(path) != known:
                raise OSError(f"{path} has changed since the command began; run it again")
        self._directory.forget()
        rows = self._resume(device)
        begun = self._continue() if not rows else None
        self.log = RunLog(self._directory.folder, dataset, begun.rows if begun else rows, roles(self.learner.model))
        if begun or not self.log.resumed:
            group = f"{self.run.variant.directory} ({self.run.study})"  # its beginning is what TensorBoard shows
            values = hparams(settings.plain(), self.run.study, self.run.variant.name)
            self.log.begin(settings.plain(), self.run.variant.changes, values, group, self.learner.model, dataset.shape)
        self._write_run_json(RUNNING)

    def began(self) -> None:
        """Says that it is ready. A supervised run that resumes from a checkpoint may be told to stop at once."""
        self._tell(Message("began", self.run, {"epoch": self.learner.epoch}, self._restart_reason))

    def _resume(self, device: torch.device) -> list[Row]:
        """Sets the learner and returns the rows of its epochs so far; none where no checkpoint can be used."""
        settings, dataset = self.run.variant.ours, self._dataset

        def new() -> Learner:
            return Learner(settings, dataset, self.run.seed, device)

        self.learner = new()
        if not (path := self._directory.checkpoint).exists():
            return []
        checkpoint = checkpoints.load(path) or {}
        try:
            before = Provenance.model_validate(checkpoint["provenance"])
            if checkpoint["run"] == self._name and same_provenance(before, self._provenance):
                self.learner.restore(checkpoint["learner"])
                rows: list[Row] = checkpoint["rows"]
                if [row["epoch"] for row in rows] == list(range(1, self.learner.epoch + 1)):
                    self._started, self._saved_epoch = float(checkpoint["started"]), self.learner.epoch
                    self._provenance = self._provenance.resuming(before)
                    return rows
        except Exception as error:  # a checkpoint may hold anything
            if is_machines(error):
                raise
        why = "is corrupt, another run's, or of other code, data or versions"
        self._restart_reason = f"{path} {why}; the run starts over"
        self._directory.forget_checkpoint()
        self.learner = new()
        return []

    def _continue(self) -> Shorter | None:
        """Sets the learner to the end of a finished run with fewer epochs, and copies its events; None without one."""
        if self._supervised or self._command.retrain:
            return None
        found = shorter(self._command.runs, self.run, self._provenance)
        if found:
            self.learner.restore(found.learner)
            self._snapshot, self._epoch = self.learner.snapshot, self.learner.epoch
            self._provenance = self._provenance.resuming(found.provenance)
            copy_epochs(found.folder, self._directory.folder, len(found.rows))
        return found

    def handle(self, event: Epoch | Finished | Failed) -> None:
        """Logs what happened to the learner."""
        if self.ended:  # pruned in its last epoch, whose events no longer matter
            return
        try:
            if isinstance(event, Epoch):
                self.epoch(event)
            elif isinstance(event, Finished):
                self.finished(event)
            else:
                self.failed(event.error)
        except Interrupted:  # the runner stopped it while it waited for a search's answer
            raise
        except Exception as error:  # its directory, not its training: a full disk, a lost mount
            event.learner.failed = True
            self.failed(error)

    def epoch(self, event: Epoch) -> None:
        """Logs an epoch and sends a message; saves a checkpoint every CHECKPOINT_SECONDS."""
        self._snapshot, self._epoch = event.snapshot, event.number
        self.log.epoch(event.number, event.metrics, event.weights, event.gradients, event.first_layer, event.val_logits)
        self._tell(Message("epoch", self.run, {"epoch": event.number, **event.metrics}, self._slowness()))
        if not self.ended and time.monotonic() - self._saved_at >= CHECKPOINT_SECONDS:
            self._checkpoint()

    def _tell(self, message: Message) -> None:
        why = self._send(message)
        if why and not self.learner.done:  # after its last epoch stopping saves nothing
            self.pruned(why)

    def _slowness(self) -> str:
        """Says once why a GPU can't replay its steps; empty where it can."""
        why = self.learner.recorded.why_not if self.learner.lane.records and not self._said_slow else ""
        self._said_slow |= bool(why)
        name = self.run.variant.name
        return why and f"{self.run.study}: the GPU takes each step of {name} operation by operation, slowly: {why}"

    def finished(self, event: Finished) -> None:
        """Writes everything that the run leaves; result.json last."""
        best_row = self.log.rows[event.learner.best_epoch - 1]
        metrics = event.metrics | {"generalization_gap": best_row["generalization_gap"]}
        metrics["seconds"] = sum(row["seconds"] for row in self.log.rows)
        checkpoints.save(self._directory.best, {key: value.cpu() for key, value in event.learner.best.items()})
        arrays: dict[str, Any] = {}
        for name, part in (("val", self._dataset.val), ("test", self._dataset.test)):
            arrays |= {f"{name}_logits": event.logits[name].numpy(), f"{name}_labels": part.labels}
        self._directory.save_predictions(**arrays)
        self.log.finish(metrics, event.logits, self._supervised)
        if keeps_state(self.run) and not self._supervised:
            keep_state(self._directory.folder, self.run, self._snapshot, self.log.rows)
        self._write_run_json(FINISHED)
        self._directory.write_result(RunResult(metrics=dict(metrics), provenance=self._provenance))
        self.ended = True
        self._send(Message(FINISHED, self.run, metrics))

    def pruned(self, why: str) -> None:
        """Records that a search stopped the run: why, and what it had reached. Test data are not used."""
        self.ended = True
        self.learner.failed = True  # lockstep drops it
        best = self.log.rows[self.learner.best_epoch - 1]
        reached = {
            "best_epoch": float(self.learner.best_epoch),
            "epochs": float(self.learner.epoch),
            **{name: best[name] for name in ("val/loss", "val/accuracy", "generalization_gap")},
        }
        self.log.prune(reached, why)
        self._write_run_json(PRUNED, why)
        self._directory.forget_checkpoint()
        self._directory.forget()
        self._send(Message(PRUNED, self.run, reached, why))

    def failed(self, error: BaseException, its_own: bool = True) -> None:
        """Records a failure with its cause, as far as the disk allows: run.json, a traceback file, TensorBoard.

        `its_own`: the run itself failed. Where it did not, the next command resumes from its checkpoint.
        """
        self.ended = True
        cause = describe(error)
        directory = self._directory
        machines = not its_own or is_machines(error)
        trouble: list[Exception] = []
        records: list[Callable[[], object]] = [
            directory.forget,  # what makes room comes first
            lambda: self._write_run_json(FAILED, cause, machines),
            lambda: directory.write_traceback("".join(traceback.format_exception(error))),
            lambda: self.log.fail(cause) if hasattr(self, "log") else None,
        ]
        if not machines:
            records.insert(0, directory.forget_checkpoint)
        for record in records:
            try:
                record()
            except Exception as second:  # the other records are still written
                trouble.append(second)
        if trouble:
            cause += f" (and its directory can't be written: {describe(trouble[0])})"
        self._send(Message(FAILED, self.run, cause=cause))

    def interrupted(self) -> None:
        """Stops cleanly: a checkpoint of the last complete epoch is on the disk."""
        if not self.ended:
            with suppress(OSError, MemoryError):  # no room: the last checkpoint stays
                if self._epoch > self._saved_epoch:
                    self._checkpoint()
                self.log.close()

    def _checkpoint(self) -> None:
        self.log.sync()  # the log must survive a power cut as the checkpoint does
        checkpoints.save(
            self._directory.checkpoint,
            {
                "run": self._name,
                "learner": self._snapshot,
                "rows": self.log.rows,
                "provenance": self._provenance.plain(),
                "started": self._started,
            },
        )
        self._saved_at, self._saved_epoch = time.monotonic(), self._epoch

    def _write_run_json(self, status: str, cause: str | None = None, machines: bool = False) -> None:
        weights = self.learner.model.parameters() if hasattr(self, "learner") else None
        parameters = sum(weight.numel() for weight in weights) if weights else None
        given = (self._dataset.classes, parameters, len(self._dataset.train), cause, machines)
        content = run_json(self.run, self._provenance, status, self._attempt, self._started, *given)
        self._directory.write_run_json(content)
