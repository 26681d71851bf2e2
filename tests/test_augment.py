"""Compositions of transforms: OneOf, SomeOf and Sequential, checked and reproducible at any depth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from runner.data import Dataset, check_augmentation
from runner.data._augmenter import Augmenter
from runner.spec import Kind, Settings, problems_of
from tests.problems import refused

Make = Callable[..., Settings]
ONE_OF = [{"OneOf": {"transforms": ["HorizontalFlip", {"VerticalFlip": {"p": 0.5}}], "p": 1.0}}]
DEEP = [
    "Transpose",
    {"SomeOf": {"n": 1, "transforms": [{"Sequential": {"p": 1.0, "transforms": [{"HorizontalFlip": {"p": 1.0}}]}},
                                       {"Affine": {"rotate": [-90, 90], "p": 1.0}}]}},
]  # fmt: skip


@pytest.mark.parametrize("augment", [ONE_OF, DEEP])
def test_compositions_are_functions_of_seed_epoch_and_index(settings: Make, digits: Dataset, augment: Any) -> None:
    chosen, image = settings(augment=augment), np.array(digits.train.images[0])
    first = [Augmenter(chosen, 3)(image.copy(), epoch, 5) for epoch in range(20)]
    other = Augmenter(chosen, 3)
    for epoch in reversed(range(20)):
        other(image.copy(), 99, epoch)  # what came before does not matter
        assert np.array_equal(other(image.copy(), epoch, 5), first[epoch])
    assert len({each.tobytes() for each in first}) > 1
    assert problems_of(chosen) == {}
    check_augmentation(chosen, digits)


KINDS: list[Any] = [
    ["HorizontalFlip", {"RandomBrightnessContrast": {"p": 0.5}},
     {"Affine": {"translate_percent": [-0.1, 0.1], "scale": [0.9, 1.1], "rotate": [-15, 15], "p": 0.7}}],
    [{"Affine": {"rotate": [0, 0], "p": 1.0}}, {"Affine": {"shear": [-9, 9], "p": 0.5}}],
    [{"CoarseDropout": {"p": 0.5}}, {"GaussNoise": {"p": 0.5}}, "Transpose"],
    [{"ElasticTransform": {"p": 1.0}}, {"RandomResizedCrop": {"size": [8, 8], "p": 0.5}}],
    ONE_OF, DEEP,
]  # fmt: skip


@pytest.mark.parametrize("augment", KINDS)
def test_the_pixels_are_those_of_albumentations_own_compose(
    settings: Make, digits: Dataset, augment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, images = settings(augment=augment), np.repeat(np.array(digits.train.images[:40]), 3, axis=3)
    augmenter, calls = Augmenter(chosen, 5), []
    found = [augmenter(image.copy(), 2, number) for number, image in enumerate(images)]

    class Whole:  # gives Compose's whole call in place of its transforms, with the generators' states from before
        def __init__(self, compose: Any, python: Any) -> None:
            self.transforms, self._compose, self._python = [self], compose, python

        def __call__(self, image: Any) -> Any:
            calls.append(1)
            self._python.setstate(before[0])
            return self._compose(image=image)

    before: list[Any] = [None]
    real = augmenter._python.seed

    def seed(value: int) -> None:
        real(value)
        before[0] = augmenter._python.getstate()

    from albumentations.augmentations.geometric import functional

    monkeypatch.setattr(augmenter._python, "seed", seed)
    monkeypatch.setattr(augmenter, "_compose", Whole(augmenter._compose, augmenter._python))
    monkeypatch.setattr(functional, "is_identity_matrix", lambda matrix: np.allclose(matrix, np.eye(3)))
    for number, image in enumerate(images):
        assert np.array_equal(augmenter(image.copy(), 2, number), found[number])
    assert len(calls) == len(images)


def test_one_of_applies_exactly_one(settings: Make, digits: Dataset) -> None:
    image = np.array(digits.train.images[0])
    flips = {image[:, ::-1].tobytes(), image[::-1].tobytes()}
    augmenter = Augmenter(settings(augment=ONE_OF), 0)
    assert {augmenter(image.copy(), epoch, 0).tobytes() for epoch in range(30)} == flips


def test_bare_names_inside_a_composition_are_the_same_settings(settings: Make) -> None:
    bare: list[Any] = [{"OneOf": {"transforms": ["HorizontalFlip", "Transpose"]}}]
    full: list[Any] = [{"OneOf": {"transforms": [{"HorizontalFlip": {}}, {"Transpose": {}}]}}]
    assert settings(augment=bare).digest() == settings(augment=full).digest()


@pytest.mark.parametrize(
    ("inner", "kind", "value"),
    [
        ({"transforms": ["HorizontalFlop"]}, Kind.UNKNOWN, '"HorizontalFlop"'),
        ({"transforms": [{"OneOf": {"transforms": [{"Affine": {"rotat": 3}}]}}]}, Kind.UNKNOWN, '"rotat"'),
        ({"transforms": []}, Kind.MISSING, "OneOf"),
        ({}, Kind.MISSING, "OneOf"),
        ({"transforms": "HorizontalFlip"}, Kind.MISSING, "OneOf"),
        ({"transforms": ["HorizontalFlip"], "n": 2}, Kind.UNKNOWN, '"n"'),
        ({"transforms": ["HorizontalFlip"], "p": 3}, Kind.VALUE, "OneOf"),
        ({"transforms": [{"Affine": {"rotate": "far"}}]}, Kind.VALUE, "Affine"),
    ],
)
def test_what_is_wrong_inside_is_named(settings: Make, inner: dict[str, Any], kind: Kind, value: str) -> None:
    found = problems_of(settings(augment=[{"OneOf": inner}]))["augment"]
    assert found.kind is kind
    assert value in found.what


def test_every_transform_inside_is_tried_on_an_image(settings: Make, digits: Dataset) -> None:
    hidden = {"RandomCrop": {"height": 4, "width": 4, "p": 0.01}}
    augment = [{"SomeOf": {"n": 1, "transforms": ["HorizontalFlip"] * 20 + [hidden], "p": 0.5}}]
    with refused(Kind.VALUE, "digits: augment", "(4, 4, 1)"):
        check_augmentation(settings(augment=augment), digits)
