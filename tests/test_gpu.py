"""On an NVIDIA GPU: recorded steps equal those taken at once, alone equals in a cohort, and results are a CPU's.

Tolerances are those of README and docs: float32 sums in another order, grown by some epochs of training.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from runner.data import Dataset, Stream, prepare
from runner.execute import Job, _training
from runner.execute._job import train_job
from runner.execute._messages import Command
from runner.expand import Run, Variant
from runner.spec import Settings
from runner.store import present_provenance, read_rows
from runner.train import Finished, Interrupted, Learner, lockstep
from tests.commands import numbers
from tests.learners import CPU, VARIANTS, outcome

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")

Make = Callable[..., Settings]
ALL = VARIANTS | {"tf32": {"precision": "tf32"}, "adagrad": {"optimizer": "Adagrad"}, "adamw": {"optimizer": "AdamW"}}
GPU = torch.device("cuda")


@pytest.fixture
def make(settings: Make, digits: Dataset) -> Callable[..., Learner]:
    def made(name: str, recorded: bool = True) -> Learner:
        each = Learner(settings(**ALL[name]), digits, 0, GPU)
        if not recorded:
            each.recorded.why_not = "the test says so"
        return each

    return made


def test_recorded_steps_equal_those_taken_at_once(
    make: Callable[..., Learner], settings: Make, digits: Dataset
) -> None:
    recorded, plain = [make(name) for name in ALL], [make(name, recorded=False) for name in ALL]
    found, expected = outcome(recorded, digits, settings()), outcome(plain, digits, settings())
    for name, new, old in zip(ALL, recorded, plain, strict=True):
        assert len(found[id(new)]) == new.epoch + 2, found[id(new)]  # it did not fail
        assert found[id(new)] == expected[id(old)], name
        reasons = dict.fromkeys(("dice", "lazy", "focal", "jitter", "signs"), "your own") | {"adagrad": "Adagrad"}
        assert reasons.get(name, "") in new.recorded.why_not
        assert bool(new.recorded.why_not) == (name in reasons), new.recorded.why_not


def test_alone_equals_in_a_cohort(make: Callable[..., Learner], settings: Make, digits: Dataset) -> None:
    together = [make(name) for name in ALL]
    logs = outcome(together, digits, settings())
    for name, member in zip(ALL, together, strict=True):
        alone = make(name)
        assert outcome([alone], digits, settings())[id(alone)] == logs[id(member)], name


def test_resumed_equals_uninterrupted(make: Callable[..., Learner], settings: Make, digits: Dataset) -> None:
    whole = [make(name) for name in ALL]
    expected = outcome(whole, digits, settings())
    asked = iter(range(10**9))
    stopped = [make(name) for name in ALL]
    with pytest.raises(Interrupted):
        list(lockstep(stopped, Stream(digits, settings(), 0, GPU), stop=lambda: next(asked) == 30))
    resumed = [make(name) for name in ALL]
    for old, new in zip(stopped, resumed, strict=True):
        new.restore(old.snapshot)
    rest = outcome(resumed, digits, settings())
    for name, old, new in zip(ALL, whole, resumed, strict=True):
        assert rest[id(new)] == expected[id(old)][1:], name


@pytest.mark.parametrize("name", ["plain", "batchnorm", "sgd", "cosine", "cnn"])
def test_a_gpu_computes_what_a_cpu_does(settings: Make, digits: Dataset, name: str) -> None:
    """Without dropout, whose draws differ: logits of the test images after three epochs agree to 2%."""
    chosen = settings(**ALL[name] | {"dropout": 0.0, "epochs": 3})
    logits: list[Any] = []
    for device in (CPU, GPU):
        events = lockstep([Learner(chosen, digits, 0, device)], Stream(digits, chosen, 0, device))
        logits += [event.logits["test"] for event in events if isinstance(event, Finished)]
    assert torch.linalg.norm(logits[0] - logits[1]) <= 0.02 * torch.linalg.norm(logits[0])


def test_learners_wait_for_their_images(
    make: Callable[..., Learner], settings: Make, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GPU that is busy elsewhere makes images late: test logits were once computed from what was there before."""
    names = ("plain", "both", "cnn")
    whole = [make(name) for name in names]
    expected = outcome(whole, digits, settings())
    normalized = Stream.normalized

    def late(self: Stream, pixels: torch.Tensor) -> torch.Tensor:
        torch.cuda._sleep(3_000_000)  # type: ignore[no-untyped-call]  # some milliseconds
        return normalized(self, pixels)

    monkeypatch.setattr(Stream, "normalized", late)
    again = [make(name) for name in names]
    found = outcome(again, digits, settings())
    for name, old, new in zip(names, whole, again, strict=True):
        assert found[id(new)] == expected[id(old)], name


def _train(job: Job, command: Command) -> None:
    """A worker's work, with a checkpoint at every epoch."""
    _training.CHECKPOINT_SECONDS = 0
    train_job(job, command, lambda _: None)


def test_killed_and_resumed_it_ends_in_the_same_bits(settings: Make, cache: Path, tmp_path: Path) -> None:
    changes = {name: ALL[name] | {"epochs": 30} for name in ("both", "sgd", "cnn", "one_cycle")}
    runs = [Run("study-digits", Variant(name, settings(**each), each), 0) for name, each in changes.items()]
    job = Job(tuple(runs), prepare(settings(), Path("data"), cache))

    def command(place: str) -> Command:
        return Command(tmp_path / place / "runs", "cuda", present_provenance("cuda"))

    train_job(job, command("whole"), lambda _: None)
    for epochs in (4, 17, 30):
        process = multiprocessing.get_context("forkserver").Process(target=_train, args=(job, command("killed")))
        process.start()
        table = command("killed").runs / runs[-1].folder / "metrics.csv"
        while process.is_alive() and (epochs == 30 or not table.exists() or len(read_rows(table)) < epochs):
            time.sleep(0.005)
        process.kill()
        process.join()
        assert (process.exitcode == 0) == (epochs == 30)
    assert numbers(tmp_path / "killed") == numbers(tmp_path / "whole")
