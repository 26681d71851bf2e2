"""What the runner and its workers say to each other: a share to train, and what happens to its runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from runner.expand import Run
from runner.store.provenance import Provenance


@dataclass(frozen=True)
class Share:
    """Runs of one cohort that one worker trains together."""

    runs: tuple[Run, ...]
    data: Path  # the data set's cache
    supervised: bool = False  # the runner answers after every epoch: go on, or why to stop
    deaths: int = 0  # of workers that had its one run alone


@dataclass(frozen=True)
class Place:
    """Where runs are made, by what and for which command: the same for all of a command's runs."""

    runs: Path
    device: str
    provenance: Provenance = field(hash=False)  # without the data's fingerprint
    ended: frozenset[str] = frozenset()  # the attempts at its runs that had ended when the command began
    retrain: bool = False


@dataclass(frozen=True)
class Message:
    """What a worker says of a run: it began (`cause`: why not where it had been), had an epoch, finished, was pruned,
    failed, or is taken by another runner."""

    kind: str
    run: Run
    metrics: dict[str, float] = field(default_factory=dict)
    cause: str = ""
    before: bool = False  # it had ended when a worker came to it


Send = Callable[[Message], str | None]  # the answer to a supervised run: why it is to stop, if it is
