"""Finds metrics by their names, and computes those that follow from a run's predictions."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.metrics._kinds import FromPredictions, FromProbabilities, Metric, OfClass
from runner.metrics._table import CLASS, CLASS_METRICS, METRICS

if TYPE_CHECKING:
    from runner.confusion import Counts
    from runner.scores import Floats, Labels


def from_predictions(part: str, matrix: Counts) -> dict[str, float]:
    """Every metric of a run that follows from the confusion matrix (true x predicted class) of this part."""
    found = {}
    for name, metric in METRICS.items():
        if isinstance(metric.source, FromPredictions) and metric.source.part == part:
            found[name] = metric.source.value(matrix)
    return found


def from_probabilities(part: str, shares: Floats, labels: Labels) -> dict[str, float]:
    """Every metric of a run that follows from the probabilities (N x classes) and labels (N) of this part.

    They are nan where a probability is not finite.
    """
    import numpy as np

    found = {}
    finite = bool(np.isfinite(shares).all())
    for name, metric in METRICS.items():
        if isinstance(metric.source, FromProbabilities) and metric.source.part == part:
            found[name] = metric.source.value(shares, labels) if finite else math.nan
    return found


def find_metric(name: str) -> Metric | None:
    """Returns the metric of a run with this name, such as test/recall/cat; None where there is none.

    >>> find_metric("test/recall/cat").label
    'test recall of cat'
    """
    for form, metric in CLASS_METRICS.items():
        before, own = form.removesuffix(CLASS), metric.source
        if name.startswith(before) and name != before and isinstance(own, OfClass):
            label = metric.label.replace(CLASS, name.removeprefix(before))
            return replace(metric, name=name, label=label, source=replace(own, name=name.removeprefix(before)))
    return METRICS.get(name)
