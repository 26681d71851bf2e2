"""Metrics of class probabilities are those of scikit-learn, and of a run's predictions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import roc_auc_score, top_k_accuracy_score

from runner.scores import calibration_error, calibration_error_of, macro_roc_auc, roc_auc, softmax, top_accuracy

RNG = np.random.default_rng(0)
LABELS: npt.NDArray[np.int64] = np.asarray(RNG.integers(0, 12, 400))
SHARES = {
    "smooth": softmax(RNG.normal(size=(400, 12)) + 2 * np.eye(12)[LABELS]),
    "ties": softmax(RNG.integers(0, 3, (400, 12)).astype(float)),
    "all equal": np.full((400, 12), 1 / 12),
}


def of_class(number: int) -> npt.NDArray[np.bool_]:
    return np.asarray(number == LABELS)


@pytest.mark.parametrize("kind", SHARES)
def test_ranks_are_scikit_learns(kind: str) -> None:
    shares = SHARES[kind]
    aucs = [float(roc_auc_score(of_class(number), shares[:, number])) for number in range(12)]
    assert [roc_auc(of_class(number), shares[:, number]) for number in range(12)] == pytest.approx(aucs)
    assert macro_roc_auc(shares, LABELS) == pytest.approx(np.mean(aucs))
    assert top_accuracy(shares, LABELS) == top_k_accuracy_score(LABELS, shares, k=5, labels=np.arange(12))


def test_an_area_without_two_kinds_of_images_has_no_value() -> None:
    assert np.isnan(roc_auc(np.array([True, True]), np.array([0.1, 0.2])))
    assert macro_roc_auc(np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]), np.array([0, 0, 1])) == 1.0


def test_softmax_of_large_logits_is_finite_and_of_nan_is_nan() -> None:
    assert softmax(np.array([[1e4, 0.0]])).tolist() == [[1.0, 0.0]]
    assert np.isnan(softmax(np.array([[np.inf, 0.0]]))).any()


def test_calibration_error_at_its_ends() -> None:
    assert calibration_error(np.ones(4), np.array([True] * 4)) == 0
    assert calibration_error(np.ones(4), np.array([False] * 4)) == 1
    assert calibration_error(np.full(4, 0.75), np.array([True, True, True, False])) == pytest.approx(0)
    edge = calibration_error(np.array([3 / 15, 0.25]), np.array([False, True]))  # a bin has its upper edge
    assert edge == pytest.approx((3 / 15 + 0.75) / 2)
    shares = np.array([[0.75, 0.25]] * 4)
    assert calibration_error_of(shares, np.array([0, 0, 1, 1])) == pytest.approx(0.25)
