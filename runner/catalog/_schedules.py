"""The schedules of the learning rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.catalog._entries import Entry, by_name

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler


@dataclass(frozen=True, kw_only=True)
class Schedule(Entry):
    """A schedule of the learning rate.

    make  make(optimizer, peak learning rate, optimizer steps in all epochs) returns the scheduler; None where the
          rate stays constant
    """

    make: Callable[[Optimizer, float, int], LRScheduler | None]


def _constant(_: Optimizer, __: float, ___: int) -> None:
    return None


def _cosine(optimizer: Optimizer, _: float, total_steps: int) -> LRScheduler:
    from torch.optim.lr_scheduler import CosineAnnealingLR

    return CosineAnnealingLR(optimizer, T_max=total_steps)


def _one_cycle(optimizer: Optimizer, lr: float, total_steps: int) -> LRScheduler:
    from torch.optim.lr_scheduler import OneCycleLR

    return OneCycleLR(optimizer, max_lr=lr, total_steps=total_steps, cycle_momentum=False)


SCHEDULES = by_name(
    Schedule(name="constant", meaning="`lr` at every step", make=_constant),
    Schedule(
        name="cosine",
        meaning="from `lr` to 0 along half a cosine, without restarts",
        source="Loshchilov & Hutter 2017",
        make=_cosine,
    ),
    Schedule(
        name="one_cycle",
        meaning="from `lr` / 25 up to `lr` in 30% of the steps, then down to near 0",
        source="Smith 2018",
        make=_one_cycle,
    ),
)
