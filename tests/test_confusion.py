"""What follows from a confusion matrix is what scikit-learn says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score

from runner.confusion import balanced_accuracy, confusion, macro_f1, shares


@given(st.integers(1, 6), st.integers(1, 60), st.integers(0, 10_000))
@pytest.mark.filterwarnings("ignore")  # scikit-learn's, of classes without images
def test_it_is_scikit_learns(classes: int, images: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, guesses = rng.integers(0, classes, images), rng.integers(0, classes, images)
    found = confusion(labels, guesses, classes)
    assert (found == confusion_matrix(labels, guesses, labels=np.arange(classes))).all()
    assert balanced_accuracy(found) == pytest.approx(balanced_accuracy_score(labels, guesses))
    there = np.unique(labels)
    assert macro_f1(found) == pytest.approx(f1_score(labels, guesses, labels=there, average="macro", zero_division=0))
    assert shares(found).sum() == pytest.approx(len(there))


def test_a_majority_alone_is_half_right_of_two_classes() -> None:
    alone = np.array([[400, 0], [20, 0]])
    assert balanced_accuracy(alone) == 0.5
    assert macro_f1(alone) == pytest.approx(800 / 820 / 2)
