"""Gives an optimizer the learning rate of each step."""

from __future__ import annotations

from typing import Any

import torch

from runner.catalog import Rates
from runner.spec import Settings, is_reference, load_function
from runner.train._optimizer import FACTOR

State = dict[str, Any]


class Rate:
    """Applies a run's rates to its optimizer.

    On a GPU the optimizer's rate may be a tensor, which recorded steps read. Groups of parameters with other rates, by
    `lr_of` or your own optimizer, keep their ratios.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, settings: Settings, steps: int) -> None:
        """`steps` is the number of optimizer steps in an epoch. Raises ValueError as `Rates` does."""
        self._groups = optimizer.param_groups
        rates = [group["lr"] for group in self._groups]
        self._tensors = [rate if isinstance(rate, torch.Tensor) else None for rate in rates]
        given = [1.0 if isinstance(rate, torch.Tensor) else rate / settings.lr for rate in rates]
        self._ratios = [group.get(FACTOR, ratio) for group, ratio in zip(self._groups, given, strict=True)]
        own = load_function(settings.schedule) if is_reference(settings.schedule) else None
        self._rates = Rates(settings, steps, own)
        self._apply()

    @property
    def value(self) -> float:
        """The rate of the next step."""
        return self._rates.value

    def step(self) -> None:
        """Goes on to the rate of the next step."""
        self._rates.step()
        if self.value != self._applied:  # on a GPU each change is a kernel
            self._apply()

    def end_epoch(self, monitored: float) -> None:
        """Goes on to the rate of the next epoch; `monitored` is the value of the monitored measure after this one."""
        self._rates.end_epoch(monitored)
        self._apply()

    def state(self) -> State:
        """Returns what it resumes from."""
        return self._rates.state()

    def restore(self, optimizer: torch.optim.Optimizer, state: State) -> None:
        """Resumes from a state that `state` returned, after the optimizer has resumed."""
        self._groups = optimizer.param_groups
        self._rates.restore(state)
        self._apply()

    def _apply(self) -> None:
        self._applied = value = self.value
        for group, tensor, ratio in zip(self._groups, self._tensors, self._ratios, strict=True):
            if tensor is None:
                group["lr"] = value * ratio
            else:
                tensor.fill_(value * ratio)
                group["lr"] = tensor
