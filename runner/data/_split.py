"""Splits a data set into train, validation and test, stratified by class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from runner.catalog import carved
from runner.data._images import Labels
from runner.data._parts import Parts, Rows
from runner.spec import FIXED, Kind, Problem, RequestError, Settings

_SHARES = (0.10, 0.15)  # of all images: the size of a missing validation part, and of a missing test part


def split(parts: Parts, settings: Settings, classes: tuple[str, ...]) -> Parts:
    """Returns train, validation and test; a missing part is carved from train, stratified by class.

    This split is the same for every seed. Raises RequestError where a class has too few images.
    """
    parts = {"train" if name == "all" else name: rows for name, rows in parts.items()}
    total = len(parts["train"])
    val_share, test_share = _SHARES
    val, test = carved(settings.dataset) or (round(val_share * total), round(test_share * total))
    for name, count in (("test", test), ("val", val)):
        if name not in parts:
            parts = parts | _carve(parts["train"], name, count, settings.dataset, classes)
    if settings.images_per_class:
        few = parts["train"].take(few_places(parts["train"].labels, settings, classes))
        parts = parts if settings.split != FIXED else parts | {"train": few}
    return parts


def few_places(labels: Labels, settings: Settings, classes: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Returns the places of `images_per_class` train images of each class, the same for every seed.

    A smaller number keeps a subset of the images that a larger number keeps. Raises RequestError where a class has
    fewer.
    """
    asked = settings.images_per_class
    counts = np.bincount(labels, minlength=len(classes))
    if asked > counts.min():
        rare = classes[int(counts.argmin())]
        what = f'got {asked}; expected at most {counts.min()}, the number of train images of "{rare}".'
        raise RequestError([Problem(Kind.VALUE, f"{settings.dataset}: images_per_class", what)])
    shuffled = np.random.default_rng(0).permutation(len(labels))
    chosen = [shuffled[labels[shuffled] == label][:asked] for label in range(len(classes))]
    return np.sort(np.concatenate(chosen))


def draw_places(labels: Labels, count: int, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Draws `count` places, stratified by label; returns the others and these, both ascending.

    Raises ValueError where a class has too few images.
    """
    from sklearn.model_selection import train_test_split

    kept, taken = train_test_split(np.arange(len(labels)), test_size=count, stratify=labels, random_state=seed)
    return np.sort(kept), np.sort(taken)


def _carve(train: Rows, name: str, count: int, dataset: str, classes: tuple[str, ...]) -> Parts:
    labels = train.labels
    try:
        kept, taken = draw_places(labels, count, 0)
    except ValueError as error:
        counts = np.bincount(labels, minlength=len(classes))
        rare = f'"{classes[int(counts.argmin())]}" has {counts.min()}'
        what = f"too few images to set a {name} part aside from every class ({rare}); add images, or a {name} part."
        raise RequestError([Problem(Kind.DATA, dataset, what)]) from error
    return {"train": train.take(kept), name: train.take(taken)}
