"""The learning rate of each step of a run, from its settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from runner.catalog._monitors import MONITORS
from runner.catalog._schedules import Plan, find_schedule

OwnSchedule = Callable[..., float]  # (epoch, epochs, **schedule_args) -> what `lr` is multiplied by


class Timing(Protocol):
    """The settings that decide the rates; `Settings` has them."""

    @property
    def lr(self) -> float:
        """The peak rate."""

    @property
    def epochs(self) -> int:
        """The most epochs."""

    @property
    def schedule(self) -> str:
        """The schedule's name."""

    @property
    def schedule_args(self) -> dict[str, Any]:
        """Its arguments."""

    @property
    def warmup(self) -> float:
        """Epochs in which the rate rises from near 0."""

    @property
    def monitor(self) -> str:
        """The measure that the schedule `plateau` watches."""


class Rates:
    """The rate of the next step, as Python's float: schedule times warmup.

    The schedule acts on an optimizer of its own, so it is the same for every real one, on every device.
    """

    def __init__(self, settings: Timing, steps: int, own: OwnSchedule | None = None) -> None:
        """`steps` is the number of optimizer steps in an epoch; `own` is your schedule where the settings name one.

        Raises ValueError where the warmup has fewer than two steps.
        """
        import torch

        self._settings, self._steps, self._own = settings, steps, own
        self._taken = 0
        self._warmup = round(settings.warmup * steps)
        if settings.warmup and self._warmup < 2:
            what = f"warmup is {settings.warmup:g} epochs of {steps} steps, less than 2 steps; expected at least"
            raise ValueError(f"{what} {2 / steps:.2g}, or 0")
        self._optimizer = torch.optim.SGD([torch.zeros(1)], lr=settings.lr)
        self._entry = None if own else find_schedule(settings.schedule)
        plan = Plan(settings.lr, settings.epochs * steps, MONITORS[settings.monitor].higher)
        self._schedule: Any = self._entry and self._entry.make(self._optimizer, plan, settings.schedule_args)
        self._optimizer.step()  # schedules expect a step of the optimizer before their own

    @property
    def value(self) -> float:
        """The rate of the next step."""
        rate = float(self._optimizer.param_groups[0]["lr"])
        if self._own:
            epoch, settings = self._taken / self._steps, self._settings
            rate = settings.lr * self._own(epoch, settings.epochs, **settings.schedule_args)
        return rate * min(1.0, (self._taken + 1) / self._warmup) if self._warmup else rate

    def step(self) -> None:
        """Goes on to the next step."""
        self._taken += 1
        if self._schedule and self._entry and self._entry.per_step:
            self._schedule.step()

    def end_epoch(self, monitored: float) -> None:
        """Goes on to the next epoch; `monitored` is the value of the monitored measure after this one."""
        if not self._schedule or not self._entry or self._entry.per_step:
            return
        if self._entry.name == "plateau":
            self._schedule.step(monitored)
        else:
            self._schedule.step()

    def state(self) -> dict[str, Any]:
        """Returns what it resumes from."""
        schedule = self._schedule.state_dict() if self._schedule else {}
        return {"taken": self._taken, "rate": self._optimizer.param_groups[0]["lr"], "schedule": schedule}

    def restore(self, state: dict[str, Any]) -> None:
        """Resumes from a state that `state` returned."""
        self._taken = state["taken"]
        if self._schedule:
            self._schedule.load_state_dict(state["schedule"])
        self._optimizer.param_groups[0]["lr"] = state["rate"]
