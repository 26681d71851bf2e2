"""Augments images as a function of (seed, epoch, index)."""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from runner.data._dataset import Dataset
from runner.data._images import Images
from runner.randomness import run_seed
from runner.spec import Kind, Problem, RequestError, Settings, albumentations, transforms

_NEAR = (1e-8, 1e-8 + 1e-5)  # of 0 and of 1


class Augmenter:
    """Augments one image at a time with Albumentations, as a function of (seed, epoch, index) alone.

    It sets the states of two shared generators, which takes 5 us an image. Reseeding takes 377 us, because it makes new
    generators. Its pixels are those of Compose, in two thirds of the time.
    """

    def __init__(self, settings: Settings, seed: int) -> None:
        _check_matrices_in_python()
        made = transforms(settings.augment)
        self._compose: Any = albumentations().Compose(made, strict=True, is_check_shapes=False)
        self._philox: Any = np.random.Philox(key=0)
        self._python = random.Random()
        self._compose.set_random_state(np.random.Generator(self._philox), self._python)
        self._seed = run_seed(settings.stream, seed)

    def __call__(self, image: Images, epoch: int, index: int, turn: int = 0) -> Images:
        """Returns an image (uint8, H x W x C) as this epoch shows it; `index` is its place in the train part.

        `turn` counts its repetitions within the epoch, from 0.
        """
        # Lists take a tenth of the time that arrays take.
        state = {"counter": [0, turn, index, epoch], "key": [self._seed, 0]}
        fresh = {"buffer": [0, 0, 0, 0], "buffer_pos": 4, "has_uint32": 0, "uinteger": 0}
        self._philox.state = {"bit_generator": "Philox", "state": state, **fresh}
        self._python.seed((self._seed << 96) | (epoch << 64) | (turn << 40) | index)
        self._python.random()  # Compose draws whether to run at all
        data: dict[str, Any] = {"image": image}
        for transform in self._compose.transforms:  # Compose's own call checks masks and boxes first
            data = transform(**data)
        return data["image"]  # type: ignore[no-any-return]

    def extremes(self, image: Images) -> Iterator[Images]:
        """Yields the image with all transforms applied, then once without each transform that is applied by chance.

        Last it yields the image with each transform inside a composition alone.
        """
        by_chance = [transform for transform in self._compose.transforms if 0 < transform.p < 1]
        for left_out in (None, *by_chance):
            for transform in by_chance:
                transform.p = float(transform is not left_out)
            yield self(image, epoch=1, index=0)
        for composition in [each for each in self._compose.transforms if hasattr(each, "transforms")]:
            for transform in _inside(composition):
                yield transform(image=image, force_apply=True)["image"]


def _inside(composition: Any) -> Iterator[Any]:
    """Yields the transforms inside a composition, and inside its own compositions."""
    for each in composition.transforms:
        if hasattr(each, "transforms"):
            yield from _inside(each)
        else:
            yield each


@cache
def _check_matrices_in_python() -> None:
    """Lets Albumentations compare a matrix with the identity in Python: numpy's allclose takes 19 us a small matrix."""
    functional: Any = importlib.import_module("albumentations.augmentations.geometric.functional")
    if hasattr(functional, "is_identity_matrix"):
        functional.is_identity_matrix = is_identity


def is_identity(matrix: npt.NDArray[np.floating]) -> bool:
    """Whether a 3 x 3 matrix is the identity, within the tolerance of `np.allclose`.

    >>> is_identity(np.eye(3) + 1e-9), is_identity(np.eye(3) + 1e-6)
    (True, False)
    """
    rows = enumerate(matrix.tolist())
    return all(abs(value - (i == j)) <= _NEAR[i == j] for i, row in rows for j, value in enumerate(row))


def check_augmentation(settings: Settings, dataset: Dataset) -> None:
    """Tries the transforms on one image. Raises RequestError where they fail, or change its size or type."""
    if not settings.augment:
        return
    image = np.array(dataset.train.images[0])
    where = f"{settings.dataset}: augment"
    try:
        results = list(Augmenter(settings, seed=0).extremes(image))
    except Exception as error:
        what = f"the transforms fail on an image of {image.shape} (height, width, channels): {error}; change them."
        raise RequestError([Problem(Kind.VALUE, where, what)]) from error
    for result in results:
        if result.shape != image.shape or result.dtype != np.uint8:
            what = (
                f"the transforms turn {image.shape} uint8 into {result.shape} {result.dtype}; "
                "use only ones that keep size and type."
            )
            raise RequestError([Problem(Kind.VALUE, where, what)])
