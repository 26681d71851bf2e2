"""The one table of metrics: what each is, its unit, which way is better, and where its value comes from."""

from runner.metrics._kinds import (
    AtEnd,
    Better,
    EachEpoch,
    Evaluated,
    FromEpochs,
    FromPredictions,
    FromProbabilities,
    Metric,
    OfClass,
    Unit,
)
from runner.metrics._table import CLASS_METRICS, CURVES, METRICS, PART_METRICS
from runner.metrics._values import find_metric, from_predictions, from_probabilities

__all__ = [
    "CLASS_METRICS",
    "CURVES",
    "METRICS",
    "PART_METRICS",
    "AtEnd",
    "Better",
    "EachEpoch",
    "Evaluated",
    "FromEpochs",
    "FromPredictions",
    "FromProbabilities",
    "Metric",
    "OfClass",
    "Unit",
    "find_metric",
    "from_predictions",
    "from_probabilities",
]
