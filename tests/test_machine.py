"""Which device a command uses."""

from __future__ import annotations

import pytest
import torch

from runner.machine import caution, pick_device
from runner.spec import Kind
from tests.problems import refused


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.parametrize(("name", "device"), [("auto", "cuda"), ("cuda", "cuda"), ("cuda:1", "cuda:1"), ("cpu", "cpu")])
@pytest.mark.usefixtures("two_gpus")
def test_a_device_is_picked_by_name(name: str, device: str) -> None:
    assert pick_device(name) == torch.device(device)


def test_auto_is_never_mps_and_asking_for_it_is_answered_with_a_caution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device("auto") == torch.device("cpu")
    assert "mps" in caution(pick_device("mps"))
    assert [caution(torch.device(name)) for name in ("cpu", "cuda")] == ["", ""]


@pytest.mark.parametrize("name", ["tpu", "cuda:", "cuda:-1", "cuda:first", "cpu:0", "CUDA", ""])
@pytest.mark.usefixtures("two_gpus")
def test_a_name_of_no_device_is_refused(name: str) -> None:
    with refused(Kind.UNKNOWN, "--device", f'"{name}"', "auto, cpu, cuda, mps"):
        pick_device(name)


@pytest.mark.usefixtures("two_gpus")
def test_a_device_that_the_machine_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with refused(Kind.MACHINE, "--device", "2 of them"):
        pick_device("cuda:2")
    with refused(Kind.MACHINE, "--device", '"mps"'):
        pick_device("mps")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert pick_device("auto") == torch.device("cpu")
    for name in ("cuda", "cuda:0"):
        with refused(Kind.MACHINE, "--device", '"cuda"'):
            pick_device(name)
