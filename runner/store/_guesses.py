"""What a run predicted, in the few kilobytes that judging needs: which images were right, and confusion matrices."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from runner.confusion import Counts, confusion
from runner.metrics import METRICS, from_predictions, from_probabilities
from runner.scores import softmax

PARTS = {"val": "validation", "test": "test"}


@dataclass(frozen=True)
class Guesses:
    """A run's predictions on validation and test, without the logits. Each mapping has the parts that the run has.

    right      which images were predicted correctly (bool, N)
    confusion  number of images (int64, true x predicted class)
    labels     CRC-32 of the true classes: runs with equal numbers have the same images in the same order
    scores     what follows from the probabilities, by the metrics' names; older files have none
    """

    right: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    confusion: Mapping[str, Counts] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def metrics(self) -> dict[str, float]:
        """What follows from the predictions, by the metrics' names."""
        found = dict(self.scores)
        for part, matrix in self.confusion.items():
            found |= from_predictions(part, matrix)
        return found

    @property
    def images(self) -> dict[str, Counts]:
        """The number of images of each true class, by part."""
        return {part: matrix.sum(axis=1) for part, matrix in self.confusion.items()}

    @property
    def guessed(self) -> Counts:
        """How often each class was predicted, over all parts."""
        return np.asarray(sum(matrix.sum(axis=0) for matrix in self.confusion.values()))

    @cached_property
    def never(self) -> tuple[int, ...]:
        """The classes that have images and were never predicted."""
        there = np.sum(list(self.images.values()), axis=0) > 0
        return tuple(map(int, np.flatnonzero(there & (self.guessed == 0))))


def guesses(archive: Mapping[str, Any]) -> Guesses:
    """Returns the guesses of logits and labels: `<part>_logits` (N x classes) and `<part>_labels` (N)."""
    right, matrices, sums = {}, {}, {}
    scores: dict[str, float] = {}
    for part in PARTS:
        if f"{part}_logits" in archive and len(archive[f"{part}_labels"]):
            logits, labels = archive[f"{part}_logits"], archive[f"{part}_labels"].astype(np.int64)
            chosen = logits.argmax(axis=1)
            right[part] = chosen == labels
            matrices[part] = confusion(labels, chosen, logits.shape[1])
            sums[part] = zlib.crc32(labels.astype("<i8").tobytes())
            scores |= from_probabilities(part, softmax(logits), labels)
    return Guesses(right, matrices, sums, scores)


def packed(found: Guesses) -> dict[str, npt.NDArray[Any]]:
    """Returns a file's arrays: for each part `right` in bits, the confusion matrix, the labels' CRC-32 and scores."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for part, right in found.right.items():
        arrays[f"{part}_right"] = np.packbits(right)
        arrays[f"{part}_confusion"] = found.confusion[part].astype(np.int32)
        arrays[f"{part}_labels"] = np.array(found.labels[part], dtype=np.uint32)
    for name, value in found.scores.items():
        arrays[_score_key(name)] = np.array(value, dtype=np.float64)
    return arrays


def unpacked(arrays: Mapping[str, npt.NDArray[Any]]) -> Guesses | None:
    """Reads what `packed` returned; None where the arrays don't fit each other."""
    right, matrices, sums = {}, {}, {}
    for part in PARTS:
        if f"{part}_right" not in arrays:
            continue
        bits, matrix, labels = (arrays.get(f"{part}_{name}") for name in ("right", "confusion", "labels"))
        if bits is None or matrix is None or labels is None or bits.dtype != np.uint8 or bits.ndim != 1:
            return None
        if matrix.dtype.kind != "i" or matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or (matrix < 0).any():
            return None
        if not len(bits) or matrix.max(initial=0) > 8 * len(bits):  # else the sum of crafted counts could overflow
            return None
        if len(bits) != -(-int(matrix.sum()) // 8) or labels.shape or labels.dtype.kind != "u":
            return None
        right[part] = np.unpackbits(bits, count=int(matrix.sum())).astype(bool)
        if int(right[part].sum()) != int(np.trace(matrix)):
            return None
        matrices[part], sums[part] = matrix.astype(np.int64), int(labels)
    if len({matrix.shape for matrix in matrices.values()}) > 1:
        return None
    scores = {name: arrays[key] for name in METRICS if (key := _score_key(name)) in arrays}
    if any(each.shape or each.dtype != np.float64 for each in scores.values()):
        return None
    return Guesses(right, matrices, sums, {name: float(value) for name, value in scores.items()})


def _score_key(metric: str) -> str:
    """The array's name for a metric such as test/macro_roc_auc: a file of a zip has no slash in its name."""
    return metric.replace("/", "_score_")
