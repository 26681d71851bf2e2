"""What a metric is: its unit, which way is better, and where its value comes from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TYPE_CHECKING

from runner.course import Course

if TYPE_CHECKING:
    from runner.confusion import Counts
    from runner.scores import Floats, Labels


class Better(IntEnum):
    """Which way a metric is better; as a number, the sign of a difference that is an improvement."""

    HIGHER, LOWER, NEITHER = 1, -1, 0


class Unit(Enum):
    """What a metric is measured in; it decides how values are written."""

    SHARE = "points"  # a share between 0 and 1, or a difference of shares: written in percentage points
    NATS = "nats"
    EPOCHS = "epochs"
    SECONDS = "s"
    NUMBER = "number"
    COUNT = "count"

    def text(self, value: float, sign: bool = True, unit: bool = True) -> str:
        """A value as an answer says it; `sign` writes a plus, `unit` the unit where it is not plain from the metric.

        >>> Unit.SHARE.text(0.0123), Unit.SECONDS.text(39444, sign=False), Unit.NATS.text(-0.5)
        ('+1.23 points', '39,400 s', '-0.500')
        """
        plus = "+" if sign else ""
        if self is Unit.SHARE:
            number = f"{100 * value:{plus}z.2f}"
        elif self in (Unit.EPOCHS, Unit.COUNT):
            number = f"{value:{plus}z.1f}"
        else:
            number = _three_digits(value, plus)
        return f"{number} {self.value}" if unit and self in (Unit.SHARE, Unit.EPOCHS, Unit.SECONDS) else number


def _three_digits(value: float, plus: str) -> str:
    rounded = float(f"{value:.3g}")
    if 1000 <= abs(rounded) < math.inf:
        return f"{rounded:{plus},.0f}"
    return f"{value:{plus}z#.3g}".removesuffix(".")


@dataclass(frozen=True)
class AtEnd:
    """Measured at the run's end: a number in result.json."""

    column: bool = False  # also a TensorBoard scalar at the best epoch, and a column of its hparams table


@dataclass(frozen=True)
class FromEpochs:
    """Computed from the run's epochs; `common`: over the epochs that the compared runs of a seed all have."""

    value: Callable[[Course], float]
    common: bool = False


@dataclass(frozen=True)
class FromPredictions:
    """Computed from the confusion matrix (true x predicted class) of a part."""

    part: str
    value: Callable[[Counts], float]


@dataclass(frozen=True)
class FromProbabilities:
    """Computed from the class probabilities (N x classes) and the labels (N) of a part."""

    part: str
    value: Callable[[Floats, Labels], float]


@dataclass(frozen=True)
class OfClass:
    """Computed from the confusion matrix (true x predicted class) of a part, for the class of this name."""

    part: str
    value: Callable[[Counts, int], float]
    name: str


@dataclass(frozen=True)
class EachEpoch:
    """Measured at every epoch.

    mean       whether TensorBoard also has its mean over a variant's seeds
    monitored  whether only runs have it whose setting `monitor` names it
    """

    mean: bool = True
    monitored: bool = False


@dataclass(frozen=True)
class Evaluated:
    """Measured on a part when a finished run is evaluated."""


@dataclass(frozen=True)
class Metric:
    """One metric.

    label           a few words, for heads of tables and axes
    meaning         what exactly is measured
    over_all        about all images alike, so that always predicting a majority class makes it look good
    """

    name: str
    label: str
    meaning: str
    unit: Unit
    better: Better
    source: AtEnd | FromEpochs | FromPredictions | FromProbabilities | OfClass | EachEpoch | Evaluated
    over_all: bool = False
