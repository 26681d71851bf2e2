"""The metrics of a study: the runner's own table, or what the study's own training reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runner.metrics import METRICS, AtEnd, Better, FromPredictions, FromProbabilities, Metric, Unit, find_metric


@dataclass(frozen=True)
class MetricSet:
    """The metrics of a study: the runner's own, or those that the study's own training reports.

    table     every metric that a question may ask about, besides those of one class
    reported  those that each run's directory has a number of: columns of the report's tables
    compared  those whose effects are in the table of effects
    main      the one that variants are ranked and drawn by
    """

    table: Mapping[str, Metric]
    reported: tuple[str, ...]
    compared: tuple[str, ...]
    main: str

    def find(self, name: str) -> Metric | None:
        """Returns the metric of this name, also of one class; None where there is none."""
        return find_metric(name) if self.is_ours else self.table.get(name)

    def __getitem__(self, name: str) -> Metric:
        """Returns the metric of this name. Raises KeyError where there is none."""
        if found := self.find(name):
            return found
        raise KeyError(name)

    @property
    def is_ours(self) -> bool:
        """Whether the runner's own training measures them."""
        return self.table is METRICS


OURS = MetricSet(
    METRICS,
    tuple(
        name for name, each in METRICS.items() if isinstance(each.source, AtEnd | FromPredictions | FromProbabilities)
    ),
    ("val/accuracy", "test/accuracy", "val/loss", "test/loss"),
    "val/accuracy",
)
TAKEN = {"step", "epoch", "variant", "seed", "status", "cause", "machines", "ended"}  # columns of our own tables
BETTER = {"more": Better.HIGHER, "less": Better.LOWER}  # how a study says which way its own metrics are better


def own_metrics(better: Mapping[str, str], monitor: str = "") -> MetricSet:
    """Returns the metrics that a study's own training reports: each name with "more" or "less", which way is better.

    The main one is `monitor`, or else the first.

    >>> own_metrics({"val/f1": "more", "val/loss": "less"}).main
    'val/f1'
    """
    meaning = "as the study's own training reports it"
    table = {name: Metric(name, name, meaning, Unit.NUMBER, BETTER[way], AtEnd()) for name, way in better.items()}
    return MetricSet(table, tuple(table), tuple(table), monitor or next(iter(table), ""))
