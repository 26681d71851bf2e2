"""What accuracy alone hides: a majority class, and runs that never predict some class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from runner.store import Guesses

_MAJORITY = 1.5  # times an equal share of the images: from there on accuracy is mostly about one class


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
