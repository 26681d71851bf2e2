"""Describes the machine that the runner is on: its cores and its device."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from runner.spec import Kind, Problem, RequestError

if TYPE_CHECKING:
    import torch


def cores() -> int:
    """Returns how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pick_device(name: str) -> torch.device:
    """Returns the device of this name; for "auto" the GPU where there is one, else the CPU.

    Raises RequestError where the machine does not have the device.
    """
    import torch  # slow to import: not before the request is known to be right

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if there[kind])
    if name not in there:
        raise RequestError([Problem(Kind.UNKNOWN, "--device", f'got "{name}"; expected one of auto, cpu, cuda, mps.')])
    if not there[name]:
        raise RequestError([Problem(Kind.MACHINE, "--device", f'this machine or its torch has no "{name}".')])
    return torch.device(name)
