"""Decides which worker trains what, and which run is to blame for a death. An engine knows processes and machines."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from filelock import Timeout

from runner.execute._engine import AnyEngine, Gone, Hand
from runner.execute._messages import ANSWERED, Job, Message, WorkerState
from runner.expand import Run
from runner.store import FAILED, FINISHED, PRUNED
from runner.text import counted

_MOST_UNREADY = 3  # deaths in a row before a worker is ready
_MOST_DEATHS = 2  # of workers that had a run alone, until it has failed: the first may have another cause
_TAKEN_SECONDS = 1.0  # until runs that another runner has are asked for again
OnMessage = Callable[[Job, Message], str | None]


class FailFast(Exception):
    """A run failed, and the command stops at the first failure."""


class NoWorkers(Exception):
    """Workers die before they are ready. No run is to blame, and nothing can be trained."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"workers die before they can begin: {reason}. If memory is short, use fewer --workers; in a script, call "
            'run() below if __name__ == "__main__".'
        )


@dataclass
class _Worker:
    hand: Hand
    job: Job | None = None
    ready: bool = False  # its imports are done
    ended: set[Run] = field(default_factory=set)  # of its job
    taken: list[Run] = field(default_factory=list)  # of its job, by another runner


class Crew:
    """Workers that are started before there is work, so that they import while it is prepared.

    A context: leaving it ends the workers. Those that still train, because an exception such as KeyboardInterrupt
    came, stop cleanly: they write checkpoints of the last complete epoch and exit.
    """

    def __init__(self, engine: AnyEngine, most: int) -> None:
        """Starts `most` workers; there are never more."""
        self._engine = engine
        self._most = most
        self._unready = 0
        self._pool: list[_Worker] = []
        try:
            for _ in range(most):
                self._pool.append(_Worker(engine.start()))
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        """Workers at work stop at the next batch. A second Ctrl-C waits for none of them."""
        busy = [worker.hand for worker in self._pool if worker.job]
        self._engine.stop([worker.hand for worker in self._pool], busy)

    def await_one(self) -> None:
        """Waits until a worker is ready or lost. Raises RequestError where workers can't import your script."""
        hands = [worker.hand for worker in self._pool]
        ready = self._engine.wait(hands, None) if hands else ()
        for worker in [worker for worker in self._pool if worker.hand in ready]:
            with suppress(Gone):  # before it had a job: it is replaced when there is one
                worker.ready = WorkerState.READY in worker.hand.take()

    def train(self, jobs: Iterable[Job], on_message: OnMessage) -> None:
        """Trains every job; returns when all their runs have ended: finished, pruned or failed.

        The next job is asked for when a worker is free, so it may depend on what has ended by then.
        `on_message` hears of everything that happens, and its return value answers a supervised job.
        Raises NoWorkers where workers die before they are ready for work.
        """
        queue: deque[Job] = deque()  # what is tried again comes first
        more = iter(jobs)
        taken: list[Job] = []  # what another runner has is asked for again until it has ended
        asked = time.monotonic()
        while True:
            self._hand_out(queue, more)
            busy = [worker for worker in self._pool if worker.job]
            if not busy and not taken:
                return
            ready = self._engine.wait([worker.hand for worker in busy], _TAKEN_SECONDS if taken else None)
            for worker in [worker for worker in busy if worker.hand in ready]:
                try:
                    messages = worker.hand.take()
                except Gone as gone:  # only `take` reports its death; on_message may raise other errors
                    self._pool.remove(worker)
                    queue.extendleft(self._bury(worker, gone, on_message, taken))
                else:
                    for message in messages:
                        taken += self._receive(worker, message, on_message)
            if taken and time.monotonic() - asked >= _TAKEN_SECONDS:
                queue.extend(taken)
                taken, asked = [], time.monotonic()

    def _hand_out(self, queue: deque[Job], more: Iterator[Job]) -> None:
        """Gives every idle worker a job, and replaces lost workers while there is work.

        A worker that died while it was idle is dropped first: the next run is not to blame.
        """
        for dead in [worker for worker in self._pool if worker.job is None and not worker.hand.alive()]:
            self._pool.remove(dead)
            dead.hand.close()
        while sum(worker.job is not None for worker in self._pool) < self._most:
            job = queue.popleft() if queue else next(more, None)
            if job is None:
                return
            worker = next((worker for worker in self._pool if worker.job is None), None)
            if worker is None:
                worker = _Worker(self._engine.start())
                self._pool.append(worker)
            worker.job, worker.ended, worker.taken = job, set(), []
            worker.hand.give(job)

    def _receive(self, worker: _Worker, message: Message | WorkerState, on_message: OnMessage) -> list[Job]:
        """Passes a message on; at a job's end returns what another runner kept from it."""
        if message is WorkerState.READY:
            worker.ready, self._unready = True, 0
            return []
        job = worker.job
        assert job is not None
        if message is WorkerState.DONE:
            worker.job = None
            return [replace(job, runs=tuple(worker.taken))] if worker.taken else []
        if message.kind in (FINISHED, PRUNED, FAILED):
            worker.ended.add(message.run)
        if message.kind == "taken":
            worker.taken.append(message.run)
        answer = on_message(job, message)
        if job.supervised and message.kind in ANSWERED:
            worker.hand.answer(answer or "")
        return []

    def _bury(self, worker: _Worker, gone: Gone, on_message: OnMessage, taken: list[Job]) -> list[Job]:
        """Handles the death of a worker with a job. Returns the jobs to try again.

        The runs are tried one by one, so that only the run that ended the worker fails. Where the machine was lost,
        no run is to blame, and the remaining runs are tried again together.
        """
        worker.hand.close()
        job = worker.job
        assert job is not None
        left = [run for run in job.runs if run not in worker.ended]
        if gone.blameless:
            again = [replace(job, runs=tuple(left))] if left else []
        elif not worker.ready:  # no run had begun
            self._unready += 1
            if self._unready >= _MOST_UNREADY:
                raise NoWorkers(str(gone))
            return [job]
        else:
            deaths = job.deaths + (len(job.runs) == 1)  # in company it may have been any of them
            if deaths >= _MOST_DEATHS and left:
                try:
                    on_message(job, Message("died", left[0], cause=str(gone)))
                except Timeout:  # another runner has the run by now
                    taken.append(job)
                return []
            again = [replace(job, runs=(run,), deaths=deaths) for run in left]
        if worker.ready:
            _announce(job, [run for run in left if run not in worker.taken], gone, on_message)
        return again


def _announce(job: Job, left: Sequence[Run], gone: Gone, on_message: OnMessage) -> None:
    """Says that the worker of these runs is lost, and that they are tried again."""
    again = f"{counted(len(left), 'run')} to be tried again, from the last checkpoint if there is one"
    said = f"a worker is lost: {str(gone).rstrip('.')}. {again}"
    for run in left:
        on_message(job, Message("lost", run, cause=said if run == left[0] else ""))
