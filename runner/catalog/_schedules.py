"""The schedules of the learning rate."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.catalog._entries import Entry, by_name

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

_NEEDS_FUNCTIONS = {"LambdaLR", "MultiplicativeLR", "SequentialLR", "ChainedScheduler"}  # or other schedules
_ITS_OWN = {"optimizer", "last_epoch", "verbose"}  # arguments that the runner or nobody gives


@dataclass(frozen=True)
class Plan:
    """What the runner knows about a run's training.

    lr      the setting, which is the peak
    steps   optimizer steps in all epochs
    higher  whether a higher value of the monitored measure is better
    """

    lr: float
    steps: int
    higher: bool = False


@dataclass(frozen=True, kw_only=True)
class Schedule(Entry):
    """A schedule of the learning rate.

    cls       its class of torch.optim.lr_scheduler; empty where the rate stays constant
    per_step  whether it goes on at every optimizer step; otherwise after every epoch
    fixed     fixed(plan) returns the class's arguments that the runner gives
    """

    cls: str = ""
    per_step: bool = False
    fixed: Callable[[Plan], dict[str, Any]] = lambda _: {}

    def make(self, optimizer: Optimizer, plan: Plan, arguments: Mapping[str, Any]) -> LRScheduler | None:
        """Returns torch's schedule of the optimizer's rate, `arguments` those that a study gives; None for constant."""
        if not self.cls:
            return None
        from torch.optim import lr_scheduler

        made: LRScheduler = getattr(lr_scheduler, self.cls)(optimizer, **self.fixed(plan), **arguments)
        return made

    def arguments(self) -> dict[str, bool]:
        """Returns the arguments that a study may give, each with whether it must."""
        if not self.cls:
            return {}
        from torch.optim import lr_scheduler

        given = _ITS_OWN | self.fixed(Plan(1.0, 1)).keys()
        known = inspect.signature(getattr(lr_scheduler, self.cls)).parameters
        return {name: known[name].default is inspect.Parameter.empty for name in known if name not in given}


def _cycle(plan: Plan) -> dict[str, Any]:
    """Arguments of CyclicLR and OneCycleLR: they cycle the rate alone."""
    return {"max_lr": plan.lr, "cycle_momentum": False, "base_momentum": 0.85, "max_momentum": 0.95}


SCHEDULES = by_name(
    Schedule(name="constant", meaning="`lr` at every step"),
    Schedule(
        name="cosine",
        meaning="from `lr` to 0 along half a cosine, without restarts",
        source="Loshchilov & Hutter 2017",
        cls="CosineAnnealingLR",
        per_step=True,
        fixed=lambda plan: {"T_max": plan.steps},
    ),
    Schedule(
        name="one_cycle",
        meaning="from `lr` / 25 up to `lr` in 30% of the steps, then down to near 0",
        source="Smith 2018",
        cls="OneCycleLR",
        per_step=True,
        fixed=lambda plan: _cycle(plan) | {"total_steps": plan.steps, "epochs": None, "steps_per_epoch": None},
    ),
    Schedule(name="step", meaning="times `gamma` (0.1) after every `step_size` epochs", cls="StepLR"),
    Schedule(
        name="multistep", meaning="times `gamma` (0.1) after each of the epochs in `milestones`", cls="MultiStepLR"
    ),
    Schedule(name="exponential", meaning="times `gamma` after every epoch", cls="ExponentialLR"),
    Schedule(
        name="plateau",
        meaning="times `factor` (0.1) after more than `patience` (10) epochs without a better value of `monitor`",
        cls="ReduceLROnPlateau",
        fixed=lambda plan: {"mode": "max" if plan.higher else "min"},
    ),
)
# OneCycleLR is one_cycle, with the runner's arguments. CosineAnnealingLR is not cosine: it counts epochs.
ALIASES = {entry.cls: entry.name for entry in SCHEDULES.values() if entry.name != "cosine" and entry.cls}


def find_schedule(name: str) -> Schedule | None:
    """Returns the schedule of this name, or of this class of torch.optim.lr_scheduler; None where no run can use one.

    A class that is not in the table goes on after every epoch, as its documentation expects, except CyclicLR.
    """
    if name in SCHEDULES:
        return SCHEDULES[name]
    if name not in torch_schedules():
        return None
    if name != "CyclicLR":
        return Schedule(name=name, meaning="", cls=name)
    return Schedule(
        name=name, meaning="", cls=name, per_step=True, fixed=lambda plan: _cycle(plan) | {"scale_fn": None}
    )


def torch_schedules() -> list[str]:
    """Returns the classes of torch.optim.lr_scheduler that a study can name."""
    from torch.optim import lr_scheduler

    classes = {name: each for name, each in vars(lr_scheduler).items() if inspect.isclass(each)}
    base = lr_scheduler.LRScheduler
    return [
        name
        for name, each in classes.items()
        if issubclass(each, base) and each is not base and name not in _NEEDS_FUNCTIONS and name[0] != "_"
    ]
