"""Logging beside the training: in order, complete at the end, and errors are raised."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from runner.data import prepare
from runner.execute import Job, _job, _training
from runner.execute._messages import Command
from runner.execute._scribe import _MOST_WAITING, Scribe
from runner.expand import Run, Variant
from runner.spec import Settings
from runner.store import present_provenance
from runner.train import Interrupted
from tests.commands import event_steps, numbers
from tests.conftest import BASE

CPU = torch.device("cpu")
CHANGES: dict[str, dict[str, Any]] = {"both": {"batch_norm": True, "dropout": 0.5}, "short": {"epochs": 2}}


@pytest.mark.parametrize("aside", [False, True])
def test_events_are_handled_in_order_and_all_of_them(aside: bool) -> None:
    handled: list[int] = []
    threads: set[int] = set()

    def handle(number: int) -> None:
        handled.append(number)
        threads.add(threading.get_ident())

    with Scribe(CPU, aside) as scribe:
        for number in range(3 * _MOST_WAITING):
            scribe.do(handle, number)
    assert handled == list(range(3 * _MOST_WAITING))
    assert (threads == {threading.get_ident()}) == (not aside)


@pytest.mark.parametrize("aside", [False, True])
def test_an_error_is_raised(aside: bool) -> None:
    def handle(number: int) -> None:
        if number == 1:
            raise OSError("no space left")

    def four() -> None:
        with Scribe(CPU, aside) as scribe:
            for number in range(4):
                scribe.do(handle, number)

    with pytest.raises(OSError, match="no space"):
        four()


@pytest.fixture
def job(cache: Path) -> Job:
    base = BASE | {"epochs": 4}
    variants = [Variant(name, Settings.model_validate(base | each), each) for name, each in CHANGES.items()]
    return Job(tuple(Run("study-digits", each, 0) for each in variants), prepare(variants[0].ours, Path("data"), cache))


def test_a_job_that_is_logged_aside_leaves_the_same(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is stopped while events wait to be logged: the checkpoint is of the last one."""

    def train(place: str, stop: Any = lambda: False) -> None:
        command = Command(tmp_path / place / "runs", "cpu", present_provenance("cpu"))
        _job.train_job(job, command, lambda _: None, stop)

    train("plain")
    monkeypatch.setattr(_job, "Scribe", lambda device, aside: Scribe(device, aside=True))
    monkeypatch.setattr(_training, "CHECKPOINT_SECONDS", 0)
    train("aside")
    assert numbers(tmp_path / "aside") == numbers(tmp_path / "plain")
    asked = iter(range(10**9))
    with pytest.raises(Interrupted):
        train("stopped", lambda: next(asked) == 70)
    assert not list((tmp_path / "stopped").glob("runs/*/both-*/seed0/result.json"))
    train("stopped")
    assert numbers(tmp_path / "stopped") == numbers(tmp_path / "plain")
    for run in (tmp_path / "stopped").glob("runs/*/both-*/seed0"):
        assert event_steps(run) == ([1, 2, 3, 4], [1, 2, 3, 4])
