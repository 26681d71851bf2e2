"""Lockstep training: a run is the same bit for bit in any company, stopped or not; failures are one's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from runner.data import Dataset, Stream
from runner.models import build
from runner.spec import Settings
from runner.train import (
    Epoch,
    Failed,
    Finished,
    Interrupted,
    Learner,
    NonFiniteLoss,
    evaluation_batch,
    lockstep,
    measure,
)
from tests.learners import CPU, VARIANTS, learner, outcome

Make = Callable[..., Settings]


@pytest.fixture
def make(settings: Make, digits: Dataset) -> Callable[[str], Learner]:
    return lambda name: learner(digits, settings(**VARIANTS[name]))


def test_law_1_alone_equals_in_a_cohort(make: Callable[[str], Learner], settings: Make, digits: Dataset) -> None:
    together = [make(name) for name in VARIANTS]
    logs = outcome(together, digits, settings())
    for name, member in zip(VARIANTS, together, strict=True):
        alone = make(name)
        assert outcome([alone], digits, settings())[id(alone)] == logs[id(member)], name


def test_law_1_resumed_equals_uninterrupted(make: Callable[[str], Learner], settings: Make, digits: Dataset) -> None:
    whole = [make(name) for name in VARIANTS]
    expected = outcome(whole, digits, settings())
    asked = iter(range(10**9))
    stopped = [make(name) for name in VARIANTS]
    with pytest.raises(Interrupted):  # in the midst of the second epoch
        list(lockstep(stopped, Stream(digits, settings(), 0, CPU), stop=lambda: next(asked) == 30))
    resumed = [make(name) for name in VARIANTS]
    for old, new in zip(stopped, resumed, strict=True):
        new.restore(old.snapshot)
        assert new.epoch == 1
    rest = outcome(resumed, digits, settings())
    for old, new in zip(whole, resumed, strict=True):
        assert rest[id(new)] == expected[id(old)][1:]


def test_learners_with_different_pasts_train_side_by_side(settings: Make, digits: Dataset) -> None:
    ahead, behind = learner(digits, settings(dropout=0.5)), learner(digits, settings(batch_norm=True))
    expected = outcome([ahead, behind], digits, settings())
    half = learner(digits, settings(dropout=0.5))
    for event in lockstep([half], Stream(digits, settings(), 0, CPU)):
        if isinstance(event, Epoch) and half.epoch == 2:
            break
    late, fresh = learner(digits, settings(dropout=0.5)), learner(digits, settings(batch_norm=True))
    late.restore(half.snapshot)
    found = outcome([late, fresh], digits, settings())
    assert found[id(late)] == expected[id(ahead)][2:]
    assert found[id(fresh)] == expected[id(behind)]


@pytest.mark.parametrize("what", ["raise", "nan"])
def test_law_5_a_failure_leaves_the_others_untouched(settings: Make, digits: Dataset, what: str) -> None:
    alone = learner(digits, settings(dropout=0.5))
    expected = outcome([alone], digits, settings())[id(alone)]
    bad = learner(digits, settings(model="tests.fakes:late", model_args={"what": what}))
    good = learner(digits, settings(dropout=0.5))
    vandal = learner(digits, settings(model="tests.fakes:vandal"))
    found = outcome([vandal, bad, good], digits, settings())
    assert found[id(good)] == expected
    assert ("out of ideas" if what == "raise" else "NonFiniteLoss") in found[id(bad)][-1]


def test_a_loss_that_is_no_number_names_its_epoch_and_step(settings: Make, digits: Dataset) -> None:
    bad = learner(digits, settings(model="tests.fakes:late", model_args={"what": "nan"}))
    events = list(lockstep([bad], Stream(digits, settings(), 0, CPU)))
    assert isinstance(events[-1], Failed)
    assert isinstance(events[-1].error, NonFiniteLoss)
    assert "training loss was nan at epoch 2, step 7" in str(events[-1].error)
    assert isinstance(events[-2], Epoch)  # the epoch is logged as it was, nan and all
    assert math.isnan(events[-2].metrics["train/loss"])


@pytest.mark.parametrize(
    ("model", "side", "batch"),
    [
        ({}, 32, 1000),
        ({"model": "resnet18"}, 32, 1000),
        ({"model": "cnn", "filters": [64, 128]}, 32, 1000),
        ({"model": "cnn", "filters": [64]}, 112, 8),  # 3.2 MB an image between two layers
        ({"model": "cnn", "filters": [64], "batch_size": 5000}, 112, 1000),
        ({"model": "cnn", "filters": [256]}, 64, 8),
        ({"model": "perceptron"}, 105, 1000),
        ({"model": "perceptron"}, 112, 8),
    ],
)
def test_evaluation_takes_a_thousand_images_or_as_many_as_training(
    settings: Make, model: dict[str, Any], side: int, batch: int
) -> None:
    chosen = settings(**({"batch_size": 8, "hidden": []} | model))
    network = build(chosen, (3, side, side), 10, seed=0)
    assert evaluation_batch(network, chosen, (3, side, side)) == batch
    assert network.training


def test_an_evaluation_in_smaller_batches_is_the_same_beside_others(settings: Make, digits: Dataset) -> None:
    """Their own size each: what is evaluated together must not depend on the company."""
    wide, small = learner(digits, settings()), learner(digits, settings(dropout=0.5))
    small.evaluation_batch = 64
    found = outcome([wide, small], digits, settings())
    alone = learner(digits, settings())
    assert outcome([alone], digits, settings())[id(alone)] == found[id(wide)]
    alone = learner(digits, settings(dropout=0.5))
    alone.evaluation_batch = 64
    assert outcome([alone], digits, settings())[id(alone)] == found[id(small)]


def test_early_stopping_and_the_best_epochs_weights(settings: Make, digits: Dataset) -> None:
    chosen = settings(lr=0.05, epochs=40, patience=3)
    run = learner(digits, chosen)
    epochs = [e for e in lockstep([run], Stream(digits, chosen, 0, CPU)) if isinstance(e, Epoch)]
    losses = [event.metrics["val/loss"] for event in epochs]
    assert run.best_epoch == losses.index(min(losses)) + 1
    assert run.epoch == len(losses) == run.best_epoch + 3 < 40
    batches = Stream(digits, chosen, 0, CPU).evaluation(digits.val)
    logits = torch.cat([run.logits(images) for images, _ in batches])
    assert measure(logits, torch.from_numpy(digits.val.labels))["loss"] == min(losses)


def test_schedules_go_their_published_ways(settings: Make, digits: Dataset) -> None:
    rates: dict[str, list[float]] = {}
    for name in ("constant", "cosine", "one_cycle"):
        chosen = settings(schedule=name, lr=0.1, epochs=4)
        events = lockstep([learner(digits, chosen)], Stream(digits, chosen, 0, CPU))
        rates[name] = [event.metrics["train/lr"] for event in events if isinstance(event, Epoch)]
    assert rates["constant"] == [0.1] * 4
    assert rates["cosine"] == pytest.approx([0.05 * (1 + math.cos(math.pi * part / 4)) for part in (1, 2, 3, 4)])
    assert rates["one_cycle"][0] > rates["one_cycle"][1] > rates["one_cycle"][2] > rates["one_cycle"][3]
    assert rates["one_cycle"][3] < 1e-3 * max(rates["one_cycle"])


def test_label_smoothing_is_in_the_training_loss_alone(settings: Make, digits: Dataset) -> None:
    first = {}
    for smoothing in (0.0, 0.2):
        chosen = settings(label_smoothing=smoothing, lr=1e-9, epochs=1)
        run = learner(digits, chosen)
        epoch, _ = lockstep([run], Stream(digits, chosen, 0, CPU))
        assert isinstance(epoch, Epoch)
        first[smoothing] = epoch.metrics
    assert first[0.0]["val/loss"] == pytest.approx(first[0.2]["val/loss"], abs=1e-6)
    assert first[0.0]["train/loss"] != first[0.2]["train/loss"]


def test_averaged_weights_are_what_is_evaluated_and_kept(settings: Make, digits: Dataset) -> None:
    chosen = settings(weight_average=0.5, batch_norm=True, epochs=1, optimizer="SGD", lr=0.1)
    run = learner(digits, chosen)
    expected: dict[str, torch.Tensor] = {}
    for images, labels in Stream(digits, chosen, 0, CPU).train(1):
        run.step(images, labels)
        now = run.model.state_dict()
        expected = {
            key: value.clone() if key not in expected else expected[key] * 0.5 + value * 0.5
            for key, value in now.items()
            if value.is_floating_point()
        }
    evaluated = run.evaluated.state_dict()
    for key, value in expected.items():
        torch.testing.assert_close(evaluated[key], value, rtol=1e-4, atol=1e-6)
    run.end_epoch(0.5, torch.empty(0))
    assert all(torch.equal(run.best[key], evaluated[key]) for key in evaluated)
    assert not torch.equal(run.best["1.weight"], run.model.state_dict()["1.weight"])


def test_bfloat16_is_float32_up_to_its_rounding(settings: Make, digits: Dataset) -> None:
    stream = Stream(digits, settings(), 0, CPU)
    runs = {name: learner(digits, settings(precision=name, epochs=1)) for name in ("float32", "bfloat16")}
    images, labels = next(iter(stream.train(1)))
    logits = {name: run.logits(images) for name, run in runs.items()}
    assert logits["bfloat16"].dtype == torch.float32
    assert not torch.equal(logits["bfloat16"], logits["float32"])
    torch.testing.assert_close(logits["bfloat16"], logits["float32"], rtol=0.05, atol=0.05)
    runs["bfloat16"].step(images, labels)
    assert {weight.dtype for weight in runs["bfloat16"].model.parameters()} == {torch.float32}


def test_another_stream_is_another_run(settings: Make, digits: Dataset) -> None:
    chosen, other = settings(), settings(stream=1)
    a, b = learner(digits, chosen), learner(digits, other)
    assert not torch.equal(a.model.state_dict()["1.weight"], b.model.state_dict()["1.weight"])
    orders = [Stream(digits, each, 0, CPU).order(1)[0] for each in (chosen, other)]
    assert (orders[0] != orders[1]).any()
    assert outcome([a], digits, chosen)[id(a)] != outcome([b], digits, other)[id(b)]


def test_no_patience_trains_to_the_end(settings: Make, digits: Dataset) -> None:
    run = learner(digits, settings(lr=0.05, epochs=8, patience=0))
    list(lockstep([run], Stream(digits, settings(), 0, CPU)))
    assert run.epoch == 8


def test_the_metrics_are_what_they_say(settings: Make, digits: Dataset) -> None:
    chosen = settings(epochs=1)
    run = learner(digits, chosen)
    (epoch, finished) = lockstep([run], Stream(digits, chosen, 0, CPU))
    assert isinstance(epoch, Epoch)
    assert isinstance(finished, Finished)
    metrics = epoch.metrics
    assert metrics["generalization_gap"] == metrics["train_eval/accuracy"] - metrics["val/accuracy"]
    assert metrics["train/lr"] == chosen.lr
    assert metrics["train/grad_norm"] > 0
    predicted = epoch.val_logits.argmax(1).numpy()
    assert metrics["val/accuracy"] == pytest.approx((predicted == digits.val.labels).mean(), abs=1e-12)
    assert finished.metrics["val/loss"] == metrics["val/loss"]


def test_law_2_test_labels_change_nothing_but_the_test_metrics(settings: Make, digits: Dataset) -> None:
    from dataclasses import replace

    from runner.data import Part

    other = replace(digits, test=Part(digits.test.images[::-1].copy(), (digits.test.labels + 1) % 10))
    a, b = learner(digits, settings(dropout=0.5)), learner(other, settings(dropout=0.5))
    first, second = outcome([a], digits, settings())[id(a)], outcome([b], other, settings())[id(b)]
    assert first[:-2] == second[:-2]
    assert {k: v for k, v in first[-2].items() if "test" not in k} == {
        k: v for k, v in second[-2].items() if "test" not in k
    }


def test_optimizers_are_fused_where_torch_has_it(settings: Make, digits: Dataset) -> None:
    assert learner(digits, settings()).optimizer.defaults["fused"]
    assert learner(digits, settings(optimizer="RMSprop", weight_decay=0.1)).optimizer.defaults["weight_decay"] == 0.1
    plain = settings(optimizer_args={"foreach": False})
    assert not learner(digits, plain).optimizer.defaults["fused"]


def test_measure_against_a_hand_computation() -> None:
    logits, labels = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0])
    found = measure(logits, labels)
    assert found["accuracy"] == 0.5
    assert found["loss"] == pytest.approx((math.log(1 + math.exp(-2)) + math.log(1 + math.e)) / 2)
