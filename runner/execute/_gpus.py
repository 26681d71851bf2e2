"""Which GPU each worker has: one for each, which no other command has."""

from __future__ import annotations

import os
from contextlib import ExitStack

import torch
from filelock import Timeout

from runner.files import lock, shared_temporary
from runner.spec import Kind, Problem, RequestError

VISIBLE = "CUDA_VISIBLE_DEVICES"


def worker_gpus(asked: str, device: torch.device, most: int, claims: ExitStack | None) -> tuple[str, ...] | None:
    """Returns the GPUs for workers, as CUDA_VISIBLE_DEVICES names them; None where workers use what they find.

    For "auto" and "cuda" these are the GPUs that no other command has, at most `most`. A GPU asked for by its number
    is given whoever has it. For "cpu" the only name is empty, which hides every GPU. The GPUs are this command's until
    `claims` closes; without it nothing is claimed. Raises RequestError where other commands have every GPU.
    """
    if device.type != "cuda":
        return ("",) if asked == "cpu" else None
    names = _visible()
    if number := asked.partition(":")[2]:
        _claim(names[int(number)], claims)
        return (names[int(number)],)
    found: list[str] = []
    for name in names:
        if len(found) < max(most, 1) and _claim(name, claims):
            found.append(name)
    if not found:
        what = "other commands have every GPU; wait for one, or share one with --device cuda:0."
        raise RequestError([Problem(Kind.MACHINE, "--device", what)])
    return tuple(found)


def tried_on(gpu: str) -> torch.device:
    """Returns the device on which this process, which sees every GPU, measures what runs cost on this one."""
    number = _visible().index(gpu)
    return torch.device("cuda", number) if number else torch.device("cuda")


def _visible() -> list[str]:
    """Returns the names of the GPUs that this process may use; CUDA numbers them in this order."""
    count = torch.cuda.device_count()
    given = [name.strip() for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]
    return (given or [str(number) for number in range(count)])[:count]


def _claim(name: str, claims: ExitStack | None) -> bool:
    """Claims a GPU of this machine; returns False where another command of this user has it."""
    if claims is None:
        return True
    try:
        claims.enter_context(lock(shared_temporary() / f"gpu-{name}").acquire(blocking=False))
    except Timeout:
        return False
    except OSError:  # there is no place for locks, so nobody has it
        return True
    return True
