"""A majority class, and runs that never predict some class, are found from what runs predicted."""

from __future__ import annotations

import numpy as np
import pytest

from runner.store import Guesses, guesses
from runner.verdicts._imbalance import Narrow, majority, narrow

CLASSES = ["cat", "dog", "owl"]


def run(labels: list[int], predicted: list[int], classes: int = 3) -> Guesses:
    logits = np.eye(classes, dtype=np.float32)[predicted]
    parts = {"val_logits": logits, "val_labels": np.array(labels), "test_logits": logits}
    return guesses(parts | {"test_labels": np.array(labels)})


def test_metrics_are_of_both_parts() -> None:
    found = run([0, 0, 0, 1], [0, 0, 1, 1]).metrics
    assert found["val/balanced_accuracy"] == found["test/balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["test/macro_f1"] == pytest.approx((4 / 5 + 2 / 3) / 2)


def test_a_majority_is_more_than_half_again_its_equal_share() -> None:
    half, more = [0] * 5 + [1, 1, 1, 2, 2], [1] * 6 + [0, 0, 0, 2, 2]
    assert majority({("a", 0): run(half, half)}, CLASSES) is None
    found = majority({("a", 0): run(more, [0] * 11)}, CLASSES)
    assert found
    assert found.name == "dog"
    assert found.shares == {"val": pytest.approx(6 / 11), "test": pytest.approx(6 / 11)}


def test_runs_that_never_predict_a_class_are_named_with_their_seeds() -> None:
    labels = [0, 1, 2, 0]
    found = {
        ("a", 0): run(labels, [0, 0, 0, 0]),
        ("a", 1): run(labels, [0, 0, 0, 0]),
        ("a", 2): run(labels, [0, 1, 1, 0]),
        ("b", 0): run(labels, labels),
        ("c", 0): run([0, 1, 1, 0], [0, 1, 1, 0]),  # there are no owls to predict
    }
    assert narrow(found, CLASSES) == [
        Narrow("a", (0, 1), ("dog", "owl"), "cat"),
        Narrow("a", (2,), ("owl",), None),
    ]


def test_predictions_of_test_alone_or_of_no_image_are_read() -> None:
    none = guesses({"test_logits": np.zeros((0, 2), np.float32), "test_labels": np.zeros(0, int)})
    assert majority({("a", 0): none}, []) is None
    assert narrow({("a", 0): none}, []) == []
