"""Small real data (digits ships with scikit-learn), small studies, one thread as workers have it."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
if os.environ.get("RUNNER_TESTS_SPAWN"):  # as on Windows and macOS: no server that workers are forked from
    multiprocessing.get_all_start_methods = lambda: ["spawn"]

import torch
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from runner.data import Dataset, load, prepare
from runner.execute import Job
from runner.execute._messages import Command
from runner.expand import Run, Variant
from runner.spec import Settings
from runner.store import present_provenance
from tests.studies import BASE

__all__ = ["BASE"]


# How fast a busy machine is says nothing about the code.
hypothesis_settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("any speed")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def base() -> dict[str, Any]:
    """A small baseline on real data, to change as a test needs it."""
    return dict(BASE)


@pytest.fixture
def settings() -> Callable[..., Settings]:
    """Makes settings from the small baseline and changes."""
    return lambda **changes: Settings.model_validate(BASE | changes)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def digits(cache: Path) -> Dataset:
    return load(prepare(Settings.model_validate(BASE), Path("data"), cache))


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Where a command makes its runs."""
    return Command(tmp_path / "runs", "cpu", present_provenance("cpu"))


@pytest.fixture
def job(settings: Callable[..., Settings], cache: Path) -> Job:
    """One small run, and its data."""
    variant = Variant("baseline", settings(epochs=1), {})
    return Job((Run("study-digits", variant, 0),), prepare(variant.ours, Path("data"), cache))
