"""Each worker of own training has one GPU, and no two commands have the same. The GPUs are pretended."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch

from runner.execute import _gpus
from runner.execute._gpus import worker_gpus
from runner.execute._opened import open_crew
from runner.execute._request import Request
from runner.expand import Overrides, Run, Variant, resolve
from runner.spec import Kind
from runner.store import RunDir
from tests.commands import run
from tests.problems import refused

CUDA = torch.device("cuda")


@pytest.fixture(autouse=True)
def _two_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(_gpus, "shared_temporary", lambda: tmp_path / "locks")


def study(place: Path, together: int, **changes: Any) -> dict[str, Any]:
    """Four runs, of which `together` are in training at a time."""
    return {
        "train": "tests.own_training:seeing",
        "metrics": {"gpu": "more"},
        "baseline": {"place": str(place / "runs"), "runs": together},
        "seeds": 4,
        **changes,
    }


def seen(place: Path) -> Counter[float | None]:
    """How many runs saw each GPU."""
    results = [RunDir(path).result() for path in place.glob("runs/own/*/seed*")]
    return Counter(result.metrics["gpu"] for result in results if result)


@pytest.mark.parametrize(
    ("options", "together", "found"),
    [
        ({}, 2, {0, 1}),
        ({"workers": 1}, 1, {0}),
        ({"device": "cuda:1"}, 1, {1}),
        ({"device": "cpu", "workers": 2}, 2, {-1}),
    ],
)
def test_each_worker_sees_one_gpu(tmp_path: Path, options: dict[str, Any], together: int, found: set[int]) -> None:
    outcome, text = run(study(tmp_path, together), tmp_path, name="own", **options)
    assert outcome.failed == 0
    assert set(seen(tmp_path)) == found
    assert f"with {together} worker{'s' * (together > 1)} on" in text


def test_more_workers_than_gpus_share_them_evenly(tmp_path: Path) -> None:
    run(study(tmp_path, 4), tmp_path, name="own", workers=4)
    assert seen(tmp_path) == {0: 2, 1: 2}


def test_a_worker_that_died_leaves_its_gpu_to_the_next(tmp_path: Path) -> None:
    with open_crew(Request(runs=tmp_path), _runs(tmp_path), 2) as crew:
        pool: Any = crew._crew._pool
        engine: Any = crew._crew._engine
        first, second = (worker.hand for worker in pool)
        assert (first.gpu, second.gpu) == ("0", "1")
        second.process.kill()
        second.process.join()
        assert engine.start().gpu == "1"


def test_a_command_sees_its_gpu(tmp_path: Path) -> None:
    script = "import os, sys; open(sys.argv[2] + '/metrics.csv', 'w').write('step,gpu\\n0,' + os.environ[sys.argv[3]])"
    command = [sys.executable, "-c", script, "{seed}", "{folder}", "CUDA_VISIBLE_DEVICES"]
    given = study(tmp_path, 1, command=command, seeds=1)
    del given["train"]
    assert run(given, tmp_path, name="own", device="cuda:1")[0].failed == 0
    assert seen(tmp_path) == {1: 1}


def test_names_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5, GPU-1f")
    assert worker_gpus("auto", CUDA, 9, None) == ("5", "GPU-1f")
    assert worker_gpus("cuda:1", torch.device("cuda:1"), 9, None) == ("GPU-1f",)
    assert worker_gpus("auto", CUDA, 1, None) == ("5",)


def test_without_a_gpu_the_environment_stays_unless_cpu_is_asked_for() -> None:
    assert worker_gpus("auto", torch.device("cpu"), 9, None) is None
    assert worker_gpus("cpu", torch.device("cpu"), 9, None) == ("",)
    assert worker_gpus("mps", torch.device("mps"), 9, None) is None


def test_no_two_commands_have_one_gpu_unasked(tmp_path: Path) -> None:
    with ExitStack() as one, ExitStack() as other, ExitStack() as third:
        assert worker_gpus("auto", CUDA, 1, one) == ("0",)
        assert worker_gpus("cuda", CUDA, 9, other) == ("1",)
        with refused(Kind.MACHINE, "--device", "cuda:0"):
            worker_gpus("auto", CUDA, 1, third)
        assert worker_gpus("auto", CUDA, 9, None) == ("0", "1")  # for a plan
        assert worker_gpus("cuda:1", torch.device("cuda:1"), 1, third) == ("1",)
        one.close()
        assert worker_gpus("auto", CUDA, 9, third) == ("0",)


def test_ordinary_runs_have_a_worker_for_each_gpu_too(tmp_path: Path, settings: Any) -> None:
    ours = [Run("study", Variant("baseline", settings(), {}), seed) for seed in range(3)]
    with open_crew(Request(runs=tmp_path), ours, 3) as crew:
        pool: Any = crew._crew._pool
        assert [worker.hand.gpu for worker in pool] == ["0", "1"]
        with refused(Kind.MACHINE, "--device"), open_crew(Request(runs=tmp_path), ours, 3):
            pass
        with open_crew(Request(runs=tmp_path, device="cuda:1"), ours, 3) as other:
            shared: Any = other._crew._pool
            assert [worker.hand.gpu for worker in shared] == ["1"]
            assert other.device == torch.device("cuda:1")
        with open_crew(Request(runs=tmp_path), ours, 0) as idle:  # a command with nothing to do needs none
            assert idle.workers == 1
    with ExitStack() as claims:
        assert worker_gpus("auto", CUDA, 1, claims) == ("0",)
        with open_crew(Request(runs=tmp_path, workers=2), ours, 3) as crew:
            assert crew.workers == 2
            assert crew.device == torch.device("cuda:1")  # the only free one


def test_a_command_frees_its_gpus_at_its_end(tmp_path: Path) -> None:
    with open_crew(Request(runs=tmp_path), _runs(tmp_path), 9) as crew, ExitStack() as claims:
        assert crew.workers == 2
        with refused(Kind.MACHINE, "--device"):
            worker_gpus("auto", CUDA, 1, claims)
    with ExitStack() as claims:
        assert worker_gpus("auto", CUDA, 9, claims) == ("0", "1")


def _runs(place: Path) -> Any:
    return resolve(Path("own.py"), study(place, 1), "", Overrides()).runs()
