"""A crew of workers in a runner's hands: deaths that are nobody's, and troubles that are no deaths."""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing.connection import Connection

import pytest

from runner.execute import Job, Message
from runner.execute import _local as local
from runner.execute._claims import record_death
from runner.execute._local import LocalEngine, LocalHand
from runner.execute._messages import Command
from runner.execute._policy import Crew
from runner.execute._processes import exit_reason
from runner.execute._record import record_failure
from runner.execute.crew import NoWorkers
from runner.expand import Run, Variant
from runner.files import lock
from runner.spec import Settings


def test_the_death_of_an_idle_worker_is_not_the_next_runs(job: Job, command: Command) -> None:
    deaths: list[int] = []
    started: list[LocalHand] = []

    class Engine(LocalEngine):
        def start(self) -> LocalHand:
            started.append(super().start())
            return started[-1]

    with Crew(Engine(command), 1) as crew:
        (worker,) = started
        assert worker.pipe.poll(60)  # it says that it is ready
        worker.process.kill()
        worker.process.join()
        crew.train([job], lambda job, _: deaths.append(job.deaths))
    assert deaths == [0, 0, 0]  # at began, epoch, finished


def test_a_run_that_another_runner_took_after_its_workers_deaths_is_waited_for(
    settings: Callable[..., Settings], job: Job, command: Command
) -> None:
    deadly = Variant("bad", settings(model="tests.fakes:late", model_args={"what": "die"}), {})
    run = Run("study-digits", deadly, 0)
    other = lock(command.runs / run.folder)
    kinds: list[str] = []

    def on_message(_: Job, message: Message) -> None:
        kinds.append(message.kind)
        if message.kind == "died":
            other.acquire()  # in this very moment
            record_death(message, command)
        if message.kind == "taken":
            record_failure(run, command, "it ended in the other's hands")
            other.release()

    with Crew(LocalEngine(command), 1) as crew:
        crew.train([Job((run,), job.data)], on_message)
    assert kinds == ["began", "epoch", "lost", "began", "epoch", "died", "taken", "failed"]


def test_an_error_of_who_listens_is_no_workers_death(job: Job, command: Command) -> None:
    def on_message(_: Job, message: Message) -> None:
        raise ConnectionResetError("the terminal is gone")

    with pytest.raises(ConnectionResetError, match="the terminal is gone"), Crew(LocalEngine(command), 1) as crew:
        crew.train([job], on_message)


def _dies_in_a_message(pipe: Connection, *_: object) -> None:
    pipe.recv()  # else its end is a reset
    os.write(pipe.fileno(), b"\0\0")
    os._exit(7)


def test_a_worker_that_dies_in_the_midst_of_a_message_is_dead(
    job: Job, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_work", _dies_in_a_message)
    with pytest.raises(NoWorkers, match="exit status 7"), Crew(LocalEngine(command), 1) as crew:
        crew.train([job], lambda *_: None)


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
    assert exit_reason(code) == words
