"""Makes a learner's training loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from runner.catalog import LOSSES
from runner.spec import Settings, is_reference, load_function, loss_settings

Criterion = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def make_loss(settings: Settings, labels: npt.NDArray[np.int64], classes: int, device: torch.device) -> Criterion:
    """Returns the loss of logits (float32, N x classes) for labels (int64, N), a tensor of one number.

    `labels` are those of the train part. Raises ValueError where the class weights don't fit them.
    """
    arguments = dict(settings.loss_args)
    known = loss_settings(settings.loss)
    if settings.class_weights != "none":
        weights = class_weights(settings, labels, classes)
        arguments[known["class_weights"]] = torch.tensor(weights, dtype=torch.float32, device=device)
    if settings.label_smoothing:
        arguments[known["label_smoothing"]] = settings.label_smoothing
    if not is_reference(settings.loss):
        return LOSSES[settings.loss].make(arguments)
    own = load_function(settings.loss)
    # It may change the labels in place, and other runs of the cohort read them too.
    return lambda logits, labels: _checked(own(logits, labels.clone(), **arguments), settings.loss)


def class_weights(settings: Settings, labels: npt.NDArray[np.int64], classes: int) -> list[float]:
    """Returns the weight of each class.

    Balanced weights are images / (classes x images of the class), as scikit-learn's. Raises ValueError where the
    settings give another number of weights, or where balanced weights are all equal.
    """
    if settings.class_weights == "balanced":
        counts = np.bincount(labels, minlength=classes)
        if len(set(counts)) == 1:
            raise ValueError("balanced class_weights have no effect: each class has the same number of train images")
        return [len(labels) / (classes * int(count)) for count in counts]
    weights = [float(weight) for weight in settings.class_weights]
    if len(weights) != classes:
        raise ValueError(f"class_weights has {len(weights)} weights; expected one for each of {classes} classes")
    return weights


def _checked(value: Any, loss: str) -> torch.Tensor:
    """Returns your own loss's value. Raises TypeError or ValueError where it is not one number with a gradient."""
    expected = "expected the mean loss of the batch: a float tensor of one number that depends on the logits"
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{loss} returned a {type(value).__name__}; {expected}")
    if value.shape != () or not value.is_floating_point():
        shape = " x ".join(map(str, value.shape)) or "one number"
        raise ValueError(f"{loss} returned {value.dtype} of {shape}; {expected}")
    if not value.requires_grad:
        raise ValueError(f"{loss} returned a number without a gradient; {expected}")
    return value
