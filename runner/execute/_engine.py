"""What the crew asks of whatever starts workers: processes of this machine, or actors of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from runner.execute._messages import Command, Job, Message, WorkerState


class Gone(Exception):
    """A worker is lost; the text says how.

    `blameless`: its machine was lost too, so no run is to blame.
    """

    def __init__(self, reason: str, blameless: bool = False) -> None:
        super().__init__(reason)
        self.blameless = blameless


class Hand(Protocol):
    """One worker, as the runner sees it. It has one job at a time."""

    def give(self, job: Job) -> None:
        """Hands over a job. Raises nothing where the worker is lost: `take` does."""

    def take(self) -> Sequence[Message | WorkerState]:
        """Returns what has happened, in its order. May wait where `Engine.wait` did not name this hand.

        When a message is returned, every file that belongs to it is in the run's directory.
        Raises Gone where the worker is lost, RequestError where no worker can import your script.
        """

    def answer(self, text: str) -> None:
        """Answers a message of a supervised job: "" to continue, or why to stop. Raises nothing."""

    def alive(self) -> bool:
        """Whether the worker can still be given a job."""

    def close(self) -> None:
        """Frees what a lost worker held here."""


H = TypeVar("H", bound=Hand)


class Engine(Protocol[H]):
    """Starts workers and carries messages. It decides nothing: the crew says which job goes where.

    An engine for other machines must do three things that a local one gets for free:

    - Run directories belong to the runner's machine. Its workers write to scratch directories, and its hands
      copy what grew there before `take` returns the message that announces it. When a job is given, the hand
      sends along the files from which the runs resume.
    - Locks work on the runner's machine only. Its hands claim the runs (`runner.execute._claims.claim`) before they
      send a job, and hold the locks until the job is done or the worker is lost.
    - Machines come and go. A hand may wait for a machine with its job; the engine gives a machine that comes
      to any hand that waits. Where a machine is lost, `take` raises Gone with `blameless`.
    """

    def start(self) -> H:
        """Starts a worker. It says READY once its imports are done."""

    def wait(self, hands: Sequence[H], seconds: float | None) -> Sequence[H]:
        """Returns those hands from which something can be taken, after some seconds at most (None: no limit)."""

    def stop(self, hands: Sequence[H], busy: Sequence[H]) -> None:
        """Ends all workers. The busy ones stop cleanly: they write checkpoints first, which are in the runs'
        directories afterwards."""


AnyEngine = Engine[Any]


@dataclass(frozen=True)
class Executor:
    """Where a command trains, for as long as it is open.

    device     of its workers: cpu, cuda or mps, perhaps with a number
    room       how many workers suit it
    engine     starts its workers
    elsewhere  whether they are on other machines, whose memory and devices are not this one's
    place      where they are, to follow "4 workers on cpu"; empty for this machine
    note       what you should know about it before training; may be empty
    """

    device: str
    room: int
    engine: Callable[[Command], AnyEngine]
    elsewhere: bool = False
    place: str = ""
    note: str = ""
