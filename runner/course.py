"""Computes quantities from a run's epochs: pure functions of learning curves.

Each loads numpy when it is called: the table of metrics names them, and --help and list need not wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
_LATE = 5  # epochs


@dataclass(frozen=True)
class Course:
    """A run's epochs in order.

    curves    each curve's values, one for each epoch
    planned   the planned number of epochs
    accuracy  the validation accuracy that a question names, from 0 to 1
    best      the best epoch, from 1; by default that of the lowest validation loss
    """

    curves: Mapping[str, Floats]
    planned: int
    accuracy: float | None = None
    best: int | None = None


def at_best(curve: str) -> Callable[[Course], float]:
    """Returns a function that gives a curve's value at the best epoch."""

    def value(course: Course) -> float:
        import numpy as np

        best = course.best or 1 + int(np.nanargmin(course.curves["val/loss"]))
        return float(course.curves[curve][best - 1])

    return value


def mean(curve: str) -> Callable[[Course], float]:
    """Returns a function that gives a curve's mean over the epochs."""
    return lambda course: float(course.curves[curve].mean())


def epochs_to(course: Course) -> float:
    """Returns the first epoch (from 1) with at least the course's validation accuracy; planned + 1 where none has it.

    >>> import numpy as np
    >>> epochs_to(Course({"val/accuracy": np.array([0.5, 0.8, 0.9])}, planned=3, accuracy=0.8))
    2.0
    """
    import numpy as np

    reached = np.flatnonzero(course.curves["val/accuracy"] >= (course.accuracy or 1.0))
    return float(reached[0] + 1) if len(reached) else course.planned + 1.0


def roughness(course: Course) -> float:
    """Returns the mean absolute second difference of the logarithm of the training loss; nan below three epochs.

    >>> import numpy as np
    >>> roughness(Course({"train/loss": np.array([4.0, 2.0, 1.0])}, planned=3))
    0.0
    """
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        bends = np.diff(np.log(course.curves["train/loss"]), n=2)
    return float(np.abs(bends).mean()) if len(bends) else float("nan")


def first_loss_max(course: Course) -> float:
    """Returns the largest loss (nats) of a step in the first epoch."""
    return float(course.curves["train/loss_max"][0])


def late_spread(course: Course) -> float:
    """Returns the residual standard deviation of validation loss (nats) around a line over the last five epochs.

    Returns nan below three epochs, or where a loss is not finite.
    """
    import numpy as np

    values = course.curves["val/loss"][-_LATE:]
    if len(values) < 3 or not np.isfinite(values).all():
        return float("nan")
    epochs = np.arange(len(values))
    residuals = values - np.polyval(np.polyfit(epochs, values, 1), epochs)
    return float(np.sqrt((residuals**2).sum() / (len(values) - 2)))
