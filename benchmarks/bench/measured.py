"""What was measured, and what follows from it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.bench.accuracy import Difference, difference
from benchmarks.bench.contestants import CONTESTANTS, OURS
from benchmarks.bench.fixed import Fixed
from benchmarks.bench.limit import Rates

KINDS = {False: "no augmentation", True: "every variant augmented"}


@dataclass(frozen=True)
class Record:
    """One tool's training of the study: seconds for one epoch of one run, and accuracies in one order of variants.

    total   all included, from the process's start to its end
    steady  from each run's second epoch on
    """

    tool: str
    augmented: bool
    repetition: int
    total: float
    steady: float
    accuracies: tuple[float, ...]


@dataclass(frozen=True)
class Measured:
    """Everything that the page says.

    images  what they are, and `train` how many each epoch trains on
    limit   the least seconds for one epoch of one run, by the median rates
    """

    command: str
    images: str
    train: int
    epochs: int
    runs: int
    records: list[Record]
    rates: list[Rates]
    limit: float
    fixed: Fixed | None

    def of(self, tool: str, augmented: bool) -> list[Record]:
        """A tool's records, by repetition."""
        return [each for each in self.records if (each.tool, each.augmented) == (tool, augmented)]

    def tools(self, augmented: bool) -> list[str]:
        """The tools that were measured, in their order."""
        return [name for name in CONTESTANTS if self.of(name, augmented)]

    def ratios(self, tool: str, augmented: bool, steady: bool = False) -> list[float]:
        """How many times faster the runner was than a tool in the same repetition."""
        return [time_of(other, steady) / time_of(own, steady) for own, other in self._pairs(tool, augmented)]

    def difference(self, tool: str, augmented: bool) -> Difference:
        """The difference of a tool's accuracies from the runner's."""
        comparisons = sum(len(self.tools(kind)) - 1 for kind in KINDS)
        pairs = self._pairs(tool, augmented)
        own, other = ([value for pair in pairs for value in pair[side].accuracies] for side in (0, 1))
        return difference(own, other, comparisons)

    def _pairs(self, tool: str, augmented: bool) -> list[tuple[Record, Record]]:
        others = {each.repetition: each for each in self.of(tool, augmented)}
        return [(own, others[own.repetition]) for own in self.of(OURS, augmented) if own.repetition in others]

    @property
    def alike(self) -> bool:
        """Whether all tools reach the runner's accuracy within noise."""
        return all(
            self.difference(tool, kind).within_noise for kind in KINDS for tool in self.tools(kind) if tool != OURS
        )


def time_of(record: Record, steady: bool) -> float:
    """Returns the seconds for one epoch of one run, in steady state or all included."""
    return record.steady if steady else record.total


def spread(values: Sequence[float], digits: int = 2, unit: str = "") -> str:
    """Returns the median with the range in brackets.

    >>> spread([1.0, 3.0, 2.0], 1, "x")
    '2.0x (1.0 to 3.0)'
    """
    shown = [f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values))]
    return f"{shown[0]}{unit}" + (f" ({shown[1]} to {shown[2]})" if len(values) > 1 else "")
