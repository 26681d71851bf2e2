"""Recorded steps, on a CPU: a pretend recording takes the batch and the gradients that a CUDA graph would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from runner.data import Dataset, Stream, prepare
from runner.execute import Job
from runner.execute._job import train_job
from runner.execute._messages import Command, Message
from runner.expand import Run, Variant
from runner.spec import Settings
from runner.store import Provenance
from runner.train import Interrupted, Learner, _learner, lockstep
from runner.train._lane import Lane, MpsLane, Replay
from tests.learners import CPU, VARIANTS, learner, outcome

Make = Callable[..., Settings]


class PretendLane(Lane):
    """Records a step as the call that takes it, and counts."""

    records = True

    def __init__(self) -> None:
        self.recorded = self.replayed = 0

    def record(self, step: Callable[[], None]) -> Replay:
        self.recorded += 1

        def replay() -> None:
            self.replayed += 1
            step()

        return replay


class SeededLane(MpsLane):
    """Knows which run seeded the pretend GPU last."""

    def __init__(self, name: str) -> None:
        self.name = name

    def seed(self, number: int) -> None:
        super().seed(number)
        seeds.setdefault(self.name, []).append(number)


seeds: dict[str, list[int]] = {}


class NoLane(PretendLane):
    """A step that can't be recorded."""

    def record(self, step: Callable[[], None]) -> Replay:
        raise RuntimeError("operation not permitted when stream is capturing")


@pytest.fixture
def make(settings: Make, digits: Dataset) -> Callable[..., Learner]:
    def made(name: str, lane: Lane | None = None) -> Learner:
        each = learner(digits, settings(**VARIANTS[name]))
        each.lane = lane or each.lane
        return each

    return made


def test_recorded_steps_train_the_same_bit_for_bit(
    make: Callable[..., Learner], settings: Make, digits: Dataset
) -> None:
    plain = [make(name) for name in VARIANTS]
    lanes = [PretendLane() for _ in VARIANTS]
    recorded = [make(name, lane) for name, lane in zip(VARIANTS, lanes, strict=True)]
    expected, found = outcome(plain, digits, settings()), outcome(recorded, digits, settings())
    for name, lane, old, new in zip(VARIANTS, lanes, plain, recorded, strict=True):
        assert found[id(new)] == expected[id(old)], name
        if name in ("dice", "lazy", "focal", "jitter", "signs", "auxiliary"):  # own code may count its steps
            assert (lane.recorded, "your own" in new.recorded.why_not) == (0, True)
        else:
            steps = new.epoch * len(Stream(digits, settings(), 0, CPU).order(1))
            # full and last batches, with the gradients' norm and without; the first two steps are taken at once
            assert 3 <= lane.recorded <= 4
            assert lane.replayed == steps - 2


def test_a_resumed_run_records_again_and_trains_the_same(
    make: Callable[..., Learner], settings: Make, digits: Dataset
) -> None:
    names = ("both", "sgd", "one_cycle")
    whole = [make(name) for name in names]
    expected = outcome(whole, digits, settings())
    asked = iter(range(10**9))
    stopped = [make(name, PretendLane()) for name in names]
    with pytest.raises(Interrupted):
        list(lockstep(stopped, Stream(digits, settings(), 0, CPU), stop=lambda: next(asked) == 30))
    resumed = [make(name, PretendLane()) for name in names]
    for old, new in zip(stopped, resumed, strict=True):
        new.restore(old.snapshot)
    rest = outcome(resumed, digits, settings())
    for old, new in zip(whole, resumed, strict=True):
        assert rest[id(new)] == expected[id(old)][1:]


def test_a_step_that_cant_be_recorded_is_taken_at_once_and_says_why(
    make: Callable[..., Learner], settings: Make, digits: Dataset
) -> None:
    plain, other = make("both"), make("both", NoLane())
    expected = outcome([plain], digits, settings())[id(plain)]
    assert outcome([other], digits, settings())[id(other)] == expected
    assert "not permitted" in other.recorded.why_not


def test_a_run_says_once_why_its_steps_are_not_recorded(
    settings: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setattr(_learner, "lane", lambda _: PretendLane())
    changes: dict[str, dict[str, Any]] = {"adam": {}, "adagrad": {"optimizer": "Adagrad"}}
    runs = [Run("mine", Variant(name, settings(**each, epochs=3), each), 0) for name, each in changes.items()]
    messages: list[Message] = []
    job = Job(tuple(runs), prepare(settings(), Path("data"), cache))
    train_job(job, Command(tmp_path, "cpu", Provenance()), messages.append)
    said = [message for message in messages if message.cause]
    assert [(each.kind, each.run) for each in said] == [("epoch", runs[1])]
    assert "Adagrad" in said[0].cause


@pytest.mark.parametrize(("optimizer", "recorded"), [("Adam", True), ("SGD", True), ("Adagrad", False)])
def test_which_optimizers_are_recorded(settings: Make, digits: Dataset, optimizer: str, recorded: bool) -> None:
    each = learner(digits, settings(optimizer=optimizer))
    assert each.recorded.why_not == ("" if recorded else "torch can't record steps of Adagrad")


def test_gradients_shown_after_an_epoch_are_the_last_steps(settings: Make, digits: Dataset) -> None:
    """A graph writes its gradients into its own memory: the parameters' `grad` may be another graph's."""
    each = learner(digits, settings())

    class Frozen(PretendLane):
        def record(self, step: Callable[[], None]) -> Replay:
            own = [torch.zeros_like(parameter) for parameter in each.model.parameters()]
            for target, parameter in zip(own, each.model.parameters(), strict=True):
                parameter.grad = target

            def replay() -> None:
                step()
                for target, parameter in zip(own, each.model.parameters(), strict=True):
                    assert parameter.grad is not None
                    target.copy_(parameter.grad)
                    parameter.grad = None

            return replay

    each.lane = Frozen()
    stream = Stream(digits, settings(), 0, CPU)
    for images, labels in stream.train(1):
        each.step(images, labels)
    each.take_counts()
    gradients: list[Any] = [parameter.grad for parameter in each.model.parameters()]
    assert all(isinstance(gradient, torch.Tensor) and gradient.abs().sum() > 0 for gradient in gradients)


def test_apples_gpu_is_seeded_by_the_run_at_every_step(
    make: Callable[..., Learner], settings: Make, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    monkeypatch.setattr(torch.mps, "manual_seed", given.append)
    outcome([make("dropout", SeededLane("alone"))], digits, settings())
    outcome([make("both", SeededLane("other")), make("dropout", SeededLane("company"))], digits, settings())
    steps = len(Stream(digits, settings(), 0, CPU).order(1))
    assert seeds["alone"] == seeds["company"]
    assert len(set(seeds["alone"])) > 3 * steps  # each step, and each evaluation
    assert set(seeds["company"]) <= set(given)
