"""The training losses: their meaning, their arguments, and what they compare the logits with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.catalog._entries import Entry, by_name

if TYPE_CHECKING:
    import torch

    Criterion = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # logits, labels -> one number


@dataclass(frozen=True, kw_only=True)
class Loss(Entry):
    """A class of torch.nn that gives the mean loss of a batch.

    arguments  the names that `loss_args` may have
    one_hot    whether it compares logits with 1 for the true class and 0 for the others, class by class
    settings   the settings that it reads, each with the name of its argument in torch
    """

    arguments: tuple[str, ...] = ()
    one_hot: bool = False
    settings: tuple[tuple[str, str], ...] = ()

    def make(self, arguments: dict[str, Any]) -> Criterion:
        """Returns a function of logits (float32, N x classes) and labels (int64, N), the result one number."""
        import torch

        made: Criterion = getattr(torch.nn, self.name)(**arguments)
        if not self.one_hot:
            return made
        return lambda logits, labels: made(logits, torch.zeros_like(logits).scatter_(1, labels[:, None], 1.0))


OWN_LOSS_SETTINGS = (("class_weights", "weight"), ("label_smoothing", "label_smoothing"))
LOSSES = by_name(
    Loss(name="CrossEntropyLoss", meaning="cross-entropy", settings=OWN_LOSS_SETTINGS),
    Loss(
        name="MultiMarginLoss",
        meaning="hinge loss between the true class's logit and each other one; `margin` (1), `p` (1)",
        source="Crammer & Singer 2001",
        arguments=("p", "margin"),
        settings=OWN_LOSS_SETTINGS[:1],
    ),
    Loss(
        name="BCEWithLogitsLoss",
        meaning="a binary cross-entropy for each class against the others",
        source="Wightman et al. 2021",
        one_hot=True,
    ),
    Loss(
        name="MSELoss",
        meaning="squared distance of the logits from 1 for the true class and 0 for the others",
        source="Hui & Belkin 2021",
        one_hot=True,
    ),
    Loss(name="L1Loss", meaning="the same with absolute distances", one_hot=True),
    Loss(
        name="SmoothL1Loss",
        meaning="the same, squared below `beta` (1) and absolute above",
        source="Girshick 2015",
        arguments=("beta",),
        one_hot=True,
    ),
    Loss(
        name="HuberLoss",
        meaning="the same, squared below `delta` (1) and absolute above, not divided by it",
        source="Huber 1964",
        arguments=("delta",),
        one_hot=True,
    ),
)
