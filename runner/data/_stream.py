"""Streams the batches for (data settings, seed, epoch). Runs that share these see the same batches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from runner.data._augmenter import Augmenter
from runner.data._dataset import Dataset, Part
from runner.data._images import Images
from runner.randomness import run_seed
from runner.spec import Kind, Problem, RequestError, Settings

Batch = tuple[torch.Tensor, torch.Tensor]
_EVALUATED, _MOST_BYTES = 1_000, 2**27  # images in a batch of evaluation, and the most bytes they may take
_SHARE = 0.5  # of a GPU's free memory is the most that a part of the data may take
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # as torchvision's weights were trained with
_ORDER, _TRAIN_EVAL = 1, 2  # give each use of a seed its own random numbers


def batches(count: int, size: int) -> list[slice]:
    """Returns the slices of an epoch's batches of `size` images.

    A last batch of a single image is skipped, because BatchNorm needs a variance.

    >>> batches(5, 2)
    [slice(0, 2, None), slice(2, 4, None)]
    """
    places = [slice(start, start + size) for start in range(0, count, size)]
    return places[:-1] if count % size == 1 < min(size, count) else places


def evaluation_batch(shape: tuple[int, int, int], batch_size: int) -> int:
    """Returns how many images of `shape` (channels, height, width) a batch of evaluation has.

    1,000 images; where these take more than 128 MiB as float32, at most as many as a training step has.
    """
    return _EVALUATED if 4 * _EVALUATED * math.prod(shape) <= _MOST_BYTES else min(_EVALUATED, batch_size)


class Stream:
    """Streams one data set for one seed to a device: images float32, N x C x H x W, and labels int64, N."""

    def __init__(self, dataset: Dataset, settings: Settings, seed: int, device: torch.device) -> None:
        """Raises RequestError as `_statistics`."""
        self.dataset = dataset
        self._settings = settings
        self._seed = run_seed(settings.stream, seed)
        self.device = device
        self._augmenter = Augmenter(settings, seed) if settings.augment else None
        self._parts: dict[int, Batch] = {}
        self._batches: dict[int, Batch] = {}  # on a GPU, by their number of images
        mean, std = (
            torch.tensor(numbers, dtype=torch.float64).reshape(1, -1, 1, 1)
            for numbers in _statistics(settings, dataset)
        )
        self._shift = (mean * 255).float().to(device)
        self._scale = (1 / (std * 255)).float().to(device)

    @property
    def augments(self) -> bool:
        """Whether train images are augmented."""
        return self._augmenter is not None

    def train(self, epoch: int) -> Iterator[Batch]:
        """Yields the batches of the train part in this epoch's order; epochs count from 1.

        On a GPU a batch overwrites the last one of its size: recorded steps read the same tensors each time.
        """
        images, labels = self._resident(self.dataset.train)
        order = self.order(epoch)
        places = torch.from_numpy(np.concatenate(order)).to(images.device).split([len(index) for index in order])  # type: ignore[no-untyped-call]
        turns = np.split(_turns(np.concatenate(order)), np.cumsum([len(index) for index in order])[:-1])
        for index, place, turn in zip(order, places, turns, strict=True):
            if self._augmenter:
                pixels = torch.from_numpy(self.augmented(epoch, index, turn))
            else:
                pixels = images.index_select(0, place)
            yield self._batch(pixels.to(self.device), labels.index_select(0, place).to(self.device))

    def _batch(self, pixels: torch.Tensor, labels: torch.Tensor) -> Batch:
        if self.device.type == "cpu":
            return self.normalized(pixels), labels
        if len(pixels) not in self._batches:
            self._batches[len(pixels)] = self.normalized(pixels), labels.clone()
        images, chosen = self._batches[len(pixels)]
        images.copy_(pixels.permute(0, 3, 1, 2)).sub_(self._shift).mul_(self._scale)
        chosen.copy_(labels)
        return images, chosen

    def order(self, epoch: int) -> list[npt.NDArray[np.int64]]:
        """Returns the indices of each batch of an epoch, into the train part."""
        rng, labels = np.random.default_rng([self._seed, epoch, _ORDER]), self.dataset.train.labels
        if self._settings.sampler == "balanced":
            chances = 1 / np.bincount(labels)[labels]
            order = rng.choice(len(labels), len(labels), p=chances / chances.sum())
        else:
            order = rng.permutation(len(labels))
        return [order[part] for part in batches(len(order), self._settings.batch_size)]

    def augmented(self, epoch: int, index: npt.NDArray[np.int64], turns: npt.NDArray[np.int64] | None = None) -> Images:
        """Returns the train images at `index` as this epoch shows them: uint8, N x H x W x C.

        `turns` counts each image's repetitions within the epoch; all are 0 by default.
        """
        images = self.dataset.train.images
        if not self._augmenter:
            return np.array(images[index])
        turns = np.zeros_like(index) if turns is None else turns
        pairs = zip(index, turns, strict=True)
        return np.stack([self._augmenter(np.array(images[i]), epoch, int(i), int(turn)) for i, turn in pairs])

    def evaluation(self, part: Part, size: int | None = None) -> Iterator[Batch]:
        """Yields a part's batches in its own order, without augmentation; `size` images, or as `evaluation_batch`."""
        size = size or evaluation_batch(self.dataset.shape, self._settings.batch_size)
        images, labels = self._resident(part)
        for start in range(0, len(part), size):
            pixels, chosen = images[start : start + size], labels[start : start + size]
            yield self.normalized(pixels.to(self.device)), chosen.to(self.device)

    @cached_property
    def train_eval(self) -> Part:
        """A fixed part of train as large as validation (CIFAR: 5,000), the same for every seed and run.

        So both sides of the generalization gap are equally precise, and evaluation on train images stays cheap.
        """
        train, count = self.dataset.train, len(self.dataset.val)
        if len(train) <= count:
            return train
        chosen = np.sort(np.random.default_rng([0, 0, _TRAIN_EVAL]).permutation(len(train))[:count])
        return Part(np.array(train.images[chosen]), train.labels[chosen])

    def normalized(self, pixels: torch.Tensor) -> torch.Tensor:
        """Turns uint8, N x H x W x C, into normalized float32, N x C x H x W, as A.Normalize and ToTensorV2 do."""
        floats = pixels.permute(0, 3, 1, 2).contiguous().float()
        return floats.sub_(self._shift).mul_(self._scale)

    def _resident(self, part: Part) -> Batch:
        """A part that batches are taken from: a memory map on a CPU; on a GPU a copy there, where it has room."""
        if id(part) not in self._parts:
            device = self.device
            if device.type == "cuda" and part.images.nbytes > torch.cuda.mem_get_info(device)[0] * _SHARE:
                device = torch.device("cpu")
            self._parts[id(part)] = torch.from_numpy(part.images).to(device), torch.from_numpy(part.labels).to(device)
        return self._parts[id(part)]


def _statistics(settings: Settings, dataset: Dataset) -> tuple[Sequence[float], Sequence[float]]:
    """Returns the mean and the deviation of each channel by which pixels in [0, 1] are normalized.

    Raises RequestError for those of ImageNet where images are not RGB.
    """
    channels = len(dataset.mean)
    if settings.normalize == "train":
        return dataset.mean, dataset.std
    if settings.normalize == "none":
        return [0.0] * channels, [1.0] * channels
    if channels != len(_IMAGENET[0]):
        what = '"imagenet" has the means of RGB images, and these are gray; set channels=3, or use "train".'
        raise RequestError([Problem(Kind.CONFLICT, f"{settings.dataset}: normalize", what)])
    return _IMAGENET


def _turns(order: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Returns how often each number has occurred before.

    >>> _turns(np.array([5, 3, 5, 5]))
    array([0, 0, 1, 2])
    """
    by_number = np.argsort(order, kind="stable")
    ranked, places = order[by_number], np.arange(len(order))
    first = np.concatenate([[True], ranked[1:] != ranked[:-1]])
    turns = np.empty_like(places)
    turns[by_number] = places - np.maximum.accumulate(np.where(first, places, 0))
    return turns
