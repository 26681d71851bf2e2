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
    """Returns the device of this name; for "auto" an NVIDIA GPU where there is one, else the CPU.

    "auto" is never Apple's GPU (mps): see `caution`.

    Raises RequestError where the machine does not have the device.
    """
    import torch  # slow to import: not before the request is known to be right

    there = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if name == "auto":
        name = "cuda" if there["cuda"] else "cpu"
    kind, _, number = name.partition(":")
    if kind not in there or (number and (kind != "cuda" or not number.isdecimal())) or name.endswith(":"):
        what = f'got "{name}"; expected one of auto, cpu, cuda, mps (cuda:1 is the second GPU).'
        raise RequestError([Problem(Kind.UNKNOWN, "--device", what)])
    if int(number or 0) >= there[kind]:
        have = f"has {there[kind]} of them" if number and there[kind] else f'or its torch has no "{kind}"'
        raise RequestError([Problem(Kind.MACHINE, "--device", f"this machine {have}.")])
    return torch.device(name)


def caution(device: torch.device) -> str:
    """Returns what is not known about a device; empty where everything is."""
    if device.type != "mps":
        return ""
    return (
        "mps: each run seeds this device's random numbers at every step, but no run was ever tried on one. With "
        "--device cpu the same settings and seed give the same numbers."
    )
