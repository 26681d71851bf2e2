"""Recipes of training equal the same recipes written with torch alone, and are shared by a cohort."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.nn import functional
from torch.optim import lr_scheduler

from runner.catalog import Rates
from runner.confusion import confusion, macro_f1
from runner.data import Dataset, Stream
from runner.events import hparams
from runner.expand import Run, Variant, cohorts
from runner.models import build
from runner.spec import Settings
from runner.store import RunDir, read_rows
from runner.train import Epoch, lockstep, measure
from runner.train._mixing import Chance, draw, mix
from tests.commands import train
from tests.learners import CPU, learner, outcome
from tests.studies import BASE

Make = Callable[..., Settings]
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
SGD: dict[str, Any] = {"optimizer": "SGD", "lr": 0.1, "optimizer_args": {"momentum": 0.9}}


def trained(digits: Dataset, chosen: Settings) -> dict[str, torch.Tensor]:
    """The weights after a run's last epoch."""
    events = list(lockstep([learner(digits, chosen)], Stream(digits, chosen, 0, CPU)))
    weights = [event.snapshot["model"] for event in events if isinstance(event, Epoch)]
    assert len(weights) == chosen.epochs
    return dict(weights[-1])


def by_hand(
    digits: Dataset,
    chosen: Settings,
    schedule: Callable[[torch.optim.Optimizer], Any] = lambda _: None,
    per_step: bool = False,
    loss: Loss = functional.cross_entropy,
    clip: float = 0.0,
) -> dict[str, torch.Tensor]:
    """The weights after a plain loop over the same batches, with torch's own schedule."""
    model, stream = build(chosen, digits.shape, 10, seed=0), Stream(digits, chosen, 0, CPU)
    optimizer = torch.optim.SGD(model.parameters(), lr=chosen.lr, momentum=0.9, fused=True)
    scheduler = schedule(optimizer)
    for epoch in range(1, chosen.epochs + 1):
        model.train()
        for images, labels in stream.train(epoch):
            optimizer.zero_grad()
            loss(model(images), labels).backward()  # type: ignore[no-untyped-call]
            if clip:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            if scheduler and per_step:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            logits = torch.cat([model(images) for images, _ in stream.evaluation(digits.val)])
        if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
            scheduler.step(measure(logits, torch.from_numpy(digits.val.labels))["accuracy"])
        elif scheduler and not per_step:
            scheduler.step()
    return model.state_dict()


def assert_equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


SCHEDULED: list[tuple[str, dict[str, Any], Callable[[torch.optim.Optimizer], Any], bool]] = [
    ("step", {"step_size": 1, "gamma": 0.5}, lambda o: lr_scheduler.StepLR(o, 1, 0.5), False),
    ("MultiStepLR", {"milestones": [1, 2]}, lambda o: lr_scheduler.MultiStepLR(o, [1, 2]), False),
    ("exponential", {"gamma": 0.3}, lambda o: lr_scheduler.ExponentialLR(o, 0.3), False),
    ("CosineAnnealingLR", {"T_max": 3}, lambda o: lr_scheduler.CosineAnnealingLR(o, 3), False),
    ("LinearLR", {"total_iters": 2}, lambda o: lr_scheduler.LinearLR(o, total_iters=2), False),
    ("CosineAnnealingWarmRestarts", {"T_0": 2}, lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2), False),
    ("CyclicLR", {"base_lr": 0.01, "step_size_up": 7},
     lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, 7, cycle_momentum=False), True),
    ("OneCycleLR", {"pct_start": 0.5},
     lambda o: lr_scheduler.OneCycleLR(o, 0.1, 3 * 19, pct_start=0.5, cycle_momentum=False), True),
    ("plateau", {"patience": 0, "threshold": 0.5},
     lambda o: lr_scheduler.ReduceLROnPlateau(o, "max", patience=0, threshold=0.5), False),
    ("cosine", {"eta_min": 0.05}, lambda o: lr_scheduler.CosineAnnealingLR(o, 3 * 19, 0.05), True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "schedule", "per_step"), SCHEDULED, ids=[each[0] for each in SCHEDULED])
def test_a_schedule_is_torchs_own(
    settings: Make, digits: Dataset, name: str, arguments: dict[str, Any], schedule: Any, per_step: bool
) -> None:
    chosen = settings(**SGD, schedule=name, schedule_args=arguments, monitor="val/accuracy")
    found = trained(digits, chosen)
    assert_equal(found, by_hand(digits, chosen, schedule, per_step))
    assert not torch.equal(found["1.weight"], trained(digits, settings(**SGD))["1.weight"])


def test_a_class_with_another_name_is_the_same_run(settings: Make) -> None:
    for cls, name in {"StepLR": "step", "ReduceLROnPlateau": "plateau", "OneCycleLR": "one_cycle"}.items():
        assert settings(schedule=cls).digest() == settings(schedule=name).digest()
    assert settings(schedule="CosineAnnealingLR").schedule != "cosine"  # it counts epochs


@pytest.mark.parametrize(
    "schedule", [{}, {"schedule": "cosine"}, {"schedule": "step", "schedule_args": {"step_size": 2}}]
)
@pytest.mark.parametrize(("warmup", "steps"), [(1, 10), (2.5, 25), (0.25, 2)])
def test_warmup_is_a_line_that_multiplies_the_schedule(
    settings: Make, schedule: dict[str, Any], warmup: float, steps: int
) -> None:
    plain, warmed = Rates(settings(**schedule), 10), Rates(settings(**schedule, warmup=warmup), 10)
    for number in range(1, 31):
        assert warmed.value == pytest.approx(plain.value * min(1, number / steps), rel=1e-12)
        for rates in (plain, warmed):
            rates.step()
            if number % 10 == 0:
                rates.end_epoch(1.0)


def test_your_own_schedule_and_group_rates(settings: Make, digits: Dataset) -> None:
    chosen = settings(
        optimizer="tests.recipes:two_rates", lr=0.1, schedule="tests.recipes:root", schedule_args={"power": 2}
    )
    run = learner(digits, chosen)
    steps = len(Stream(digits, chosen, 0, CPU).order(1))
    for number, (images, labels) in enumerate(Stream(digits, chosen, 0, CPU).train(1)):
        rates = [group["lr"] for group in run.optimizer.param_groups]
        assert rates == pytest.approx([0.1 * (1 - number / steps / 3) ** 2, 0.2 * (1 - number / steps / 3) ** 2])
        run.step(images, labels)


def test_clipping_is_torchs_own_and_the_norm_is_from_before(settings: Make, digits: Dataset) -> None:
    chosen = settings(**SGD, grad_clip=0.1)
    assert_equal(trained(digits, chosen), by_hand(digits, chosen, clip=0.1))
    norms = {}
    for clip in (0.0, 0.1):
        run = learner(digits, settings(**SGD, grad_clip=clip, epochs=1))
        run.step(*next(Stream(digits, chosen, 0, CPU).train(1)))
        norms[clip] = run.take_counts().metrics()["train/grad_norm"]
    assert norms[0.0] == norms[0.1] > 0.1


def one_hot(loss: Callable[..., torch.Tensor], **arguments: float) -> Loss:
    return lambda logits, labels: loss(logits, functional.one_hot(labels, 10).float(), **arguments)


WEIGHTS = torch.tensor([1.0, 2.0] * 5)
LOSSES: list[tuple[dict[str, Any], Loss]] = [
    ({"loss": "MSELoss"}, one_hot(functional.mse_loss)),
    ({"loss": "BCEWithLogitsLoss"}, one_hot(functional.binary_cross_entropy_with_logits)),
    ({"loss": "HuberLoss", "loss_args": {"delta": 0.5}}, one_hot(functional.huber_loss, delta=0.5)),
    ({"loss": "MultiMarginLoss", "loss_args": {"margin": 0.5}},
     lambda logits, labels: functional.multi_margin_loss(logits, labels, margin=0.5)),
    ({"class_weights": WEIGHTS.tolist(), "label_smoothing": 0.1},
     lambda logits, labels: functional.cross_entropy(logits, labels, WEIGHTS, label_smoothing=0.1)),
    ({"loss": "tests.recipes:weighted", "class_weights": WEIGHTS.tolist()},
     lambda logits, labels: functional.cross_entropy(logits, labels, WEIGHTS)),
    ({"loss": "tests.recipes:focal", "loss_args": {"gamma": 2.0}},
     lambda logits, labels: -((1 - (p := logits.softmax(1).gather(1, labels[:, None]))) ** 2 * p.log()).mean()),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "loss"), LOSSES)
def test_a_loss_is_torchs_own(settings: Make, digits: Dataset, changes: dict[str, Any], loss: Loss) -> None:
    chosen = settings(**SGD, **changes, epochs=1)
    found, expected = trained(digits, chosen), by_hand(digits, chosen, loss=loss)
    for key in expected:
        torch.testing.assert_close(found[key], expected[key], rtol=1e-3, atol=1e-5)
    assert not torch.allclose(found["1.weight"], trained(digits, settings(**SGD, epochs=1))["1.weight"], atol=1e-4)


def test_validation_stays_a_cross_entropy_whatever_is_trained(settings: Make, digits: Dataset) -> None:
    chosen = settings(loss="MSELoss", epochs=1)
    run = learner(digits, chosen)
    epoch = next(iter(lockstep([run], Stream(digits, chosen, 0, CPU))))
    assert isinstance(epoch, Epoch)
    assert epoch.metrics["val/loss"] == measure(epoch.val_logits, torch.from_numpy(digits.val.labels))["loss"]


def test_balanced_weights_are_scikit_learns(settings: Make, digits: Dataset) -> None:
    from sklearn.utils.class_weight import compute_class_weight

    from runner.train._loss import class_weights

    labels = digits.train.labels
    expected = compute_class_weight("balanced", classes=np.arange(10), y=labels)
    assert class_weights(settings(class_weights="balanced"), labels, 10) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("monitor", "best"),
    [("val/loss", lambda values: int(np.argmin(values))), ("val/accuracy", lambda values: int(np.argmax(values))),
     ("val/f1", lambda values: int(np.argmax(values)))],
)  # fmt: skip
def test_the_monitor_chooses_the_best_epoch_and_the_stop(
    settings: Make, digits: Dataset, monitor: str, best: Callable[[list[float]], int]
) -> None:
    chosen = settings(lr=0.05, epochs=40, patience=3, monitor=monitor)
    run = learner(digits, chosen)
    epochs = [event for event in lockstep([run], Stream(digits, chosen, 0, CPU)) if isinstance(event, Epoch)]
    values = [
        macro_f1(confusion(digits.val.labels, epoch.val_logits.argmax(1).numpy(), 10))
        if monitor == "val/f1"
        else epoch.metrics[monitor]
        for epoch in epochs
    ]
    assert run.best_epoch == best(values) + 1  # of equal ones the first
    assert run.epoch == len(values) == run.best_epoch + 3 < 40
    assert torch.equal(run.best_logits, epochs[run.best_epoch - 1].val_logits)


def test_mixed_images_are_blends_or_have_a_rectangle_of_another() -> None:
    images, labels = torch.arange(4.0)[:, None, None, None].expand(4, 1, 8, 10).clone(), torch.arange(4)
    partners = torch.tensor([1, 2, 3, 0])
    mixed, own, others, share = mix(images, labels, Chance(partners, 0.75, None))
    assert torch.equal(mixed, images * 0.75 + images[partners] * 0.25)
    assert (own.tolist(), others.tolist(), float(share)) == ([0, 1, 2, 3], [1, 2, 3, 0], 0.75)
    cut, *_ = mix(images, labels, Chance(partners, 1 - 6 / 80, (2, 4, 5, 8)))
    assert torch.equal(cut[:, :, 2:4, 5:8], images[partners, :, 2:4, 5:8])
    assert float((cut != images).float().mean()) == pytest.approx(6 / 80)
    assert torch.equal(images[1], torch.ones(1, 8, 10))  # the cohort's images are as they were


def test_what_is_mixed_follows_from_seed_epoch_and_step(settings: Make) -> None:
    shape = (32, 1, 8, 8)
    one = draw(settings(mixup=0.2), 3, 1, 5, shape)
    again, other, wider = (draw(settings(**each), 3, 1, 5, shape) for each in ({"mixup": 0.2, "dropout": 0.5},
                           {"mixup": 0.2, "stream": 1}, {"mixup": 1.0}))  # fmt: skip
    assert torch.equal(one.partners, again.partners)
    assert one.share == again.share != other.share
    assert torch.equal(one.partners, wider.partners)  # law 3: only the shares differ
    draws = [draw(settings(cutmix=1.0), seed, 2, 0, shape) for seed in range(200)]
    for each in draws:
        assert each.box
        top, bottom, left, right = each.box
        assert 0 <= top <= bottom <= 8
        assert 0 <= left <= right <= 8
        assert each.share == 1 - (bottom - top) * (right - left) / 64
    both = [draw(settings(cutmix=1.0, mixup=0.2), seed, 2, 0, shape).box is None for seed in range(200)]
    assert 70 < sum(both) < 130


def test_a_mixed_image_counts_its_two_classes_by_their_shares(settings: Make, digits: Dataset) -> None:
    chosen = settings(mixup=1.0, epochs=1, **SGD)
    run, stream = learner(digits, chosen), Stream(digits, chosen, 0, CPU)
    images, labels = next(stream.train(1))
    chance = draw(chosen, 0, 1, 0, tuple(images.shape))
    with torch.no_grad():
        logits = run.model(images * chance.share + images[chance.partners] * (1 - chance.share))
    target = functional.one_hot(labels, 10) * chance.share
    target = target + functional.one_hot(labels[chance.partners], 10) * (1 - chance.share)
    run.step(images, labels)
    found = run.take_counts().metrics()
    assert found["train/loss"] == pytest.approx(float(functional.cross_entropy(logits, target)), rel=1e-5)
    right = float(target.gather(1, logits.argmax(1, keepdim=True)).sum()) / len(labels)
    assert found["train/accuracy"] == pytest.approx(right, rel=1e-5)
    assert 0 < right < 1


def test_law_3_a_sampler_is_a_stream_and_a_loss_is_none(settings: Make) -> None:
    changes: list[dict[str, Any]] = [{}, {"sampler": "balanced"}, {"mixup": 0.2}, {"loss": "MSELoss"}]
    runs = [Run("study", Variant(f"v{number}", settings(**each), each), 0) for number, each in enumerate(changes)]
    assert [[run.variant.name for run in cohort] for cohort in cohorts(runs)] == [["v0", "v2", "v3"], ["v1"]]


def test_a_balanced_sampler_draws_each_class_as_often(settings: Make, digits: Dataset) -> None:
    from dataclasses import replace

    from runner.data import Part

    kept = np.flatnonzero((digits.train.labels < 9) | (np.arange(len(digits.train)) % 10 == 0))
    few = replace(digits, train=Part(digits.train.images[kept], digits.train.labels[kept]))
    stream = Stream(few, settings(sampler="balanced"), 0, CPU)
    orders = [np.concatenate(stream.order(epoch)) for epoch in (1, 2)]
    assert len(orders[0]) in (len(few.train), len(few.train) - 1)  # a last batch of one image is skipped
    assert (orders[0] != orders[1]).any()
    drawn = np.bincount(few.train.labels[np.concatenate(orders)], minlength=10) / (2 * len(few.train))
    assert drawn == pytest.approx(0.1, abs=0.03)
    assert np.bincount(few.train.labels)[9] / len(few.train) < 0.02
    again = Stream(few, settings(sampler="balanced", dropout=0.5), 0, CPU)
    assert (np.concatenate(again.order(1)) == orders[0]).all()


def test_mixing_leaves_the_cohorts_other_runs_alone(settings: Make, digits: Dataset) -> None:
    plain, mixed = learner(digits, settings(dropout=0.5)), learner(digits, settings(cutmix=1.0))
    alone = learner(digits, settings(dropout=0.5))
    assert outcome([mixed, plain], digits, settings())[id(plain)] == outcome([alone], digits, settings())[id(alone)]


def test_law_5_a_loss_that_changes_labels_leaves_the_others_alone(settings: Make, digits: Dataset) -> None:
    bad, good = learner(digits, settings(loss="tests.recipes:vandal")), learner(digits, settings())
    found, alone = outcome([bad, good], digits, settings()), learner(digits, settings())
    expected = outcome([alone], digits, settings())[id(alone)]
    assert found[id(good)] == expected


def test_your_own_optimizer_equals_the_same_steps_by_hand(settings: Make, digits: Dataset) -> None:
    chosen = settings(optimizer="tests.recipes:Signs", optimizer_args={"beta": 0.0}, lr=0.01, weight_decay=0.5)
    run, stream = learner(digits, chosen), Stream(digits, chosen, 0, CPU)
    images, labels = next(stream.train(1))
    model = build(chosen, digits.shape, 10, seed=0)
    functional.cross_entropy(model(images), labels).backward()  # type: ignore[no-untyped-call]
    run.step(images, labels)
    for weight, found in zip(model.parameters(), run.model.parameters(), strict=True):
        assert weight.grad is not None
        torch.testing.assert_close(found.detach(), weight.detach() * (1 - 0.01 * 0.5) - 0.01 * weight.grad.sign())
    assert math.isclose(run.rate.value, 0.01)


def test_an_image_that_is_drawn_again_is_augmented_anew(settings: Make, digits: Dataset) -> None:
    augment = [{"Affine": {"rotate": [-30, 30], "p": 1.0}}]
    stream = Stream(digits, settings(sampler="balanced", augment=augment), 0, CPU)
    order = np.concatenate(stream.order(1))
    seen: dict[int, list[torch.Tensor]] = {}
    for place, image in zip(order, torch.cat([images for images, _ in stream.train(1)]), strict=True):
        seen.setdefault(int(place), []).append(image)
    twice = [images for images in seen.values() if len(images) > 1]
    assert len(twice) > 100
    assert sum(torch.equal(first, second) for first, second, *_ in twice) < 10
    once = torch.from_numpy(stream.augmented(1, order[:5]))
    torch.testing.assert_close(stream.normalized(once)[0], seen[int(order[0])][0])


def test_a_monitored_measure_has_a_curve_in_its_own_runs_alone(tmp_path: Path) -> None:
    study = {"baseline": BASE | {"epochs": 2}, "variants": {"f1": {"monitor": "val/f1"}}, "seeds": 1}
    train(study, tmp_path)
    for variant, has in (("baseline", False), ("f1", True)):
        (folder,) = tmp_path.glob(f"runs/*/{variant}-*/seed0")
        assert ["val/f1" in row for row in read_rows(folder / "metrics.csv")] == [has] * 2
        board = EventAccumulator(str(folder)).Reload()
        assert ("val/f1" in board.Tags()["scalars"]) == has
        if has:
            values = [row["val/f1"] for row in read_rows(folder / "metrics.csv")]
            assert [event.value for event in board.Scalars("val/f1")] == pytest.approx(values)
            result = RunDir(folder).result()
            assert result
            assert result.metrics["best_epoch"] == 1 + int(np.argmax(values))


def test_every_recipe_is_a_column_of_hparams(settings: Make) -> None:
    shown = hparams(settings(class_weights=[1, 2], warmup=1, mixup=0.2).plain(), "study", "variant")
    assert (shown["class_weights"], shown["warmup"], shown["mixup"]) == ("[1.0, 2.0]", 1.0, 0.2)
    neutral = hparams(settings().plain(), "study", "variant")
    assert all(type(shown[key]) is type(neutral[key]) for key in neutral)
