"""The crew's policy, on an engine without processes: what a worker does with a job is a list."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from runner.execute import Job, Message
from runner.execute._engine import Gone
from runner.execute._messages import WorkerState
from runner.execute._policy import Crew
from runner.execute.crew import NoWorkers
from runner.expand import Run, Variant
from runner.spec import Settings
from tests.conftest import BASE

Event = Message | WorkerState | Gone
Behave = Callable[[Job], Sequence[Event]]
READY, DONE = WorkerState.READY, WorkerState.DONE
ONE, TWO = (Run("study-digits", Variant("baseline", Settings.model_validate(BASE), {}), seed) for seed in range(2))


class FakeHand:
    def __init__(self, behave: Behave, first: Sequence[Event]) -> None:
        self._behave = behave
        self.events = deque(first)
        self.answers: list[str] = []
        self.closed = False

    def give(self, job: Job) -> None:
        self.events.extend(self._behave(job))

    def take(self) -> Sequence[Message | WorkerState]:
        found: list[Message | WorkerState] = []
        while self.events:  # everything up to its death at once, as a remote engine may
            event = self.events[0]
            if isinstance(event, Gone):
                if found:
                    break
                raise event
            found.append(event)
            self.events.popleft()
        return found

    def answer(self, text: str) -> None:
        self.answers.append(text)

    def alive(self) -> bool:
        return not self.closed

    def close(self) -> None:
        self.closed = True


class FakeEngine:
    def __init__(self, behave: Behave, first: Sequence[Event] = (READY,)) -> None:
        self._behave, self._first = behave, first
        self.hands: list[FakeHand] = []
        self.given: list[Job] = []
        self.stopped: list[int] = []

    def start(self) -> FakeHand:
        def behave(job: Job) -> Sequence[Event]:
            self.given.append(job)
            return self._behave(job)

        self.hands.append(FakeHand(behave, self._first))
        return self.hands[-1]

    def wait(self, hands: Sequence[FakeHand], seconds: float | None) -> Sequence[FakeHand]:
        found = [hand for hand in hands if hand.events]
        assert found or seconds is not None  # else it would wait for ever
        time.sleep(0 if found else 0.05)
        return found

    def stop(self, hands: Sequence[FakeHand], busy: Sequence[FakeHand]) -> None:
        self.stopped = [len(hands), len(busy)]


def trained(engine: FakeEngine, *jobs: Job, most: int = 1) -> list[tuple[str, int]]:
    """The kinds of messages, and the seeds of their runs."""
    said: list[tuple[str, int]] = []
    with Crew(engine, most) as crew:
        crew.train(jobs, lambda _, message: said.append((message.kind, message.run.seed)))
    return said


def finishing(job: Job) -> list[Event]:
    return [*(Message("finished", run) for run in job.runs), DONE]


def test_a_lost_machine_is_no_runs_death_and_what_had_not_ended_is_tried_again() -> None:
    losses = [[Message("finished", ONE)], [], []]

    def behave(job: Job) -> Sequence[Event]:
        return [*losses.pop(), Gone("its machine is lost", blameless=True)] if losses else finishing(job)

    losses.reverse()
    engine = FakeEngine(behave)
    assert trained(engine, Job((ONE, TWO), Path())) == [("finished", 0), *[("lost", 1)] * 3, ("finished", 1)]
    assert engine.given == [Job((ONE, TWO), Path()), *[Job((TWO,), Path())] * 3]
    assert [hand.closed for hand in engine.hands] == [True, True, True, False]


def test_machines_that_are_lost_before_they_are_ready_do_not_count_as_broken_workers() -> None:
    engine = FakeEngine(finishing, first=())
    deaths = deque([Gone("its machine is lost", blameless=True)] * 5)
    engine._behave = lambda job: [deaths.popleft()] if deaths else [READY, *finishing(job)]
    assert trained(engine, Job((ONE,), Path())) == [("finished", 0)]


def test_workers_that_die_three_times_before_they_are_ready_end_the_command() -> None:
    engine = FakeEngine(finishing, first=[Gone("it ended with exit status 9")])
    with pytest.raises(NoWorkers, match="exit status 9"):
        trained(engine, Job((ONE,), Path()))
    assert len(engine.hands) == 3


def test_only_the_run_that_kills_its_worker_twice_alone_fails() -> None:
    def behave(job: Job) -> Sequence[Event]:
        return [Message("began", run) for run in job.runs] + [Gone("it ended")] if ONE in job.runs else finishing(job)

    engine = FakeEngine(behave)
    said = trained(engine, Job((ONE, TWO), Path()))
    assert sorted(entry for entry in said if entry[0] != "began") == [
        ("died", 0), ("finished", 1), ("lost", 0), ("lost", 0), ("lost", 1),
    ]  # fmt: skip
    alone = [job.deaths for job in engine.given if job.runs == (ONE,)]
    assert alone == [0, 1]


def test_what_another_runner_has_is_asked_for_again() -> None:
    first: Iterator[list[Event]] = iter([[Message("taken", ONE), Message("finished", TWO), DONE]])
    engine = FakeEngine(lambda job: next(first, finishing(job)))
    assert trained(engine, Job((ONE, TWO), Path())) == [("taken", 0), ("finished", 1), ("finished", 0)]
    assert engine.given[1].runs == (ONE,)


def test_a_supervised_job_is_answered_at_its_start_and_after_every_epoch() -> None:
    def behave(job: Job) -> Sequence[Event]:
        return [Message("began", ONE), Message("epoch", ONE), Message("pruned", ONE), DONE]

    engine = FakeEngine(behave)
    job = Job((ONE,), Path(), supervised=True)
    with Crew(engine, 1) as crew:
        crew.train([job], lambda _, message: "too slow" if message.kind == "epoch" else None)
        crew.train([replace(job, supervised=False)], lambda *_: "not asked")
    assert engine.hands[0].answers == ["", "too slow"]


def test_a_job_may_depend_on_what_ended_before_it() -> None:
    ended: list[int] = []

    def jobs() -> Iterator[Job]:
        for number, run in enumerate((ONE, TWO)):
            assert len(ended) == number
            yield Job((run,), Path())

    with Crew(FakeEngine(finishing), 1) as crew:
        crew.train(jobs(), lambda _, message: ended.append(message.run.seed))
    assert ended == [0, 1]


def test_an_exception_stops_the_busy_workers_and_the_idle_ones() -> None:
    engine = FakeEngine(lambda job: [Message("began", run) for run in job.runs])

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Crew(engine, 2) as crew:
        crew.train([Job((ONE,), Path())], interrupt)
    assert engine.stopped == [2, 1]
