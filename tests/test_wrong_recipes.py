"""Recipes that can't work, or would do nothing, are refused before training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runner.catalog import LOSSES
from runner.data import Dataset, Part
from runner.execute.crew import measure
from runner.expand import Run, Variant
from runner.spec import Kind, RequestError, Settings, parse_settings, problems_of
from tests.commands import run
from tests.learners import CPU, learner
from tests.problems import is_about, one, refused
from tests.studies import BASE

Make = Callable[..., Settings]


@pytest.mark.parametrize(
    ("changes", "kind", "values"),
    [
        ({"loss": "CrossEntropy"}, Kind.UNKNOWN, ['"CrossEntropyLoss"']),
        ({"loss": "NLLLoss"}, Kind.UNKNOWN, ['"NLLLoss"']),
        ({"schedule": "stp"}, Kind.UNKNOWN, ['"step"']),
        ({"warmup": -1}, Kind.VALUE, ["-1"]),
        ({"grad_clip": "1"}, Kind.VALUE, ["'1'"]),
        ({"mixup": float("inf")}, Kind.VALUE, ["inf"]),
        ({"class_weights": "equal"}, Kind.VALUE, ["'equal'", '"balanced"']),
        ({"class_weights": [1, 0]}, Kind.VALUE, ["0", '"balanced"']),
        ({"class_weights": [2, 2, 2]}, Kind.IGNORED, ["[2.0, 2.0, 2.0]"]),
        ({"class_weights": []}, Kind.IGNORED, ["[]"]),
        ({"sampler": "weighted"}, Kind.VALUE, ["'weighted'", '"balanced"']),
        ({"monitor": "test/loss"}, Kind.UNKNOWN, ["val/loss, val/accuracy, val/f1"]),
        ({"loss_args": {"weight": object()}}, Kind.VALUE, ["object"]),
    ],
)
def test_a_wrong_value_is_named(changes: dict[str, Any], kind: Kind, values: list[str]) -> None:
    (key,) = changes
    _, found = parse_settings(BASE | changes, "here")
    assert found == [one(found, kind, f"here: {key}", *values)]


STEP = {"schedule": "step", "schedule_args": {"step_size": 1}}


@pytest.mark.parametrize(
    ("changes", "key", "kind", "values"),
    [
        ({"schedule": "StepLRR"}, "schedule", Kind.UNKNOWN, ['"StepLR"']),
        ({"schedule": "LambdaLR"}, "schedule", Kind.UNKNOWN, ['"LambdaLR"']),
        ({"schedule": "Adam"}, "schedule", Kind.UNKNOWN, ['"Adam"']),
        ({"schedule_args": {"gamma": 0.1}}, "schedule_args", Kind.IGNORED, ['"constant"']),
        ({"schedule": "step"}, "schedule_args", Kind.MISSING, ['"step_size"']),
        ({"schedule": "CosineAnnealingLR"}, "schedule_args", Kind.MISSING, ['"T_max"']),
        ({"schedule": "cosine", "schedule_args": {"T_max": 9}}, "schedule_args", Kind.UNKNOWN, ['"T_max"', "eta_min"]),
        ({"schedule": "plateau", "schedule_args": {"mode": "max"}}, "schedule_args", Kind.UNKNOWN, ['"mode"']),
        ({"schedule": "one_cycle", "schedule_args": {"max_lr": 1.0}}, "schedule_args", Kind.UNKNOWN, ['"max_lr"']),
        ({"schedule": "one_cycle", "schedule_args": {"pct_start": 2.0}}, "schedule_args", Kind.VALUE, ["pct_start"]),
        ({"schedule": "step", "schedule_args": {"step_size": "x"}}, "schedule_args", Kind.VALUE, ["TypeError"]),
        ({"schedule": "step", "schedule_args": {"step_size": 3}}, "schedule_args", Kind.IGNORED, ["3 epochs"]),
        ({"schedule": "plateau", "schedule_args": {"patience": 5}}, "schedule_args", Kind.IGNORED, ["3 epochs"]),
        ({"schedule": "plateau"}, "schedule_args", Kind.IGNORED, ["3 epochs"]),
        ({"schedule": "exponential", "schedule_args": {"gamma": 1.0}}, "schedule_args", Kind.IGNORED, ["3 epochs"]),
        ({"schedule": "exponential", "schedule_args": {"gamma": -0.5}}, "schedule_args", Kind.VALUE, ["-"]),
        ({"schedule": "multistep", "schedule_args": {"milestones": [1, 3]}}, "schedule_args", Kind.IGNORED, ["3"]),
        ({"schedule": "tests.recipes:flat"}, "schedule", Kind.IGNORED, ["3 epochs"]),
        ({"schedule": "tests.recipes:negative"}, "schedule", Kind.VALUE, ["-"]),
        ({"schedule": "tests.recipes:failing"}, "schedule", Kind.CODE, ["ZeroDivisionError"]),
        ({"schedule": "tests.recipes:root", "schedule_args": {"pow": 2}}, "schedule", Kind.CODE, ["pow", "(epoch,"]),
        ({"schedule": "tests.recipes:nothing"}, "schedule", Kind.CODE, ['no "nothing"']),
        ({**STEP, "warmup": 3}, "warmup", Kind.CONFLICT, ["3 epochs"]),
        ({"loss_args": {"margin": 1.0}}, "loss_args", Kind.IGNORED, ["CrossEntropyLoss"]),
        ({"loss": "HuberLoss", "loss_args": {"beta": 1.0}}, "loss_args", Kind.UNKNOWN, ['"beta"', "delta"]),
        ({"loss": "HuberLoss", "loss_args": {"delta": -1.0}}, "loss_args", Kind.VALUE, ["HuberLoss"]),
        ({"loss": "MultiMarginLoss", "loss_args": {"weight": [1]}}, "loss_args", Kind.CONFLICT, ['"class_weights"']),
        ({"loss": "MSELoss", "class_weights": "balanced"}, "class_weights", Kind.IGNORED, ["MSELoss"]),
        ({"loss": "MultiMarginLoss", "label_smoothing": 0.1}, "label_smoothing", Kind.IGNORED, ["MultiMarginLoss"]),
        ({"loss": "tests.recipes:focal", "class_weights": "balanced"}, "class_weights", Kind.IGNORED, ['"weight"']),
        ({"loss": "tests.recipes:focal", "loss_args": {"alpha": 1}}, "loss", Kind.CODE, ["alpha", "(logits, labels"]),
        ({"loss": "__main__:loss"}, "loss", Kind.CODE, ["mymodels.py"]),
        ({"loss": "no.such:loss"}, "loss", Kind.CODE, ["ModuleNotFoundError"]),
        ({"optimizer": "tests.recipes:Signs", "optimizer_args": {"betas": 1}}, "optimizer", Kind.CODE, ["betas"]),
        ({"optimizer": "tests.recipes:Signs", "optimizer_args": {"lr": 1}}, "optimizer_args", Kind.CONFLICT, ['"lr"']),
        ({"optimizer": "tests.recipes:two_rates", "weight_decay": 0.1}, "weight_decay", Kind.IGNORED, ["0.1"]),
        ({"optimizer": "tests.recipes:nothing", "weight_decay": 0.1}, "optimizer", Kind.CODE, ['no "nothing"']),
        ({"mixup": 0.1, "batch_size": 1}, "batch_size", Kind.CONFLICT, ["mixup"]),
    ],
)
def test_what_has_no_effect_or_no_meaning_is_refused(
    settings: Make, changes: dict[str, Any], key: str, kind: Kind, values: list[str]
) -> None:
    found = problems_of(settings(**changes))
    assert list(found) == [key]
    one([found[key].at("here")], kind, "here", *values)


def test_good_recipes_pass(settings: Make) -> None:
    for changes in (
        {**STEP, "warmup": 2.5, "grad_clip": 1.0, "mixup": 0.2, "cutmix": 1.0, "monitor": "val/f1"},
        {"schedule": "plateau", "schedule_args": {"patience": 1, "factor": 0.5}, "epochs": 4},
        {"schedule": "CosineAnnealingWarmRestarts", "schedule_args": {"T_0": 1, "T_mult": 2}},
        {"schedule": "tests.recipes:root", "loss": "tests.recipes:weighted", "class_weights": "balanced"},
        {"optimizer": "tests.recipes:Signs", "weight_decay": 0.1, "sampler": "balanced"},
        {"loss": "SmoothL1Loss", "loss_args": {"beta": 0.5}, "epochs": 100_000},
    ):
        assert not problems_of(settings(**changes)), changes


def test_every_loss_says_what_it_takes(settings: Make) -> None:
    for name in LOSSES:
        assert not problems_of(settings(loss=name))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"class_weights": [1, 2, 3]}, "3 weights.*10 classes"),
        ({"warmup": 0.05}, "less than 2 steps"),
        ({"optimizer": "tests.recipes:no_optimizer"}, "returned list"),
    ],
)
def test_what_only_the_data_show_is_refused_before_the_first_step(
    settings: Make, digits: Dataset, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        learner(digits, settings(**changes))


def test_balanced_weights_of_equal_classes_have_no_effect(settings: Make, digits: Dataset) -> None:
    labels = digits.train.labels
    chosen = np.concatenate([np.flatnonzero(labels == each)[:20] for each in range(10)])
    equal = replace(digits, train=Part(digits.train.images[chosen], labels[chosen]))
    with pytest.raises(ValueError, match="no effect"):
        learner(equal, settings(class_weights="balanced"))


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "vector": ({"loss": "tests.recipes:gives", "loss_args": {"what": "vector"}}, "torch.float32 of 64"),
    "number": ({"loss": "tests.recipes:gives", "loss_args": {"what": "number"}}, "returned a float"),
    "constant": ({"loss": "tests.recipes:gives", "loss_args": {"what": "constant"}}, "without a gradient"),
    "none": ({"loss": "tests.recipes:gives", "loss_args": {"what": "none"}}, "returned a NoneType"),
    "no loss": ({"loss": "tests.recipes:root"}, "RuntimeError"),
    "closure": ({"optimizer": "tests.recipes:Closed"}, "closure"),
    "no optimizer": ({"optimizer": "tests.recipes:no_optimizer"}, "returned list"),
    "weights": ({"class_weights": [1, 2]}, "2 weights"),
}


def test_a_trial_step_refuses_own_code_that_gives_the_wrong_thing(cache: Path) -> None:
    from runner.data import prepare

    every = {name: Settings.model_validate(BASE | changes) for name, (changes, _) in WRONG.items()}
    runs = [Run("study", Variant(name, each, {}), 0) for name, each in every.items()]
    data = prepare(runs[0].variant.ours, Path("data"), cache)
    with pytest.raises(RequestError) as caught:
        measure(runs, lambda _: data, CPU)
    assert caught.value.kinds == {Kind.CODE}
    for name, (_, said) in WRONG.items():
        assert any(is_about(problem, Kind.CODE, f'"{name}"', said) for problem in caught.value.problems), name


def test_a_wrong_loss_trains_nothing(tmp_path: Path) -> None:
    changes = {"loss": "tests.recipes:gives", "loss_args": {"what": "vector"}}
    with refused(Kind.CODE, '"own"', "torch.float32 of 64"):
        run({"baseline": BASE, "variants": {"own": changes}, "seeds": 1}, tmp_path, data=Path("data"))
    assert not list(tmp_path.rglob("run.json"))
