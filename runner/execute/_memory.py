"""Finds how much memory is free, and how much a run needs at least for training."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

import torch

from runner.catalog import MODELS, Shape
from runner.models import build
from runner.spec import Settings
from runner.train import make_optimizer

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
_LIMITS = (  # of cgroups, version 2 and 1: limit, use, and the part of the use that is file cache and can be freed
    ("memory.max", "memory.current", ("inactive_file", "active_file")),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")),
)


def free_memory(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> float:
    """Returns the bytes that this process may still take, from the machine and its cgroups; infinity where unknown."""
    free = math.inf
    with suppress(OSError, ValueError):
        fields = dict(line.split(":", 1) for line in (proc / "meminfo").read_text().splitlines())
        free = 1024.0 * int(fields["MemAvailable"].split()[0])
    return min([free, *(_left_in(folder) for folder in _groups(proc, cgroups))])


def _groups(proc: Path, cgroups: Path) -> list[Path]:
    """Returns the folders of this process's memory cgroups and of the cgroups around them."""
    folders = [cgroups, cgroups / "memory"]
    with suppress(OSError):
        for line in (proc / "self" / "cgroup").read_text().splitlines():
            _, kind, path = line.split(":", 2)
            if kind == "" or "memory" in kind.split(","):
                inner = (cgroups / "memory" if kind else cgroups) / path.lstrip("/")
                folders += [inner, *(each for each in inner.parents if each.is_relative_to(cgroups))]
    return list(dict.fromkeys(folders))


def _left_in(folder: Path) -> float:
    for limit, use, caches in _LIMITS:
        with suppress(OSError, ValueError):
            # "max" is not a number, and means no limit.
            most, used = (int((folder / name).read_text()) for name in (limit, use))
            stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            return float(max(0, most - used + sum(int(stat.get(name, 0)) for name in caches)))
    return math.inf


def training_memory(settings: Settings, shape: Shape, classes: int) -> tuple[int, int]:
    """Returns a built-in model's number of parameters, and the bytes that training it needs at least.

    The bytes are float32 weights, their gradients and the optimizer's state, and copies of weights and state from
    the end of the last epoch. Returns (0, 0) for your own model, which may do anything when it is built.
    """
    if settings.model not in MODELS:
        return 0, 0
    plain = settings.model_copy(update={"weights": "none", "freeze": (), "lr_of": {}})
    with torch.device("meta"):  # shapes without memory
        count = sum(weight.numel() for weight in build(plain, shape, classes, seed=0).parameters())
    one = torch.nn.PReLU(num_parameters=2)
    (weight,) = one.parameters()
    weight.grad = torch.zeros(2)
    optimizer = make_optimizer(plain, one)
    optimizer.step()
    kept = sum(isinstance(each, torch.Tensor) and each.shape == (2,) for each in optimizer.state[weight].values())
    averages = 2 if settings.weight_average else 0
    return count, 4 * count * (3 + 2 * kept + averages)
