"""What may choose a run's best epoch: a measure of validation, taken after every epoch."""

from __future__ import annotations

from dataclasses import dataclass

from runner.catalog._entries import Entry, by_name


@dataclass(frozen=True, kw_only=True)
class Monitor(Entry):
    """A measure of validation; `higher` says whether a higher value is better.

    `meaning` says which epoch is the best.
    """

    higher: bool

    def better(self, value: float, best: float) -> bool:
        """Whether `value` is better than the best so far; an equal one is not."""
        return value > best if self.higher else value < best

    @property
    def worst(self) -> float:
        """The value that every other one is better than."""
        return float("-inf" if self.higher else "inf")


MONITORS = by_name(
    Monitor(name="val/loss", meaning="lowest validation loss", higher=False),
    Monitor(name="val/accuracy", meaning="highest validation accuracy", higher=True),
    Monitor(
        name="val/f1",
        meaning="highest macro F1 on validation",
        higher=True,
    ),
)
