"""What other programs logged: runs with their scalars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runner.events import Hparam, Steps
from runner.measures import TAKEN


@dataclass(frozen=True)
class LoggedRun:
    """One run.

    source   what it was called
    scalars  tag to its values
    walls    step to when its last value was written (seconds since 1970)
    hparams  what it said of its settings
    started  seconds since 1970, as `ended`
    """

    variant: str
    seed: int
    source: str
    scalars: Mapping[str, Steps]
    walls: Mapping[int, float] = field(default_factory=dict)
    hparams: Mapping[str, Hparam] = field(default_factory=dict)
    started: float = 0.0
    ended: float = 0.0


@dataclass(frozen=True)
class Found:
    """All runs of one place, and what a reader should know about them, as sentences."""

    runs: Sequence[LoggedRun]
    remarks: Sequence[str] = ()
    pattern: str = ""

    @property
    def tags(self) -> list[str]:
        """Every tag that some run has, except those named as a column of our own tables."""
        return [tag for tag in dict.fromkeys(tag for run in self.runs for tag in run.scalars) if tag not in TAKEN]

    @property
    def variants(self) -> dict[str, list[int]]:
        """Each variant's seeds."""
        found: dict[str, list[int]] = {}
        for run in self.runs:
            found.setdefault(run.variant, []).append(run.seed)
        return found
