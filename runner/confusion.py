"""Computes confusion matrices and metrics of them: pure functions of counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def confusion(labels: Counts, guesses: Counts, classes: int) -> Counts:
    """Returns the confusion matrix, int64, true class x predicted class: the number of images.

    `labels` are class numbers from 0, shape N. `guesses` have shape N, or seeds x N; then all seeds count together.

    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    array([[1, 1],
           [0, 1]])
    """
    pairs = labels * classes + guesses
    return np.bincount(pairs.ravel(), minlength=classes**2).reshape(classes, classes)


def shares(matrix: Counts) -> Floats:
    """Divides each row of a confusion matrix by its number of images; a row without images has zeros.

    >>> shares(np.array([[3, 1], [0, 0]]))
    array([[0.75, 0.25],
           [0.  , 0.  ]])
    """
    return np.asarray(matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1))


def balanced_accuracy(matrix: Counts) -> float:
    """Returns the mean recall over the classes that have images, from a confusion matrix.

    >>> balanced_accuracy(np.array([[400, 0], [20, 0]]))
    0.5
    """
    images = matrix.sum(axis=1)
    return float((np.diag(matrix)[images > 0] / images[images > 0]).mean())


def recall(matrix: Counts, number: int) -> float:
    """Returns the share of a class's images that are right, from a confusion matrix; nan where it has no images.

    >>> recall(np.array([[3, 1], [0, 2]]), 0)
    0.75
    """
    images = int(matrix[number].sum())
    return float(matrix[number, number] / images) if images else float("nan")


def cohen_kappa(matrix: Counts) -> float:
    """Returns Cohen's kappa of a confusion matrix, from -1 to 1 (Cohen 1960, Educ. Psychol. Meas. 20:37).

    It is the agreement of predicted and true classes beyond chance: guessing with the same class counts gives 0. It is
    nan where such guessing is always right.

    >>> round(cohen_kappa(np.array([[20, 5], [10, 15]])), 3)
    0.4
    """
    total = matrix.sum()
    chance = float(matrix.sum(axis=0) @ matrix.sum(axis=1)) / float(total) ** 2
    return (float(np.trace(matrix) / total) - chance) / (1 - chance) if chance < 1 else float("nan")


def macro_f1(matrix: Counts) -> float:
    """Returns the mean F1 over the classes that have images, from a confusion matrix.

    A class that is never predicted counts as 0.

    >>> macro_f1(np.array([[1, 1], [0, 2]]))  # 2/3 and 4/5
    0.7333333333333334
    """
    images = matrix.sum(axis=1)
    f1 = 2 * np.diag(matrix) / np.maximum(images + matrix.sum(axis=0), 1)
    return float(f1[images > 0].mean())
