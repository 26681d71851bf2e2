"""Worker processes: each takes a share of a cohort at a time; one that dies takes nothing with it."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from typing import Any

from filelock import Timeout

from runner.execute.messages import Message, Place, Share
from runner.execute.processes import context, how, settle_in
from runner.execute.script import UNGUARDED, script, unguarded
from runner.execute.share import train_share
from runner.expand import Run
from runner.train import Interrupted

_STOP_SECONDS = 10  # for a clean stop, before workers are killed
_MOST_UNREADY = 3  # deaths in a row before a worker is ready
_MOST_DEATHS = 2  # of workers that had a run alone, before it has failed: the first may be anybody's doing
_READY, _DONE = "ready", "done"  # for a share; with a share
_TAKEN_SECONDS = 1.0  # until runs that another runner has are asked for again
_ASKED = ("began", "epoch")  # what a supervised share's runner answers
_ANSWER_SECONDS = 0.5  # between looks whether to stop, while waiting for an answer
OnMessage = Callable[[Share, Message], str | None]


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    share: Share | None = None
    ready: bool = False  # its imports are behind it
    ended: set[Run] = field(default_factory=set)
    taken: list[Run] = field(default_factory=list)  # by another runner


class FailFast(Exception):
    """A run failed, and the command was told to stop at the first failure."""


class NoWorkers(Exception):
    """Worker processes die before they are ready for work: no run's doing, and nothing can be trained."""


class Workers:
    """A crew of processes, started before there is work, so that they import while it is prepared.

    A context: leaving it ends them. On an exception, KeyboardInterrupt among them, they stop cleanly:
    they write checkpoints of the epoch before and exit.
    """

    def __init__(self, place: Place, count: int) -> None:
        self._context = context()
        self._place = place
        # No Event: looking at one takes a lock, which a worker killed in that moment would hold for ever.
        self._stop = self._context.RawValue("b", 0)
        self._count = count
        self._unready = 0
        self._pool: list[_Worker] = []
        try:
            for _ in range(count):
                self._pool.append(self._start())
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        """Workers at work stop at the next batch. A second Ctrl-C waits for none of them."""
        self._stop.value = 1
        try:
            for worker in self._pool:
                if worker.share is None:
                    worker.process.kill()  # it holds nothing, and may be in the midst of its imports
                worker.process.join(_STOP_SECONDS)
        finally:
            for worker in self._pool:
                worker.process.kill()
            for worker in self._pool:
                worker.process.join()
                worker.pipe.close()

    def check(self) -> None:
        """RequestError where the workers' import of the script calls run() again. Waits for one worker."""
        if not self._pool or not script():
            return
        ready = wait([worker.pipe for worker in self._pool])
        for worker in [worker for worker in self._pool if worker.pipe in ready]:
            with suppress(EOFError, OSError):
                worker.ready = worker.pipe.recv() == _READY
            if not worker.ready:
                _refuse_unguarded(worker)

    def train(self, shares: Iterable[Share], on_message: OnMessage) -> None:
        """Trains every share; returns when all their runs have ended, finished, pruned or failed.

        The next share is asked for when a worker is free, so it may depend on what has ended by then.
        Raises NoWorkers where workers die before they are ready for work.
        """
        queue: deque[Share] = deque()  # what is tried again comes first
        more = iter(shares)
        taken: list[Share] = []  # what another runner has is asked for again until it has ended
        asked = time.monotonic()
        while True:
            self._hand_out(queue, more)
            busy = [worker for worker in self._pool if worker.share]
            if not busy and not taken:
                return
            ready = wait([worker.pipe for worker in busy], _TAKEN_SECONDS if taken else None)
            for worker in [worker for worker in busy if worker.pipe in ready]:
                try:
                    message = worker.pipe.recv()
                except (EOFError, OSError):  # this alone is its death; on_message has troubles of its own
                    self._pool.remove(worker)
                    queue.extendleft(self._bury(worker, on_message, taken))
                else:
                    taken += self._receive(worker, message, on_message)
            if taken and time.monotonic() - asked >= _TAKEN_SECONDS:
                queue.extend(taken)
                taken, asked = [], time.monotonic()

    def _hand_out(self, queue: deque[Share], more: Iterator[Share]) -> None:
        """A share for every idle worker; dead workers are replaced while there is work.

        One that died while it was idle is dropped first: the next run had no part in its death.
        """
        for dead in [worker for worker in self._pool if worker.share is None and not worker.process.is_alive()]:
            self._pool.remove(dead)
            dead.pipe.close()
        while sum(worker.share is not None for worker in self._pool) < self._count:
            share = queue.popleft() if queue else next(more, None)
            if share is None:
                return
            worker = next((worker for worker in self._pool if worker.share is None), None)
            if worker is None:
                worker = self._start()
                self._pool.append(worker)
            worker.share, worker.ended, worker.taken = share, set(), []
            with suppress(OSError):  # it is dead; the end of its pipe will say so
                worker.pipe.send(worker.share)

    def _receive(self, worker: _Worker, message: Any, on_message: OnMessage) -> list[Share]:
        """Passes a message on; at a share's end returns what another runner kept from it."""
        share = worker.share
        assert share is not None
        if message == _READY:
            worker.ready, self._unready = True, 0
            return []
        if message == _DONE:
            worker.share = None
            return [replace(share, runs=tuple(worker.taken))] if worker.taken else []
        if message.kind in ("finished", "pruned", "failed"):
            worker.ended.add(message.run)
        if message.kind == "taken":
            worker.taken.append(message.run)
        answer = on_message(share, message)
        if share.supervised and message.kind in _ASKED:
            with suppress(OSError):  # it is dead; the end of its pipe will say so
                worker.pipe.send(answer or "")
        return []

    def _bury(self, worker: _Worker, on_message: OnMessage, taken: list[Share]) -> list[Share]:
        """A worker died with its share: its runs are tried again one by one, so that only the culprit fails."""
        worker.process.join()
        worker.pipe.close()
        share = worker.share
        assert share is not None
        cause = f"the worker process ended {how(worker.process.exitcode)}"
        if not worker.ready:  # no run's doing
            _refuse_unguarded(worker)
            self._unready += 1
            if self._unready >= _MOST_UNREADY:
                raise NoWorkers(cause)
            return [share]
        left = [run for run in share.runs if run not in worker.ended]
        deaths = share.deaths + (len(share.runs) == 1)  # in company it may have been any of them
        if deaths >= _MOST_DEATHS and left:
            try:
                on_message(share, Message("died", left[0], cause=cause))
            except Timeout:  # another runner has the run by now
                taken.append(share)
            return []
        return [replace(share, runs=(run,), deaths=deaths) for run in left]

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, self._place, self._stop), daemon=True)
        process.start()
        theirs.close()  # so that the worker's death is the end of the pipe
        return _Worker(process, ours)


def _refuse_unguarded(dead: _Worker) -> None:
    dead.process.join()
    if dead.process.exitcode == UNGUARDED:
        raise unguarded()


def _work(pipe: Connection, place: Place, stop: Any) -> None:
    """A worker's life: share after share, until the pipe closes or it is told to stop."""
    settle_in()

    def send(message: Message | str) -> str:
        try:
            pipe.send(message)
        except OSError:  # the runner is gone; this is no failure of the run
            os._exit(1)
        return ""

    def ask(message: Message) -> str:
        send(message)
        if message.kind not in _ASKED:
            return ""
        while not pipe.poll(_ANSWER_SECONDS):
            if stop.value:
                raise Interrupted
        try:
            return str(pipe.recv())
        except (EOFError, OSError):
            os._exit(1)

    send(_READY)
    try:
        while True:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # idle, it holds nothing
            share = pipe.recv()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a cluster's notice too reaches the whole group
            train_share(share, place, ask if share.supervised else send, lambda: bool(stop.value))
            send(_DONE)
    except (EOFError, ConnectionResetError, Interrupted):
        return
    except Exception:
        traceback.print_exc()
        os._exit(1)
