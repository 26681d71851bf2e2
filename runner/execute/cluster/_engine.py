"""Workers that are actors of a Ray cluster. Run directories grow here, while their runs train there."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import ActorDiedError, RayError, RuntimeEnvSetupError

from runner.execute._claims import claim
from runner.execute._engine import Gone
from runner.execute._messages import Command, Job, Message, WorkerState
from runner.execute._policy import NoWorkers
from runner.execute.cluster._actor import Batch, Hello, Worker
from runner.execute.cluster._data import Sent, send
from runner.execute.cluster._mirror import apply, snapshot
from runner.execute.cluster._nodes import alive_nodes, cause_of, refuse_others

_NODES_SECONDS = 2.0  # between looks which nodes are alive
_DOUBT_SECONDS = 20.0  # Ray may say that an actor died up to 15 s before it says that its node did
_FETCH_SECONDS = 60.0  # for a batch that is there; then its node counts as lost
_STOP_SECONDS = 60.0  # for a clean stop: checkpoints come over the network
_CLOSE_SECONDS = 5.0
_MOST_BROKEN = 3  # actors in a row that died before they were ready


class RayHand:
    """A worker, as the runner sees it. See `Hand`.

    It waits with its job until the engine has an actor for it, and says READY then.
    """

    def __init__(self, engine: RayEngine) -> None:
        self._engine = engine
        self.events: list[Message | WorkerState] = []
        self.gone: Gone | None = None
        self.ready = False
        self.locks = ExitStack()  # of its runs
        self.actor: Actor | None = None

    def give(self, job: Job) -> None:
        """Has the job wait for an actor."""
        self._engine.waiting.append((self, job))

    def take(self) -> Sequence[Message | WorkerState]:
        """Returns what the engine has received. Raises Gone once that is all."""
        if not self.events and self.gone:
            raise self.gone
        events, self.events = self.events, []
        return events

    def answer(self, text: str) -> None:
        """Sends the answer."""
        if self.actor:
            self.actor.handle.answer.remote(text)

    def alive(self) -> bool:
        """Whether it can be given a job: without an actor it waits for one."""
        return self.gone is None

    def close(self) -> None:
        """Frees the locks of its runs."""
        self.locks.close()


@dataclass(eq=False)
class Actor:
    """An actor, and the call that it has not answered yet: `hello`, then `receive` again and again."""

    handle: Any
    call: Any
    node: str = ""  # before its hello
    hand: RayHand | None = None  # whose job it has
    died: float | None = None  # when Ray said so
    reason: str = ""


class RayEngine:
    """Starts actors and carries messages and files. See `Engine`.

    An actor belongs to no hand: once its job is done, it takes the job that has waited longest.
    """

    def __init__(self, command: Command, gpus: int) -> None:
        self._command = command
        # Where the runs are here is nothing to a node.
        self._sent_command = ray.put(replace(command, runs=Path()))
        self._worker = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0, max_concurrency=4)(Worker)
        self._actors: list[Actor] = []
        self.waiting: deque[tuple[RayHand, Job]] = deque()
        self._data: dict[Path, Sent] = {}
        self._broken = 0
        self._alive: set[str] = set()
        self._looked, self._node_lost = 0.0, 0.0
        self._stopping = False

    def start(self) -> RayHand:
        """Asks Ray for an actor, which starts where a node has room for it."""
        self._start_actor()
        return RayHand(self)

    def _start_actor(self) -> None:
        handle = self._worker.remote(self._sent_command)
        self._actors.append(Actor(handle, handle.hello.remote()))

    def wait(self, hands: Sequence[RayHand], seconds: float | None) -> Sequence[RayHand]:
        """Returns the hands for which something has been received, with its files in the runs' directories.

        Raises RequestError where a node has other versions than this machine, NoWorkers where actors can't start, and
        OSError where a run's directory can't be written here.
        """
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            if found := [hand for hand in hands if hand.events or hand.gone]:
                return found
            left = _NODES_SECONDS if until is None else until - time.monotonic()
            if left <= 0:
                return []
            self._step(min(left, _NODES_SECONDS))

    def _step(self, seconds: float) -> None:
        """Receives what comes within some seconds, looks after lost actors, and hands waiting jobs out."""
        self._hand_out()
        calls = {actor.call: actor for actor in self._actors if actor.died is None}
        ready: list[Any] = []
        if calls:
            ready, _ = ray.wait(list(calls), timeout=seconds)
        else:
            time.sleep(seconds)
        if ready and len(calls) > 1:
            ready, _ = ray.wait(list(calls), num_returns=len(calls), timeout=0)
        for call in ready:
            self._receive(calls[call])
        self._look_for_lost()
        self._hand_out()

    def _receive(self, actor: Actor) -> None:
        try:
            answer: Hello | Batch = ray.get(actor.call, timeout=_FETCH_SECONDS)
        except RuntimeEnvSetupError as error:
            raise NoWorkers(cause_of(error)) from error
        except RayError as error:
            if isinstance(error, ActorDiedError) and error.actor_init_failed:
                raise NoWorkers(cause_of(error)) from error
            actor.died, actor.reason = time.monotonic(), cause_of(error)
            return
        if isinstance(answer, Hello):
            refuse_others({answer.node: answer.provenance}, self._command.provenance)
            actor.node, self._broken = answer.node, 0
            self._alive.add(answer.node)  # it may have joined since the last look
        else:
            self._apply(actor, answer)
            if answer.lost:
                self._lose(actor, Gone(answer.lost))
                return
        actor.call = actor.handle.receive.remote()

    def _apply(self, actor: Actor, batch: Batch) -> None:
        """Writes a batch's files, and passes its messages on."""
        for folder, changes in batch.files.items():
            apply(self._command.runs / folder, changes)
        if hand := actor.hand:
            hand.events += batch.messages
            if WorkerState.DONE in batch.messages:
                hand.locks.close()
                hand.actor = actor.hand = None

    def _hand_out(self) -> None:
        """Gives waiting jobs to idle actors. Runs that this command need not train, or may not, are left out."""
        idle = [actor for actor in self._actors if actor.node and not actor.hand and actor.died is None]
        while self.waiting and idle and not self._stopping:
            hand, job = self.waiting.popleft()
            command = self._command
            mine = tuple(run for run in job.runs if claim(run, command, hand.events.append, hand.locks))
            if not mine:
                hand.events.append(WorkerState.DONE)
                continue
            files = {run.folder: snapshot(command.runs / run.folder) for run in mine}
            hand.actor = actor = idle.pop()
            actor.hand = hand
            if not hand.ready:
                hand.ready = True
                hand.events.insert(0, WorkerState.READY)
            actor.handle.give.remote(replace(job, runs=mine), files, self._sent(job))

    def _sent(self, job: Job) -> Sent:
        if job.runs[0].own:
            return {}
        if job.data not in self._data:
            self._data[job.data] = send(job.data)
        return self._data[job.data]

    def _look_for_lost(self) -> None:
        """Ends actors whose node is lost, and those that have died on a node that lives."""
        now = time.monotonic()
        if now - self._looked >= _NODES_SECONDS:
            self._looked, before = now, self._alive
            self._alive = alive_nodes()
            self._node_lost = now if before - self._alive else self._node_lost
        for actor in list(self._actors):
            # What a lost node had ready is never fetched, and no error says so.
            if actor.node and actor.node not in self._alive:
                self._lose(actor, Gone("its node is lost", blameless=True))
            elif actor.died is not None and now - actor.died > _DOUBT_SECONDS:
                blameless = not actor.node and now - self._node_lost < 2 * _DOUBT_SECONDS
                self._lose(actor, Gone(f"its Ray worker died: {actor.reason}", blameless))

    def _lose(self, actor: Actor, gone: Gone) -> None:
        """Drops an actor. Another one takes its place: at once where it had no job, else with the crew's next hand."""
        self._actors.remove(actor)
        ray.kill(actor.handle)
        if actor.hand:
            actor.hand.gone, actor.hand.actor = gone, None
            return
        if not actor.node and not gone.blameless:
            self._broken += 1
            if self._broken >= _MOST_BROKEN:
                raise NoWorkers(str(gone))
        if not self._stopping:
            self._start_actor()

    def stop(self, hands: Sequence[RayHand], busy: Sequence[RayHand]) -> None:
        """Ends all actors. The busy ones send their checkpoints first; a KeyboardInterrupt meanwhile ends the wait."""
        self._stopping = True
        try:
            for hand in busy:
                if hand.actor:
                    hand.actor.handle.stop.remote()
            until = time.monotonic() + _STOP_SECONDS
            while any(actor.hand for actor in self._actors) and time.monotonic() < until:
                self._step(_NODES_SECONDS)
            there = [actor.handle.close.remote() for actor in self._actors if actor.node and actor.died is None]
            if there:
                ray.wait(there, num_returns=len(there), timeout=_CLOSE_SECONDS)
        finally:
            for hand in hands:
                hand.close()
            for actor in self._actors:
                ray.kill(actor.handle)
