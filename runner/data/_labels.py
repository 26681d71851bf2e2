"""Turns labels of many forms (from 1, codes, ids, N x 1, one-hot) into class numbers from 0, and finds class names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from runner.data._images import Labels
from runner.data._layout import same_names
from runner.data._parts import few
from runner.spec import Kind, Problem, RequestError, shown


def whole_numbers(given: Any) -> tuple[Labels, str]:
    """Returns one whole number for each image (int64, N), and a note where the labels were one-hot.

    `given` is anything that NumPy makes an array of: N, N x 1, or one-hot N x classes. Raises ValueError otherwise.
    """
    labels = np.asarray(given)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind not in "biuf":
        raise ValueError(f'labels are {labels.dtype}; expected whole numbers, and their names in "classes"')
    if (
        not np.isfinite(labels).all()
        or (labels % 1).any()
        or (labels.size and abs(labels.astype(float)).max() >= 2**63)
    ):
        raise ValueError("labels are not whole; expected whole numbers")
    if labels.ndim == 2:
        if not (np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()):
            raise ValueError(f"labels have shape {labels.shape}; expected one number for each image, or one-hot rows")
        return labels.argmax(axis=1).astype(np.int64), "one-hot labels became numbers"
    if labels.ndim != 1:
        raise ValueError(f"labels have shape {labels.shape}; expected one number for each image")
    return labels.astype(np.int64), ""


def classes_of(
    labels: Mapping[str, Labels], names: Sequence[str] | None, where: str
) -> tuple[dict[str, Labels], tuple[str, ...], str]:
    """Returns each part's labels as class numbers (from 0, in sorted order), the classes' names, and a note.

    `names` has one name for each different label, or one for each number from 0 to the largest label. Raises
    ValueError where it has another length. Raises RequestError where there is one class only, where train lacks a
    class, and where two names look the same.
    """
    train = labels.get("train", labels.get("all", np.empty(0, dtype=np.int64)))
    values = np.unique(np.concatenate(list(labels.values())))
    top = int(values[-1])
    if names is None:
        classes = tuple(map(str, values))
    elif len(names) == len(values):
        classes = tuple(names)
    elif values[0] >= 0 and len(names) == top + 1:
        classes = tuple(names[value] for value in values)
    else:
        what = f"it names {len(names)} classes, but labels go up to {top} ({len(values)} different ones)"
        raise ValueError(f"{what}; expected {len(values)} names" + (f" or {top + 1}" if top + 1 != len(values) else ""))
    problems = [Problem(Kind.DATA, where, what) for what in same_names(classes)]
    if len(classes) < 2:
        problems.append(Problem(Kind.DATA, where, f"has one class, {shown(classes[0])}; expected at least two."))
    missing = [shown(name) for name, value in zip(classes, values, strict=True) if value not in train]
    if missing and len(missing) < len(classes):
        problems.append(
            Problem(Kind.DATA, where, f"has classes without train images: {', '.join(missing)}; add or remove some.")
        )
    if problems:
        raise RequestError(problems)
    numbered = {part: np.searchsorted(values, own).astype(np.int64) for part, own in labels.items()}
    if np.array_equal(values, np.arange(len(values))):
        return numbered, classes, ""
    pairs = zip(map(str, values), classes, strict=True)
    said = [value if name == value else f"{value} ({shown(name)})" for value, name in pairs]
    return numbered, classes, f"labels {few(said)} became {len(classes)} classes in sorted order"
