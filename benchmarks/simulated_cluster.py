"""A cluster without machines: an engine whose clock jumps from event to event. `benchmarks.cluster` uses it."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from runner.execute import Job, Message
from runner.execute._engine import Gone
from runner.execute._messages import WorkerState
from runner.expand import Run
from runner.store import FINISHED

NOTICE_SECONDS = 15.0  # until the runner hears that a node is lost
AWAY_SECONDS = 600.0  # until a lost node is replaced
PER_NODE = 16  # workers


@dataclass(frozen=True)
class World:
    """What is simulated.

    lifetime    mean seconds until a node fails; infinite: none does
    checkpoint  seconds between two checkpoints
    spread      standard deviation of the logarithm of the nodes' speed
    slow        share of nodes with 0.3 of their speed
    noise       standard deviation of the logarithm of a run's time against its estimate
    """

    name: str
    lifetime: float = math.inf
    checkpoint: float = 30.0
    spread: float = 0.2
    slow: float = 0.02
    noise: float = 0.3


@dataclass(eq=False)
class Node:
    """A machine, its speed, and whether it lives."""

    speed: float
    lives: bool = True


@dataclass(eq=False)
class Slot:
    """A worker's place on a node. `turn` counts its jobs, so that an event of an earlier one is known."""

    node: Node
    hand: SimulatedHand | None = None
    began: float = 0.0
    estimate: float = 0.0  # seconds of its job's runs on a node of speed 1
    turn: int = 0


class SimulatedHand:
    """A worker, as the crew sees it. See `Hand`."""

    def __init__(self, engine: SimulatedEngine) -> None:
        self._engine = engine
        self.job: Job | None = None
        self.events: list[Message | WorkerState] = [WorkerState.READY]
        self.gone: Gone | None = None

    def give(self, job: Job) -> None:
        """Has the job wait for a place."""
        self.job = job
        self._engine.waiting.append(self)

    def take(self) -> Sequence[Message | WorkerState]:
        """Returns what has happened. Raises Gone where the node is lost."""
        if self.gone:
            raise self.gone
        events, self.events = self.events, []
        return events

    def answer(self, text: str) -> None:
        """No simulated job is supervised."""

    def alive(self) -> bool:
        """Whether it can be given a job."""
        return self.gone is None

    def close(self) -> None:
        """Holds nothing."""


@dataclass
class SimulatedEngine:
    """Nodes with a clock. See `Engine`; the fastest idle place takes the job that has waited longest."""

    world: World
    workers: int
    estimate: Callable[[Run], float]  # seconds of a run
    stream: float  # seconds of a cohort's batches
    draw: random.Random = field(default_factory=lambda: random.Random(0))
    now: float = 0.0
    lost: float = 0.0  # seconds of work that were done again
    failures: int = 0
    times: dict[Run, float] = field(default_factory=dict)  # what each run takes
    waiting: deque[SimulatedHand] = field(default_factory=deque)

    def __post_init__(self) -> None:
        world, draw = self.world, self.draw
        self.nodes = [
            Node(math.exp(draw.gauss(0, world.spread)) * (0.3 if draw.random() < world.slow else 1.0))
            for _ in range(math.ceil(self.workers / PER_NODE))
        ]
        self.slots = [Slot(self.nodes[number // PER_NODE]) for number in range(self.workers)]
        self._idle = [(-slot.node.speed, number) for number, slot in enumerate(self.slots)]
        heapq.heapify(self._idle)
        self._events: list[tuple[float, int, str, int, int]] = []  # time, number, kind, slot or node, turn
        self._count = itertools.count()
        self._done: dict[Run, float] = {}  # the share of a run that a checkpoint has
        self._told: list[SimulatedHand] = []
        for number in range(len(self.nodes)):
            self._fails_later(number)

    def start(self) -> SimulatedHand:
        """Adds a worker; places there are as many as there were workers at the start."""
        hand = SimulatedHand(self)
        self._told.append(hand)
        return hand

    def wait(self, hands: Sequence[SimulatedHand], seconds: float | None) -> Sequence[SimulatedHand]:  # noqa: ARG002
        """Lets time pass until something has happened to one of the hands."""
        while True:
            self._hand_out()
            told, self._told = self._told, []
            if found := [hand for hand in told if hand.job and (hand.events or hand.gone)]:
                return found
            self.now, _, kind, number, turn = heapq.heappop(self._events)
            getattr(self, f"_{kind}")(number, turn)

    def stop(self, hands: Sequence[SimulatedHand], busy: Sequence[SimulatedHand]) -> None:
        """Holds nothing."""

    def seconds(self, runs: Sequence[Run]) -> float:
        """Returns the seconds that a job takes on a node of speed 1, from its runs' checkpoints on."""
        for run in runs:
            if run not in self.times:
                stops = min(1.0, 0.5 + 0.7 * self.draw.random()) if self.world.noise else 1.0  # early stopping
                self.times[run] = self.estimate(run) * stops * math.exp(self.draw.gauss(0, self.world.noise))
        left = {run: 1.0 - self._done.get(run, 0.0) for run in runs}
        return sum(self.times[run] * left[run] for run in runs) + self.stream * max(left.values())

    def in_training(self) -> float:
        """Returns the estimated seconds that the runs in training still take."""
        busy = [slot for slot in self.slots if slot.hand]
        return sum(max(slot.estimate - (self.now - slot.began) * slot.node.speed, 0.0) for slot in busy)

    def _at(self, seconds: float, kind: str, number: int, turn: int = 0) -> None:
        heapq.heappush(self._events, (seconds, next(self._count), kind, number, turn))

    def _hand_out(self) -> None:
        while self.waiting and self._idle:
            _, number = heapq.heappop(self._idle)
            slot = self.slots[number]
            if not slot.node.lives or slot.hand:
                continue
            slot.hand, slot.began, slot.turn = self.waiting.popleft(), self.now, slot.turn + 1
            assert slot.hand.job
            slot.estimate = sum(map(self.estimate, slot.hand.job.runs))
            self._at(self.now + self.seconds(slot.hand.job.runs) / slot.node.speed, "ends", number, slot.turn)

    def _ends(self, number: int, turn: int) -> None:
        slot = self.slots[number]
        if slot.turn != turn or not slot.hand or not slot.hand.job:
            return
        hand, slot.hand = slot.hand, None
        hand.events += [*(Message(FINISHED, run) for run in slot_runs(hand)), WorkerState.DONE]
        self._told.append(hand)
        heapq.heappush(self._idle, (-slot.node.speed, number))

    def _fails_later(self, number: int) -> None:
        if self.world.lifetime < math.inf:
            self._at(self.now + self.draw.expovariate(1 / self.world.lifetime), "fails", number)

    def _fails(self, number: int, _: int) -> None:
        node = self.nodes[number]
        node.lives, self.failures = False, self.failures + 1
        self._at(self.now + AWAY_SECONDS, "returns", number)
        for place, slot in enumerate(self.slots):
            if slot.node is node and slot.hand:
                self._keep_checkpoint(slot)
                slot.turn += 1  # its job never ends
                self._at(self.now + NOTICE_SECONDS, "is_noticed", place, slot.turn)

    def _keep_checkpoint(self, slot: Slot) -> None:
        """Remembers what the job's runs have done by their last checkpoint."""
        runs, did = slot_runs(slot.hand), (self.now - slot.began) * slot.node.speed
        kept = max(0.0, did - self.draw.random() * self.world.checkpoint * slot.node.speed)
        self.lost += did - kept
        share = kept / self.seconds(runs)
        for run in runs:
            done = self._done.get(run, 0.0)
            self._done[run] = done + (1.0 - done) * share

    def _is_noticed(self, number: int, turn: int) -> None:
        slot = self.slots[number]
        if slot.turn == turn and slot.hand:
            slot.hand.gone = Gone("its node is lost", blameless=True)
            self._told.append(slot.hand)
            slot.hand = None
            if slot.node.lives:
                heapq.heappush(self._idle, (-slot.node.speed, number))

    def _returns(self, number: int, _: int) -> None:
        self.nodes[number].lives = True
        self._fails_later(number)
        for place, slot in enumerate(self.slots):
            if slot.node is self.nodes[number] and not slot.hand:
                heapq.heappush(self._idle, (-slot.node.speed, place))


def slot_runs(hand: SimulatedHand | None) -> tuple[Run, ...]:
    """Returns the runs of a hand's job; none without one."""
    return hand.job.runs if hand and hand.job else ()
