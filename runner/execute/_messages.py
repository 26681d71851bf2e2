"""The messages between the runner and its workers: a job to train, and what happens to its runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from runner.expand import Run
from runner.store import Provenance

ANSWERED = ("began", "epoch")  # kinds of messages that the runner answers in a supervised job


@dataclass(frozen=True)
class Job:
    """Runs of one cohort that one worker trains together."""

    runs: tuple[Run, ...]
    data: Path  # the data set's cache
    supervised: bool = False  # the runner answers after every epoch: "" to continue, or why to stop
    deaths: int = 0  # of workers that had its one run alone


@dataclass(frozen=True)
class Command:
    """What one invocation of the runner has decided. All its runs share this."""

    runs: Path  # the directory of all runs
    device: str
    provenance: Provenance = field(hash=False)  # without the data's fingerprint
    ended: frozenset[str] = frozenset()  # the attempts at its runs that had ended when the command began
    retrain: bool = False


@dataclass(frozen=True)
class Message:
    """A worker's message about a run.

    `kind` is one of:

    began      it is ready to train; `cause` says why it does not resume from a checkpoint that is there
    epoch      it finished an epoch; `metrics` are the epoch's, `cause` says why its steps are slow, if they are
    logged     its own training has logged a `step`; `metrics` has it, and the latest of the study's metrics
    finished, pruned, failed    it ended
    taken      another runner has it
    lost       its worker is lost, and it is tried again; for one of the worker's runs `cause` says so
    died       its worker died, and the run is to blame

    The crew sends "lost" and "died"; no worker does.
    """

    kind: str
    run: Run
    metrics: dict[str, float] = field(default_factory=dict)
    cause: str = ""
    before: bool = False  # it had ended when a worker came to it
    took: float | None = None  # seconds of own training from the run's beginning to its end
    stops: bool = False  # the study can't go on: every run would fail like this one


class WorkerState(Enum):
    """A worker's message about itself."""

    READY = "its imports are done"
    DONE = "its job is done"


Send = Callable[[Message], str | None]  # returns the answer to a supervised run: why it is to stop, if it is
