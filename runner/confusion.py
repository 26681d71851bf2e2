"""Confusion matrices, and what follows from one: pure functions of counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def confusion(labels: Counts, guesses: Counts, classes: int) -> Counts:
    """Images, true class x predicted class; `guesses` may have further leading dimensions, such as seeds."""
    pairs = labels * classes + guesses
    return np.bincount(pairs.ravel(), minlength=classes**2).reshape(classes, classes)


def shares(matrix: Counts) -> Floats:
    """Each row in shares of its images; zeros in a row without images."""
    return np.asarray(matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1))


def balanced_accuracy(matrix: Counts) -> float:
    """The mean recall over the classes that have images.

    >>> balanced_accuracy(np.array([[400, 0], [20, 0]]))
    0.5
    """
    images = matrix.sum(axis=1)
    return float((np.diag(matrix)[images > 0] / images[images > 0]).mean())


def cohen_kappa(matrix: Counts) -> float:
    """Agreement of predicted and true classes beyond chance (Cohen 1960, Educ. Psychol. Meas. 20:37), from -1 to 1.

    0 is what guessing with the same class counts would reach; nan where that is certain to be right.

    >>> round(cohen_kappa(np.array([[20, 5], [10, 15]])), 3)
    0.4
    """
    total = matrix.sum()
    chance = float(matrix.sum(axis=0) @ matrix.sum(axis=1)) / float(total) ** 2
    return (float(np.trace(matrix) / total) - chance) / (1 - chance) if chance < 1 else float("nan")


def macro_f1(matrix: Counts) -> float:
    """The mean F1 over the classes that have images; a class that is never predicted counts as 0.

    >>> macro_f1(np.array([[1, 1], [0, 2]]))  # 2/3 and 4/5
    0.7333333333333334
    """
    images = matrix.sum(axis=1)
    f1 = 2 * np.diag(matrix) / np.maximum(images + matrix.sum(axis=0), 1)
    return float(f1[images > 0].mean())
