"""Makes a learner's optimizer and its average of weights."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterable
from functools import cache
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from runner.spec import Settings, is_reference, optimizer_class, takes
from runner.weights import matching

FACTOR = "lr_factor"  # of a group of parameters: its rate over that of the schedule
Group = dict[str, Any]


def make_optimizer(settings: Settings, model: nn.Module) -> torch.optim.Optimizer:
    """Returns the named optimizer of torch.optim, fused where torch can: on a CPU Adam's step is 3 times faster.

    On a GPU its learning rate is a tensor there where its steps can be recorded. Raises TypeError where your own
    optimizer is none, ValueError as `_groups` does.
    """
    cls, weights, groups = optimizer_class(settings.optimizer), list(model.parameters()), _groups(settings, model)
    if is_reference(settings.optimizer):
        return _own(settings, cls, groups)
    accepted = inspect.signature(cls).parameters
    arguments: dict[str, Any] = {"lr": settings.lr, **settings.optimizer_args}
    if "weight_decay" in accepted:
        arguments["weight_decay"] = settings.weight_decay
    if weights[0].is_cuda and recordable(settings):
        arguments["lr"] = torch.tensor(settings.lr, device=weights[0].device)
        arguments |= {"capturable": True} if "capturable" in accepted else {}
        for group in groups:
            group["lr"] = torch.tensor(group["lr"], device=weights[0].device)
    if "fused" in accepted and not arguments.keys() & {"fused", "foreach", "differentiable"}:
        arguments["fused"] = all(_has_fused(cls, weight.device, weight.dtype) for weight in weights)
    return cls(groups, **arguments)  # type: ignore[no-any-return]


def _groups(settings: Settings, model: nn.Module) -> list[Group]:
    """Returns the parameters by their factor of the rate and their decay, as torch.optim takes them.

    A group without a decay of its own has the optimizer's. Raises ValueError where a pattern of `lr_of` matches no
    parameter, or where two patterns match one.
    """
    factors: dict[str, float] = {}
    for pattern, factor in settings.lr_of.items():
        for name in matching(model, pattern):
            if name in factors:
                raise ValueError(f"two patterns of lr_of match {name}, one of them {pattern}; expected at most one")
            factors[name] = factor
    groups: dict[tuple[float, bool], Group] = {}
    for name, weight in model.named_parameters():
        factor, decays = factors.get(name, 1.0), settings.decay_norms or weight.ndim > 1
        group = {"params": [], "lr": settings.lr * factor, FACTOR: factor} | ({} if decays else {"weight_decay": 0.0})
        groups.setdefault((factor, decays), group)["params"].append(weight)
    return list(groups.values())


def _own(settings: Settings, make: Any, groups: list[Group]) -> torch.optim.Optimizer:
    """Calls your own make(parameters, lr=..., **optimizer_args), with weight_decay where it takes that.

    `parameters` are a plain list, or groups where `lr_of` or `decay_norms` make several.
    """
    decay = {"weight_decay": settings.weight_decay} if takes(make, "weight_decay") else {}
    given = groups if settings.lr_of or not settings.decay_norms else groups[0]["params"]
    made: Any = make(given, lr=settings.lr, **decay, **settings.optimizer_args)
    if not isinstance(made, torch.optim.Optimizer):
        raise TypeError(f"{settings.optimizer} returned {type(made).__name__}; expected a torch.optim.Optimizer")
    if not all("lr" in group for group in made.param_groups):
        raise TypeError(f'{settings.optimizer} keeps no "lr" in its parameter groups; expected one for the schedule')
    return made


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
    if is_reference(settings.optimizer):
        return False
    cls = optimizer_class(settings.optimizer)
    return cls is torch.optim.SGD or "capturable" in inspect.signature(cls).parameters


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
