"""Makes a learner's optimizer, its learning rate and its average of weights."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterable
from functools import cache
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from runner.catalog import SCHEDULES
from runner.spec import Settings, optimizer_class

State = dict[str, Any]


def make_optimizer(settings: Settings, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Returns the named optimizer of torch.optim, fused where torch can: on a CPU Adam's step is 3 times faster.

    On a GPU its learning rate is a tensor there where its steps can be recorded.
    """
    cls, weights = optimizer_class(settings.optimizer), list(parameters)
    accepted = inspect.signature(cls).parameters
    arguments: dict[str, Any] = {"lr": settings.lr, **settings.optimizer_args}
    if "weight_decay" in accepted:
        arguments["weight_decay"] = settings.weight_decay
    if weights[0].is_cuda and recordable(settings):
        arguments["lr"] = torch.tensor(settings.lr, device=weights[0].device)
        arguments |= {"capturable": True} if "capturable" in accepted else {}
    if "fused" in accepted and not arguments.keys() & {"fused", "foreach", "differentiable"}:
        arguments["fused"] = all(_has_fused(cls, weight.device, weight.dtype) for weight in weights)
    return cls(weights, **arguments)  # type: ignore[no-any-return]


@cache
def _has_fused(cls: Any, device: torch.device, dtype: torch.dtype) -> bool:
    """Whether torch has a fused version for this device and type. Some say so at their first step only."""
    weight = nn.Parameter(torch.zeros(1, device=device, dtype=dtype))
    weight.grad = torch.zeros_like(weight)
    try:
        cls([weight], lr=1e-3, fused=True).step()
    except RuntimeError:
        return False
    return True


def recordable(settings: Settings) -> bool:
    """Whether torch can record the optimizer's steps on a GPU: it keeps its state and reads its rate there."""
    cls = optimizer_class(settings.optimizer)
    return cls is torch.optim.SGD or "capturable" in inspect.signature(cls).parameters


class Rate:
    """The learning rate and its schedule.

    The schedule acts on an optimizer of its own. So rates are Python's floats on every device, also where the real
    optimizer's rate is a tensor that recorded steps read.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, settings: Settings, steps: int) -> None:
        """`steps` is the number of optimizer steps in all epochs."""
        self._group = optimizer.param_groups[0]
        self._tensor: Any = self._group["lr"] if isinstance(self._group["lr"], torch.Tensor) else None
        self._own = torch.optim.SGD([torch.zeros(1)], lr=settings.lr)
        self._schedule = SCHEDULES[settings.schedule].make(self._own, settings.lr, steps)
        self._own.step()  # schedules expect a step of the optimizer before their own
        self._apply()

    @property
    def value(self) -> float:
        """The rate of the next step."""
        return float(self._own.param_groups[0]["lr"])

    def step(self) -> None:
        """Goes on to the rate of the next step."""
        if self._schedule:
            self._schedule.step()
            self._apply()

    def state(self) -> State:
        """Returns what the schedule resumes from; empty without one."""
        return self._schedule.state_dict() if self._schedule else {}

    def restore(self, optimizer: torch.optim.Optimizer, state: State) -> None:
        """Resumes from a state that `state` returned, after the optimizer has resumed."""
        self._group = optimizer.param_groups[0]
        if self._schedule:
            self._schedule.load_state_dict(state)
            self._own.param_groups[0]["lr"] = self._schedule.get_last_lr()[0]
        self._apply()

    def _apply(self) -> None:
        if self._tensor is None:
            self._group["lr"] = self.value
        else:
            self._tensor.fill_(self.value)
            self._group["lr"] = self._tensor


def make_average(settings: Settings, model: nn.Module) -> AveragedModel | None:
    """Returns an exponential moving average of weights and BatchNorm statistics (Polyak & Juditsky 1992)."""
    if not settings.weight_average:
        return None
    average = get_ema_multi_avg_fn(settings.weight_average)  # type: ignore[no-untyped-call]
    return AveragedModel(model, multi_avg_fn=average, use_buffers=True)


def update_average(average: AveragedModel, model: nn.Module) -> None:
    """Does what `update_parameters` does. From the second call on it stays on the device, so it can be recorded."""
    if not average.n_averaged:  # a number on the CPU
        average.update_parameters(model)
        return
    pairs = [(mean.detach(), now.detach()) for mean, now in zip(_tensors(average.module), _tensors(model), strict=True)]
    update: Any = average.multi_avg_fn
    for floating in (True, False):
        alike = [pair for pair in pairs if pair[0].is_floating_point() == floating]
        if alike:
            update([mean for mean, _ in alike], [now for _, now in alike], None)


def _tensors(model: nn.Module) -> Iterable[torch.Tensor]:
    return itertools.chain(model.parameters(), model.buffers())
