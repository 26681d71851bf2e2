"""The memory that there is, and what a run needs of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.execute import Job, Message
from runner.execute._job import train_job
from runner.execute._memory import free_memory, training_memory
from runner.execute._messages import Command
from runner.spec import Settings


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    write(tmp_path / "proc", meminfo="MemTotal: 9000000 kB\nMemAvailable: 8000000 kB\n")
    return tmp_path / "proc"


def test_without_groups_it_is_the_machines(proc: Path, tmp_path: Path) -> None:
    assert free_memory(proc, tmp_path / "none") == 8e6 * 1024
    assert free_memory(tmp_path / "none", tmp_path / "none") == math.inf


@pytest.mark.parametrize(
    ("group", "folder", "names"),
    [
        ("0::/jobs/one", "jobs/one", "max current inactive_file"),
        ("0::/unseen/inside", "", "max current inactive_file"),  # as in a container
        ("4:memory:/jobs/one", "memory/jobs", "limit_in_bytes usage_in_bytes total_inactive_file"),
    ],
)
def test_a_group_leaves_its_limit_less_its_use_but_for_cached_files(
    proc: Path, tmp_path: Path, group: str, folder: str, names: str
) -> None:
    limit, use, cached = names.split()
    limit, use = f"memory__{limit}", f"memory__{use}"
    write(proc / "self", cgroup=f"1:cpu:/else\n{group}\n")
    write(tmp_path / "cgroup" / folder, **{limit: "3000\n", use: "2500\n", "memory__stat": f"{cached} 400\nanon 5\n"})
    assert free_memory(proc, tmp_path / "cgroup") == 900
    write(tmp_path / "cgroup" / folder, **{limit: "max\n"})
    assert free_memory(proc, tmp_path / "cgroup") == 8e6 * 1024


@pytest.mark.parametrize(
    ("changes", "copies"),
    [
        ({"optimizer": "SGD"}, 3),  # weights, gradients, the last epoch's weights
        ({"optimizer": "SGD", "optimizer_args": {"momentum": 0.9}}, 5),
        ({"optimizer": "Adam"}, 7),
        ({"optimizer": "Adam", "weight_average": 0.9}, 9),
    ],
)
def test_a_run_needs_its_weights_and_what_is_kept_of_each(
    settings: Callable[..., Settings], changes: dict[str, object], copies: int
) -> None:
    parameters = 64 * 32 + 32 + 32 * 16 + 16 + 16 * 10 + 10
    assert training_memory(settings(**changes), (1, 8, 8), 10) == (parameters, 4 * parameters * copies)


def test_a_model_of_your_own_is_not_built_to_be_estimated(settings: Callable[..., Settings]) -> None:
    assert training_memory(settings(model="tests.fakes:raising"), (1, 8, 8), 10) == (0, 0)


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="/proc/self/smaps says how files are read")
@pytest.mark.parametrize(("free", "random"), [(0.0, True), (math.inf, False)])
def test_images_that_memory_cannot_hold_are_read_without_their_neighbours(
    job: Job, command: Command, monkeypatch: pytest.MonkeyPatch, free: float, random: bool
) -> None:
    monkeypatch.setattr("runner.execute._job.free_memory", lambda: free)
    flags: list[set[str]] = []

    def send(_: Message) -> None:
        mapped = Path("/proc/self/smaps").read_text().partition(f"{job.data / 'train.npy'}\n")[2]
        flags.append(set(mapped.partition("VmFlags:")[2].partition("\n")[0].split()))

    train_job(job, command, send)
    assert ["rr" in each for each in flags] == [random] * len(flags)
    assert len(flags) == 3  # began, epoch, finished
