"""A run's epochs, and what follows from them: pure functions of learning curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_LATE = 5  # epochs


@dataclass(frozen=True)
class Course:
    """A run's epochs in order.

    curves    each curve's values, one an epoch
    planned   how many epochs the run was to have
    accuracy  the validation accuracy that a question names
    """

    curves: Mapping[str, Floats]
    planned: int
    accuracy: float | None = None


def at_best(curve: str) -> Callable[[Course], float]:
    """The curve's value at the epoch of the lowest validation loss."""
    return lambda course: float(course.curves[curve][int(np.nanargmin(course.curves["val/loss"]))])


def mean(curve: str) -> Callable[[Course], float]:
    """The curve's mean over the epochs."""
    return lambda course: float(course.curves[curve].mean())


def epochs_to(course: Course) -> float:
    """The first epoch whose validation accuracy is at least the course's; one more than planned where none is."""
    reached = np.flatnonzero(course.curves["val/accuracy"] >= (course.accuracy or 1.0))
    return float(reached[0] + 1) if len(reached) else course.planned + 1.0


def roughness(course: Course) -> float:
    """The mean absolute second difference of the training loss's logarithm; nan below three epochs."""
    with np.errstate(divide="ignore", invalid="ignore"):
        bends = np.diff(np.log(course.curves["train/loss"]), n=2)
    return float(np.abs(bends).mean()) if len(bends) else float("nan")


def first_loss_max(course: Course) -> float:
    """The largest loss of a step in the first epoch."""
    return float(course.curves["train/loss_max"][0])


def late_spread(course: Course) -> float:
    """The residual standard deviation of validation loss around a straight line, over the last five epochs.

    nan below three epochs, or where a loss is not finite.
    """
    values = course.curves["val/loss"][-_LATE:]
    if len(values) < 3 or not np.isfinite(values).all():
        return float("nan")
    epochs = np.arange(len(values))
    residuals = values - np.polyval(np.polyfit(epochs, values, 1), epochs)
    return float(np.sqrt((residuals**2).sum() / (len(values) - 2)))
