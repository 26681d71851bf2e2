"""What accuracy alone hides: a majority class, and runs that never predict some class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from runner.confusion import Counts, confusion
from runner.metrics import from_predictions

_MAJORITY = 1.5  # times an equal share of the images: from there on accuracy is mostly about one class
PARTS = {"val": "validation", "test": "test"}


@dataclass(frozen=True)
class Guesses:
    """What a run predicted on validation and test, in numbers.

    metrics  what follows from the confusion matrices
    images   of each part, by their true class
    guessed  how often each class was predicted, over both parts
    right    of each part: which images were predicted correctly (bool, N)
    """

    metrics: dict[str, float]
    images: dict[str, Counts]
    guessed: Counts
    right: dict[str, npt.NDArray[np.bool_]]

    @property
    def never(self) -> tuple[int, ...]:
        """The classes that have images and were never predicted."""
        there = np.sum(list(self.images.values()), axis=0) > 0
        return tuple(map(int, np.flatnonzero(there & (self.guessed == 0))))


def guesses(archive: Mapping[str, Any]) -> Guesses:
    """From the logits and labels of a run's predictions.npz."""
    metrics: dict[str, float] = {}
    images: dict[str, Counts] = {}
    right: dict[str, npt.NDArray[np.bool_]] = {}
    guessed: Counts = np.zeros(archive["test_logits"].shape[1], dtype=np.int64)
    for part in PARTS:
        if f"{part}_logits" in archive and len(archive[f"{part}_labels"]):
            logits, labels = archive[f"{part}_logits"], archive[f"{part}_labels"]
            chosen = logits.argmax(axis=1)
            matrix = confusion(labels.astype(np.int64), chosen, logits.shape[1])
            right[part] = chosen == labels
            metrics |= from_predictions(part, matrix)
            images[part] = matrix.sum(axis=1)
            guessed += matrix.sum(axis=0)
    return Guesses(metrics, images, guessed, right)


@dataclass(frozen=True)
class Majority:
    """The largest class, where it is so large that accuracy is mostly about it: its name, its share of each part."""

    name: str
    shares: dict[str, float]


def majority(found: Mapping[tuple[str, int], Guesses], classes: Sequence[str]) -> Majority | None:
    """The majority class of a study's data, if its share of validation or test exceeds 1.5 / classes."""
    images = next((each.images for each in found.values() if each.images), {})
    total = np.sum(list(images.values()), axis=0)
    if not images or len(total) < 2:
        return None
    largest = int(total.argmax())
    parts = {part: float(counts[largest] / counts.sum()) for part, counts in images.items()}
    if max(parts.values()) <= _MAJORITY / len(total):
        return None
    return Majority(_name(classes, largest), parts)


@dataclass(frozen=True)
class Narrow:
    """Seeds of a variant that never predicted some classes; `only`: the one class that they predicted."""

    variant: str
    seeds: tuple[int, ...]
    never: tuple[str, ...]
    only: str | None


def narrow(found: Mapping[tuple[str, int], Guesses], classes: Sequence[str]) -> list[Narrow]:
    """The runs that never predict some class that has images, together where they never predict the same ones."""
    groups: dict[tuple[str, tuple[int, ...], int | None], list[int]] = {}
    for (variant, seed), own in found.items():
        if own.never:
            guessed = np.flatnonzero(own.guessed)
            only = int(guessed[0]) if len(guessed) == 1 else None
            groups.setdefault((variant, own.never, only), []).append(seed)
    return [
        Narrow(
            variant,
            tuple(seeds),
            tuple(_name(classes, number) for number in never),
            None if only is None else _name(classes, only),
        )
        for (variant, never, only), seeds in groups.items()
    ]


def _name(classes: Sequence[str], number: int) -> str:
    return classes[number] if number < len(classes) else str(number)
