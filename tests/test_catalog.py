"""What a study may name: every entry of every table can be used as its table says."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable, Mapping

import pytest
import torch
from torch import nn

from runner.catalog import (
    ACTIVATIONS,
    DATASETS,
    INITIALIZATIONS,
    MODEL_SETTINGS,
    MODELS,
    SCHEDULES,
    Entry,
    Rates,
    carved,
    reads,
)
from runner.models import build, weight_layers
from runner.spec import Settings

Make = Callable[..., Settings]
TABLES: list[Mapping[str, Entry]] = [ACTIVATIONS, DATASETS, INITIALIZATIONS, MODELS, SCHEDULES]


def test_naming_an_entry_loads_no_torch() -> None:
    code = "import sys, runner.spec, runner.catalog; sys.exit(any(n in sys.modules for n in ('torch', 'torchvision')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("table", TABLES)
def test_each_entry_is_under_its_name_and_has_a_meaning(table: Mapping[str, Entry]) -> None:
    assert table
    for name, entry in table.items():
        assert entry.name == name
        assert entry.meaning


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_keeps_shapes(name: str) -> None:
    made = ACTIVATIONS[name].make()
    assert made(torch.zeros(2, 3)).shape == (2, 3)
    assert made is not ACTIVATIONS[name].make()


@pytest.mark.parametrize("name", [name for name in INITIALIZATIONS if hasattr(nn.init, f"{name}_")])
def test_an_initialization_takes_the_arguments_of_its_function_in_torch(name: str) -> None:
    accepted = inspect.signature(getattr(nn.init, f"{name}_")).parameters
    assert set(INITIALIZATIONS[name].arguments) == accepted.keys() - {"tensor", "generator"}
    required = {key for key, value in accepted.items() if value.default is inspect.Parameter.empty} - {"tensor"}
    assert set(INITIALIZATIONS[name].required) == required


@pytest.mark.parametrize("name", INITIALIZATIONS)
def test_an_initialization_fills_a_weight_in_place(name: str) -> None:
    entry = INITIALIZATIONS[name]
    weight = torch.full((4, 3, 2, 2), torch.nan)
    if entry.fill:
        entry.fill(weight, **dict.fromkeys(entry.required, 0.5))
    assert bool(weight.isfinite().all()) == (entry.fill is not None)


@pytest.mark.parametrize(
    ("layer", "fan_in"), [(nn.Linear(300, 500), 300), (nn.Conv2d(16, 400, kernel_size=5), 16 * 5 * 5)]
)
def test_lecun_normal_has_a_variance_of_1_over_fan_in(layer: nn.Module, fan_in: int) -> None:
    weight = next(layer.parameters()).detach()
    fill = INITIALIZATIONS["lecun_normal"].fill
    assert fill
    torch.manual_seed(0)
    fill(weight)
    assert float(weight.mean()) == pytest.approx(0, abs=0.01 / fan_in**0.5)
    assert float(weight.var()) * fan_in == pytest.approx(1, abs=0.02)
    assert float((weight.abs() < fan_in**-0.5).float().mean()) == pytest.approx(0.6827, abs=0.01)  # normal


@pytest.mark.parametrize("name", MODELS)
def test_a_model_reads_model_settings_and_can_be_initialized(name: str, settings: Make) -> None:
    assert reads(name) == MODELS[name].reads <= MODEL_SETTINGS
    model = build(settings(model=name, init="constant", init_args={"val": 0.5}), (1, 8, 8), 10, seed=0)
    for layer in weight_layers(model):
        assert set(next(layer.parameters()).flatten().tolist()) == {0.5}


def test_your_own_model_reads_its_arguments() -> None:
    assert reads("my.module:net") == {"model_args", "init", "init_args"}


NEEDED = {"step": {"step_size": 2}, "multistep": {"milestones": [1, 3]}, "exponential": {"gamma": 0.5}}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_stays_between_0_and_lr(name: str, settings: Make) -> None:
    made = Rates(settings(schedule=name, schedule_args=NEEDED.get(name, {}), lr=0.5, epochs=4), 5)
    rates = []
    for _ in range(4):
        for _ in range(5):
            rates.append(made.value)
            made.step()
        made.end_epoch(1.0)
    assert max(rates) == pytest.approx(0.5, rel=0.05)
    assert min(rates) >= 0


def test_carved_parts_are_those_of_the_entry() -> None:
    assert carved("cifar10") == (5000, 10000)
    assert carved("folder:cifar10") is None
