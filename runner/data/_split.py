"""Splits a data set into train, validation and test, stratified by class."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from runner.catalog import carved
from runner.data._images import Labels
from runner.data._parts import Parts, Rows
from runner.spec import FIXED, Kind, Problem, RequestError, Settings

Places = npt.NDArray[np.int64]
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


def few_places(labels: Labels, settings: Settings, classes: tuple[str, ...]) -> Places:
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


def draw_places(labels: Labels, count: int, seed: int, groups: Labels | None = None) -> tuple[Places, Places]:
    """Draws `count` places, stratified by label; returns the others and these, both ascending.

    With groups (int64, N) it takes whole ones: about `count` images, about stratified. Raises ValueError where a class
    has too few images or groups.
    """
    from sklearn.model_selection import train_test_split

    if groups is not None:
        return _draw_groups(labels, count, seed, groups)
    kept, taken = train_test_split(np.arange(len(labels)), test_size=count, stratify=labels, random_state=seed)
    return np.sort(kept), np.sort(taken)


def _draw_groups(labels: Labels, count: int, seed: int, groups: Labels) -> tuple[Places, Places]:
    """Returns the fold of scikit-learn's StratifiedGroupKFold whose classes are nearest to their share of `count`."""
    from sklearn.model_selection import StratifiedGroupKFold

    folds = StratifiedGroupKFold(max(2, round(len(labels) / count)), shuffle=True, random_state=seed)
    images = np.bincount(labels)
    best, kept, taken = np.inf, np.array([], dtype=np.int64), np.array([], dtype=np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a rare class, which is checked below
        for others, fold in folds.split(labels, labels, groups):
            counts = np.bincount(labels[fold], minlength=len(images))
            distance = float(np.abs(counts - images * (count / len(labels))).sum())
            if distance < best and counts.all() and (counts < images).all():
                best, kept, taken = distance, others, fold
    if not len(taken):
        raise ValueError("too few groups")
    return kept, taken


def _counts(rows: Rows, classes: int) -> Places:
    """Returns the number of images of each class; where there are groups, of groups with such images."""
    if rows.groups is None:
        return np.bincount(rows.labels, minlength=classes)
    pairs = np.unique(np.stack([rows.labels, rows.groups]), axis=1)
    return np.bincount(pairs[0], minlength=classes)


def _carve(train: Rows, name: str, count: int, dataset: str, classes: tuple[str, ...]) -> Parts:
    labels, things = train.labels, "images" if train.groups is None else "groups"
    try:
        kept, taken = draw_places(labels, count, 0, train.groups)
    except ValueError as error:
        counts = _counts(train, len(classes))
        rare = f'"{classes[int(counts.argmin())]}" has {counts.min()}'
        what = f"too few {things} to set a {name} part aside from every class ({rare}); add {things}, or a {name} part."
        raise RequestError([Problem(Kind.DATA, dataset, what)]) from error
    return {"train": train.take(kept), name: train.take(taken)}
