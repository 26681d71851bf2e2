"""A crew of workers in a runner's hands: deaths that are nobody's, and troubles that are no deaths."""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing.connection import Connection

import pytest

from runner.execute import workers
from runner.execute.messages import Message, Place, Share
from runner.execute.plan import record_death
from runner.execute.processes import how
from runner.execute.record import record_failure
from runner.execute.workers import NoWorkers, Workers
from runner.expand import Run, Variant
from runner.files import lock
from runner.spec import Settings


def test_the_death_of_an_idle_worker_is_not_the_next_runs(share: Share, place: Place) -> None:
    deaths: list[int] = []
    with Workers(place, 1) as crew:
        (worker,) = crew._pool
        assert worker.pipe.poll(60)  # it says that it is ready
        worker.process.kill()
        worker.process.join()
        crew.train([share], lambda share, _: deaths.append(share.deaths))
    assert deaths == [0, 0, 0]  # at began, epoch, finished


def test_a_run_that_another_runner_took_after_its_workers_deaths_is_waited_for(
    settings: Callable[..., Settings], share: Share, place: Place
) -> None:
    deadly = Variant("bad", settings(model="tests.fakes:late", model_args={"what": "die"}), {})
    run = Run("study-digits", deadly, 0)
    other = lock(place.runs / run.folder)
    kinds: list[str] = []

    def on_message(_: Share, message: Message) -> None:
        kinds.append(message.kind)
        if message.kind == "died":
            other.acquire()  # in this very moment
            record_death(message, place)
        if message.kind == "taken":
            record_failure(run, place, "it ended in the other's hands")
            other.release()

    with Workers(place, 1) as crew:
        crew.train([Share((run,), share.data)], on_message)
    assert kinds == ["began", "epoch", "began", "epoch", "died", "taken", "failed"]


def test_an_error_of_who_listens_is_no_workers_death(share: Share, place: Place) -> None:
    def on_message(_: Share, message: Message) -> None:
        raise ConnectionResetError("the terminal is gone")

    with pytest.raises(ConnectionResetError, match="the terminal is gone"), Workers(place, 1) as crew:
        crew.train([share], on_message)


def _dies_in_a_message(pipe: Connection, *_: object) -> None:
    pipe.recv()  # else its end is a reset
    os.write(pipe.fileno(), b"\0\0")
    os._exit(7)


def test_a_worker_that_dies_in_the_midst_of_a_message_is_dead(
    share: Share, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_work", _dies_in_a_message)
    with pytest.raises(NoWorkers, match="exit status 7"), Workers(place, 1) as crew:
        crew.train([share], lambda *_: None)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (3, "with exit status 3"),
        (-9, "by signal SIGKILL (out of memory?)"),
        (-11, "by signal SIGSEGV"),
        (-40, "by signal 40"),  # a real-time signal has no name
    ],
)
def test_how_a_worker_ended_in_words(code: int, words: str) -> None:
    assert how(code) == words
