"""What runs on a node for one worker: a worker process like a local one, and a relay of its messages and files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import ray
from filelock import Timeout

from runner.execute._engine import Gone
from runner.execute._local import LocalEngine
from runner.execute._messages import Command, Job, Message, WorkerState
from runner.execute.cluster._data import Sent, receive
from runner.execute.cluster._mirror import Change, Mirror, apply
from runner.files import lock, shared_temporary
from runner.spec import describe
from runner.store import Provenance, present_provenance

_LOOK_SECONDS = 2.0  # between looks for files that grew without a message


@dataclass(frozen=True)
class Batch:
    """What has happened to a worker since the last batch.

    files  run directory -> changes in it; they include all that the messages announce
    lost   how the worker process ended, if it has
    """

    messages: Sequence[Message | WorkerState]
    files: Mapping[Path, Sequence[Change]] = field(default_factory=dict)
    lost: str = ""


@dataclass(frozen=True)
class Hello:
    """The first answer of a worker: its node, and what will make its runs."""

    node: str
    provenance: Provenance


class Worker:
    """An actor. Its methods are called from a few threads: `receive` waits in one of them."""

    def __init__(self, command: Command) -> None:
        place = shared_temporary()
        place.mkdir(mode=0o700, exist_ok=True)
        self._cache = place / "cache"
        with lock(place):
            _sweep(place)
            self._scratch = Path(tempfile.mkdtemp(prefix="worker-", dir=place))
            self._lock = lock(self._scratch)  # held until this process ends
            self._lock.acquire()
        made_by = present_provenance(command.device).having(commit=command.provenance.commit)
        self._command = replace(command, runs=self._scratch / "runs", provenance=made_by)
        self._engine = LocalEngine(self._command)
        self._hand = self._engine.start()
        self._mirrors: dict[Path, Mirror] = {}
        self._broken = ""

    def hello(self) -> Hello | Batch:
        """Waits until the worker process is ready."""
        try:
            self._hand.take()
        except Gone as gone:
            return Batch((), lost=str(gone))
        return Hello(ray.get_runtime_context().get_node_id(), self._command.provenance)

    def give(self, job: Job, files: Mapping[Path, Sequence[Change]], data: Sent) -> None:
        """Begins a job. `files` are those of its runs, from which they resume; `data` is its data set."""
        try:
            mirrors = {}
            for folder, changes in files.items():
                apply(self._command.runs / folder, changes)
                mirrors[folder] = Mirror(self._command.runs / folder)
                mirrors[folder].changes()  # the runner has these
            self._mirrors = mirrors
            self._hand.give(replace(job, data=receive(data, self._cache / job.data.name) if data else Path()))
        except Exception as error:  # a full disk
            self._broken = f"its node can't take the job: {describe(error)}"

    def receive(self) -> Batch:
        """Waits until there are messages or files have changed, and returns both."""
        while True:
            messages, lost = self._taken()
            mirrors = self._mirrors
            files = {folder: changes for folder, mirror in mirrors.items() if (changes := mirror.changes())}
            if lost or WorkerState.DONE in messages:
                self._mirrors = {}
                shutil.rmtree(self._command.runs, ignore_errors=True)
            if messages or files or lost:
                return Batch(messages, files, lost)

    def _taken(self) -> tuple[list[Message | WorkerState], str]:
        """Waits for messages for a while; returns those that are there, and how the process ended if it has."""
        messages: list[Message | WorkerState] = []
        seconds = _LOOK_SECONDS
        while self._engine.wait([self._hand], seconds):
            seconds = 0
            try:
                messages += self._hand.take()
            except Gone as gone:
                return messages, str(gone)
        return messages, self._broken

    def answer(self, text: str) -> None:
        """Passes on the answer to a supervised run."""
        self._hand.answer(text)

    def stop(self) -> None:
        """Asks for a clean stop: the last batch has the checkpoints."""
        self._engine.ask_to_stop()

    def close(self) -> None:
        """Removes the worker's files."""
        shutil.rmtree(self._scratch, ignore_errors=True)


def _sweep(place: Path) -> None:
    """Removes what killed workers have left: directories whose lock is free."""
    for left in place.glob("worker-*"):
        with suppress(Timeout, OSError), lock(left).acquire(blocking=False):
            shutil.rmtree(left, ignore_errors=True)
