"""Labels as people have them: mapped by their sorted values with their names, or refused before training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from runner.data import Dataset, load, prepare
from runner.data._labels import classes_of, whole_numbers
from runner.spec import Kind, Settings
from tests.problems import refused
from tests.studies import BASE

GIVEN: dict[str, Any] = {}  # what `data` brings


def data() -> dict[str, Any]:
    return GIVEN


@pytest.fixture
def bring(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Dataset]:
    """Prepares a data set of 60 noisy images with these labels, or these parts."""

    def prepared(labels: Any = None, changes: dict[str, Any] | None = None, **parts: Any) -> Dataset:
        given = parts if labels is None else {"all": (images(len(labels)), labels)} | parts
        monkeypatch.setitem(globals(), "GIVEN", given)
        chosen = Settings.model_validate(BASE | {"dataset": "tests.test_labels:data"} | (changes or {}))
        return load(prepare(chosen, Path("data"), cache))

    return prepared


def images(count: int, side: int = 6, channels: int = 1) -> Any:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, channels), dtype=np.uint8)


K = np.arange(60) % 3  # three classes


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (K, "012"),
        (K + 1, "123"),
        (np.array([3, 7, 100])[K], ("3", "7", "100")),
        (K + 2_000_000, ("2000000", "2000001", "2000002")),
        (np.array([0, 1, -1])[K], ("-1", "0", "1")),
        (K.astype(float), "012"),
        (K[:, None], "012"),
        (np.eye(3)[K], "012"),
        (np.eye(3, dtype=bool)[K], "012"),
        (torch.from_numpy(K), "012"),
        (K.astype(np.uint8), "012"),
        (K.tolist(), "012"),
    ],
    ids=["0..", "1..", "codes", "ids", "-1", "floats", "Nx1", "one-hot", "one-hot bool", "torch", "bytes", "list"],
)
def test_labels_become_classes_in_sorted_order(bring: Callable[..., Dataset], labels: Any, classes: Any) -> None:
    dataset = bring(labels)
    assert dataset.classes == tuple(classes)
    every = np.concatenate([part.labels for part in (dataset.train, dataset.val, dataset.test)])
    assert np.bincount(every).tolist() == [20, 20, 20]
    mapped = tuple(classes) != tuple("012")
    assert len(dataset.notes) == (mapped or (np.ndim(labels) == 2 and np.shape(labels)[1] == 3))
    for name in classes[:2] if mapped else ():
        assert name in dataset.notes[0]


@pytest.mark.parametrize(
    ("labels", "names", "classes"),
    [
        (K, ["a", "b", "c"], ("a", "b", "c")),
        (np.array([3, 7, 1])[K], ["one", "three", "seven"], ("one", "three", "seven")),
        (np.array([3, 7, 1])[K], list("01234567"), ("1", "3", "7")),  # one for each number
    ],
)
def test_names_are_kept(bring: Callable[..., Dataset], labels: Any, names: Any, classes: tuple[str, ...]) -> None:
    assert bring(labels, classes=names).classes == classes


@pytest.mark.parametrize(
    ("labels", "further", "kind", "values"),
    [
        (np.zeros(60, int), {}, Kind.DATA, ["'0'"]),
        (K, {"classes": ["a", "a", "b"]}, Kind.DATA, ["'a', 'a'"]),
        (K, {"classes": ["a", "a ", "b"]}, Kind.DATA, ["'a', 'a '"]),
        (K, {"classes": ["a"]}, Kind.CODE, ["1 classes", "3 names"]),
        (K, {"classes": list("abcdef")}, Kind.CODE, ["6 classes", "3 names"]),
        (np.array([5, 6, 7])[K], {"classes": list("abcd")}, Kind.CODE, ["4 classes", "3 names", "8"]),
        (K + 0.5, {}, Kind.CODE, ["whole numbers"]),
        (K * np.nan, {}, Kind.CODE, ["whole numbers"]),
        (K.astype(str), {}, Kind.CODE, ["<U", "whole numbers"]),
        (np.stack([K, K], axis=1), {}, Kind.CODE, ["(60, 2)", "one-hot"]),
        (np.zeros((60, 3)), {}, Kind.CODE, ["(60, 3)", "one-hot"]),
    ],
)
def test_labels_that_are_none_are_refused(
    bring: Callable[..., Dataset], labels: Any, further: dict[str, Any], kind: Kind, values: list[str]
) -> None:
    with refused(kind, "tests.test_labels:data", *values):
        bring(labels, **further)


def test_a_label_for_each_image(bring: Callable[..., Dataset]) -> None:
    with refused(Kind.CODE, "tests.test_labels:data", "60 images", "59 labels"):
        bring(all=(images(60), K[:59]))


def test_a_class_that_train_lacks_is_refused_by_name(bring: Callable[..., Dataset]) -> None:
    test = (images(3), np.array([0, 1, 2]))
    with refused(Kind.DATA, "tests.test_labels:data", "'c'"):
        bring(train=(images(40), K[:40] % 2), test=test, classes=["a", "b", "c"])


def test_parts_of_unlike_sizes_need_one_size(bring: Callable[..., Dataset]) -> None:
    parts = {"train": (images(60, 8, 3), K), "test": (images(60), K)}
    for changes, train, test in (
        ({}, "8 x 8 x 3", "6 x 6 x 1"), ({"image_size": 8}, "8 x 8 x 3", "8 x 8 x 1"),
        ({"channels": 3}, "8 x 8 x 3", "6 x 6 x 3"),
    ):  # fmt: skip
        with refused(Kind.DATA, "tests.test_labels:data", f"train {train}", f"test {test}"):
            bring(None, changes, **parts)
    assert bring(None, {"image_size": 8, "channels": 3}, **parts).shape == (3, 8, 8)


def test_the_labels_of_one_order_give_the_same_runs(bring: Callable[..., Dataset]) -> None:
    """A name apart, labels from 1 are labels from 0: the same images in the same order."""
    names = ["a", "b", "c"]
    assert bring(K, classes=names).fingerprint == bring(K + 1, classes=names).fingerprint


def test_whole_numbers_say_what_they_did() -> None:
    assert whole_numbers(np.eye(2)[[0, 1, 1]])[1]
    numbered, classes, note = classes_of({"train": np.array([9, 4]), "test": np.array([4])}, None, "x")
    assert numbered["train"].tolist() == [1, 0]
    assert numbered["test"].tolist() == [0]
    assert classes == ("4", "9")
    assert "4, 9" in note
