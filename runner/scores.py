"""Computes metrics of class probabilities: pure functions of arrays."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
TOP = 5
_BINS = 15


def softmax(logits: npt.NDArray[np.floating]) -> Floats:
    """Returns the class probabilities of logits (N x classes).

    >>> softmax(np.array([[0.0, np.log(3)]]))
    array([[0.25, 0.75]])
    """
    shifted = np.asarray(logits, dtype=np.float64)
    with np.errstate(invalid="ignore"):  # a logit that is not finite gives nan
        powers = np.exp(shifted - shifted.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def top_accuracy(shares: Floats, labels: Labels) -> float:
    """Returns the share of images whose class is among the five most probable ones (`shares` is N x classes).

    Of equally probable classes those with higher numbers come first, as in scikit-learn.

    >>> top_accuracy(np.arange(12.0).reshape(2, 6), np.array([0, 1]))
    0.5
    """
    own = np.take_along_axis(shares, labels[:, None], axis=1)
    before = (shares > own) | ((shares == own) & (np.arange(shares.shape[1]) > labels[:, None]))
    return float((before.sum(axis=1) < TOP).mean())


def roc_auc(mine: npt.NDArray[np.bool_], share: Floats) -> float:
    """Returns the area under the ROC curve of one class against the rest; nan where all images are of one kind.

    It is the probability that an image of the class has a higher `share` than another image, where ties count a half
    (Mann & Whitney 1947). `mine` and `share` have shape N.

    >>> roc_auc(np.array([True, False, True]), np.array([0.9, 0.5, 0.5]))
    0.75
    """
    inside = int(mine.sum())
    outside = len(mine) - inside
    if not inside or not outside:
        return math.nan
    _, place, counts = np.unique(share, return_inverse=True, return_counts=True)
    ranks = (counts.cumsum() - (counts - 1) / 2)[place]
    return float((ranks[mine].sum() - inside * (inside + 1) / 2) / (inside * outside))


def macro_roc_auc(shares: Floats, labels: Labels) -> float:
    """Returns the mean of `roc_auc` over the classes that have images (`shares` is N x classes).

    >>> macro_roc_auc(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]))
    1.0
    """
    return float(np.mean([roc_auc(labels == number, shares[:, number]) for number in np.unique(labels)]))


def calibration_error(sureness: Floats, right: npt.NDArray[np.bool_]) -> float:
    """Returns the expected calibration error, from 0 to 1.

    It is the mean distance between the probability of the predicted class (`sureness`, N) and the share of right
    predictions (`right`, N), in 15 equally wide bins, weighted by their images (Guo et al. 2017, "On Calibration of
    Modern Neural Networks", equation 3).

    >>> calibration_error(np.array([0.5, 0.5]), np.array([True, False]))
    0.0
    """
    bins = np.digitize(sureness, np.linspace(0, 1, _BINS + 1)[1:-1], right=True)
    gaps = np.bincount(bins, weights=right - sureness, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(right))


def calibration_error_of(shares: Floats, labels: Labels) -> float:
    """Returns the calibration error of class probabilities (N x classes)."""
    return calibration_error(shares.max(axis=1), shares.argmax(axis=1) == labels)
