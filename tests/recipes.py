"""Losses, optimizers and schedules as a user would bring them, some broken; named in specs as tests.recipes:NAME."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.nn import functional


def focal(logits: torch.Tensor, labels: torch.Tensor, gamma: float = 2.0) -> torch.Tensor:
    """The focal loss of Lin et al. 2017, without alpha."""
    each = functional.cross_entropy(logits, labels, reduction="none")
    return ((1 - torch.exp(-each)) ** gamma * each).mean()


def weighted(logits: torch.Tensor, labels: torch.Tensor, weight: torch.Tensor | None = None) -> torch.Tensor:
    """Takes class weights, as torch's own losses do."""
    return functional.cross_entropy(logits, labels, weight=weight)


def jittered(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Draws from Python's generator."""
    return functional.cross_entropy(logits, labels) * (0.5 + random.random())


def vandal(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Changes the labels that it is given."""
    loss = functional.cross_entropy(logits, labels)
    labels.zero_()
    return loss


def gives(logits: torch.Tensor, labels: torch.Tensor, what: str) -> Any:
    """Gives other things than one number with a gradient."""
    each = functional.cross_entropy(logits, labels, reduction="none")
    return {"vector": each, "number": float(each.mean()), "constant": each.mean().detach(), "none": None}[what]


def with_auxiliary(output: Any, labels: torch.Tensor) -> torch.Tensor:
    """Counts a second output a third, as Szegedy et al. 2015 do; mixing calls it twice."""
    logits, second = output
    return functional.cross_entropy(logits, labels) + 0.3 * functional.cross_entropy(second, labels)


class Signs(torch.optim.Optimizer):
    """Steps by the sign of an average of gradients (Lion without its second average)."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, beta: float = 0.9, weight_decay: float = 0.0):
        super().__init__(parameters, {"lr": lr, "beta": beta, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for weight in group["params"]:
                mean = self.state[weight].setdefault("mean", torch.zeros_like(weight))
                mean.lerp_(weight.grad, 1 - group["beta"])
                weight.mul_(1 - group["lr"] * group["weight_decay"]).sub_(mean.sign(), alpha=group["lr"])


def two_rates(parameters: Iterable[nn.Parameter], lr: float) -> torch.optim.Optimizer:
    """Gives biases twice the rate."""
    every: list[nn.Parameter] = list(parameters)
    weights = [each for each in every if each.ndim > 1]
    biases = [each for each in every if each.ndim == 1]
    groups: list[dict[str, Any]] = [{"params": weights}, {"params": biases, "lr": 2 * lr}]
    return torch.optim.SGD(groups, lr=lr)


def no_optimizer(parameters: Iterable[nn.Parameter], lr: float) -> list[nn.Parameter]:
    """Is none."""
    return list(parameters)


class Closed(torch.optim.SGD):
    """Needs a closure."""

    def step(self, closure: Any) -> None:  # type: ignore[override]
        closure()
        super().step()


def root(epoch: float, epochs: int, power: float = 0.5) -> float:
    """Falls with the root of the rest."""
    return float((1 - epoch / epochs) ** power)


def flat(epoch: float, epochs: int) -> float:
    """Changes nothing."""
    return 1.0


def negative(epoch: float, epochs: int) -> float:
    """Falls below 0."""
    return math.cos(math.pi * epoch / epochs)


def failing(epoch: float, epochs: int) -> float:
    """Fails at the second epoch."""
    return 1 / (1 - int(epoch))
