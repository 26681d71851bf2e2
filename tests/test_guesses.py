"""What a run predicted is kept in bits, and is what its logits say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.store import Guesses, RunDir, guesses
from runner.store._guesses import packed, unpacked


def archive(classes: int, images: int, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    logits = {f"{part}_logits": rng.normal(size=(images, classes)).astype(np.float32) for part in ("val", "test")}
    return logits | {f"{part}_labels": rng.integers(0, classes, images) for part in ("val", "test")}


def same(one: Guesses, other: Guesses) -> bool:
    parts = one.right.keys() == other.right.keys() and one.labels == other.labels
    mappings = ((one.right, other.right), (one.confusion, other.confusion))
    arrays = [(mine[part], theirs[part]) for mine, theirs in mappings for part in one.right]
    return parts and all(np.array_equal(mine, theirs) for mine, theirs in arrays)


@given(st.integers(2, 12), st.integers(1, 40), st.integers(0, 99))
def test_bits_say_what_the_logits_say(classes: int, images: int, seed: int) -> None:
    logits = archive(classes, images, seed)
    found = guesses(logits)
    assert (found.right["test"] == (logits["test_logits"].argmax(1) == logits["test_labels"])).all()
    read = unpacked(packed(found))
    assert read
    assert same(found, read)


def test_a_run_directory_keeps_both_and_an_older_one_has_logits_alone(tmp_path: Path) -> None:
    directory = RunDir(tmp_path)
    directory.save_predictions(**archive(10, 15000))
    assert (tmp_path / "correct.npz").stat().st_size < 8000
    new = directory.guesses()
    (tmp_path / "correct.npz").unlink()
    old = directory.guesses()
    assert new
    assert old
    assert same(new, old)


def test_other_labels_are_noticed() -> None:
    one, other = archive(3, 20), archive(3, 20)
    other["test_labels"] = 2 - other["test_labels"]
    assert guesses(one).labels["val"] == guesses(other).labels["val"]
    assert guesses(one).labels["test"] != guesses(other).labels["test"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"test_right": np.zeros(2, np.uint8)}, {"test_right": np.zeros(3, np.float32)},
        {"test_confusion": np.zeros((3, 3), np.int32)}, {"test_confusion": np.full((3, 3), -1, np.int32)},
        {"test_confusion": np.zeros((3, 2), np.int32)}, {"test_confusion": np.zeros((0, 0), np.int32)},
        {"test_labels": np.zeros(2, np.uint32)},
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(wrong: dict[str, Any]) -> None:
    assert unpacked(packed(guesses(archive(3, 20))) | wrong) is None
