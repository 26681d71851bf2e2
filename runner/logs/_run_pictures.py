"""The table of a run's pictures in TensorBoard. A new picture is one entry and the function that draws it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import torch

from runner.confusion import confusion as count_confusion
from runner.data import Dataset, Part
from runner.logs._pictures import Picture, captions, confusion, filters, gallery, has_pictures

_SAMPLES = 16


class When(StrEnum):
    """The moments of a run at which pictures are drawn."""

    FIRST = "epoch 1"
    SOMETIMES = "epochs 1, 4, 16, 64, ..."
    END = "once, at the best epoch"


@dataclass(frozen=True)
class Context:
    """The data that pictures are drawn from.

    epoch        the epoch of the images or weights, from 1
    first_layer  that epoch's weight of the first linear or convolution layer, where there is one
    logits       part -> N x classes, on the CPU
    augmented    train images (uint8, N x H x W x C) as the network sees them, before normalization, and their labels
    """

    dataset: Dataset
    epoch: int
    first_layer: torch.Tensor | None = None
    logits: Mapping[str, torch.Tensor] = field(default_factory=dict)
    augmented: Part | None = None

    @property
    def captions(self) -> list[str]:
        """Each class's label below an image."""
        return captions(self.dataset.classes)


@dataclass(frozen=True)
class RunPicture:
    """A picture in TensorBoard; `draw` returns None where there is nothing to show."""

    tag: str
    meaning: str
    when: When
    draw: Callable[[Context], Picture | None]


def drawn(when: When, context: Context) -> Iterator[tuple[str, Picture]]:
    """Yields the tags and pictures of a moment, in the table's order; none for an epoch without pictures."""
    if when == When.SOMETIMES and not has_pictures(context.epoch):
        return
    for entry in RUN_PICTURES:
        if entry.when == when and (picture := entry.draw(context)) is not None:
            yield entry.tag, picture


def _augmented(context: Context) -> Picture | None:
    if context.augmented is None:
        return None
    names = context.captions
    texts = [(names[label], None) for label in context.augmented.labels]
    return gallery(context.augmented.images, texts)


def _val_samples(context: Context) -> Picture:
    part, classes = context.dataset.val, context.captions
    chosen = np.unique(np.linspace(0, len(part) - 1, min(_SAMPLES, len(part))).astype(int))
    predicted = context.logits["val"][chosen].argmax(1).tolist()
    texts = [
        (f"{classes[true]}\n> {classes[guess]}", bool(true == guess))
        for true, guess in zip(part.labels[chosen], predicted, strict=True)
    ]
    return gallery(np.array(part.images[chosen]), texts)


def _first_layer(context: Context) -> Picture | None:
    weight, shape = context.first_layer, context.dataset.shape
    if weight is None:
        return None
    if weight.ndim == 2 and weight.shape[1] == np.prod(shape):
        weight = weight.reshape(-1, *shape)
    return filters(weight.cpu().numpy()) if weight.ndim == 4 else None


def _misclassified(context: Context) -> Picture | None:
    part, logits, classes = context.dataset.val, context.logits["val"], context.captions
    labels = torch.from_numpy(part.labels)
    sureness, guess = logits.softmax(1).max(1)
    wrong = (guess != labels).nonzero().flatten()
    worst = wrong[sureness[wrong].argsort(descending=True)[:_SAMPLES]]
    if not len(worst):
        return None
    texts = [(f"{classes[int(labels[i])]}\n> {classes[int(guess[i])]}\n{sureness[i]:.0%} sure", False) for i in worst]
    return gallery(np.array(part.images[worst.numpy()]), texts)


def _val_confusion(context: Context) -> Picture:
    return _confusion(context, "val", context.dataset.val.labels, f"validation, epoch {context.epoch}")


def _best_val_confusion(context: Context) -> Picture:
    return _confusion(context, "val", context.dataset.val.labels, f"validation, best epoch ({context.epoch})")


def _best_test_confusion(context: Context) -> Picture:
    return _confusion(context, "test", context.dataset.test.labels, f"test, best epoch ({context.epoch})")


def _confusion(context: Context, part: str, labels: npt.NDArray[np.int64], title: str) -> Picture:
    classes = context.dataset.classes
    matrix = count_confusion(labels, context.logits[part].argmax(1).numpy(), len(classes))
    return confusion(matrix, classes, title)


# The group "pictures" makes TensorBoard show the curves first. A run writes pictures/best_* once, at its end.
RUN_PICTURES = (
    RunPicture(
        "pictures/augmented", "the first train images, as the network sees them in epoch 1", When.FIRST, _augmented
    ),
    RunPicture(
        "pictures/val_samples",
        "some validation images, each with its true and its predicted class",
        When.SOMETIMES,
        _val_samples,
    ),
    RunPicture(
        "pictures/val_confusion_matrix", "validation images by true and predicted class", When.SOMETIMES, _val_confusion
    ),
    RunPicture("pictures/first_layer", "the weights of the first layer's first 36 units", When.SOMETIMES, _first_layer),
    RunPicture(
        "pictures/best_val_confusion_matrix",
        "validation images by true and predicted class, with the best epoch's weights",
        When.END,
        _best_val_confusion,
    ),
    RunPicture(
        "pictures/best_test_confusion_matrix",
        "test images by true and predicted class, with the best epoch's weights",
        When.END,
        _best_test_confusion,
    ),
    RunPicture(
        "pictures/best_misclassified",
        "the misclassified validation images with the highest confidence, with the best epoch's weights",
        When.END,
        _misclassified,
    ),
)
