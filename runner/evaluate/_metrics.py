"""Computes metrics from one part's logits and labels, with scikit-learn wherever it has them. Pure functions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from runner.confusion import balanced_accuracy, macro_f1
from runner.confusion import confusion as count_confusion
from runner.scores import TOP, Floats, calibration_error, roc_auc, softmax, top_accuracy
from runner.train import measure

Counts = npt.NDArray[np.int64]
PER_CLASS = (
    "precision", "recall", "f1", "specificity", "false_positive_rate", "roc_auc", "average_precision",
)  # fmt: skip
_NAMED = 8  # classes in a note


@dataclass(frozen=True)
class PartMetrics:
    """A model's results on one part of a data set.

    overall    metric -> value; nan where it has none
    classes    a row for each class, indexed by its name: `images` and PER_CLASS; nan where there is no value
    confusion  numbers of images, true class x predicted class
    guesses    N, predicted class of each image
    sureness   N, probability of each image's predicted class
    notes      why a metric has no value
    """

    overall: dict[str, float]
    classes: pd.DataFrame
    confusion: Counts
    guesses: Counts
    sureness: Floats
    notes: tuple[str, ...]


def part_metrics(logits: torch.Tensor, labels: Counts, classes: Sequence[str]) -> PartMetrics:
    """Computes metrics of logits (N x classes, float32, on the CPU) for labels (N, N > 0).

    Balanced accuracy is the mean recall. It and the `macro` metrics are means over the classes that have images here.
    In them, a class that is never predicted has a precision and an F1 of 0. The 95% interval of the accuracy (Wilson
    1927) is over images. It says nothing about other seeds.
    """
    from statsmodels.stats.proportion import proportion_confint

    guesses = logits.argmax(1).numpy()
    probabilities = softmax(logits.numpy())
    sureness = probabilities[np.arange(len(labels)), guesses]
    strange = int((~np.isfinite(probabilities).all(axis=1)).sum())
    shares = None if strange else probabilities
    overall: dict[str, float] = {"images": len(labels), **measure(logits, torch.from_numpy(labels))}
    low, high = proportion_confint(int((guesses == labels).sum()), len(labels), method="wilson")
    overall |= {"accuracy_low": float(low), "accuracy_high": float(high)}
    confusion = count_confusion(labels, guesses, len(classes))
    overall["balanced_accuracy"] = balanced_accuracy(confusion)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class that is absent is a note, not a warning
        if len(classes) > 2 * TOP:
            overall[f"top{TOP}_accuracy"] = math.nan if shares is None else top_accuracy(shares, labels)
        table = _per_class(labels, guesses, shares, classes)
    there = table[table["images"] > 0].fillna({"precision": 0.0})
    overall |= {f"macro_{name}": float(there[name].mean()) for name in PER_CLASS if name != "recall"}
    overall["macro_f1"] = macro_f1(confusion)
    overall["calibration_error"] = math.nan if strange else calibration_error(sureness, guesses == labels)
    notes = _notes(confusion, classes)
    if strange:
        notes.append(f"{strange} images have outputs that are not finite, so metrics of probabilities have no value")
    return PartMetrics(overall, table, confusion, guesses, sureness, tuple(notes))


def _notes(confusion: Counts, classes: Sequence[str]) -> list[str]:
    """Returns notes on the classes that have no value for some metric."""
    notes = []
    for counts, what, lost in (
        (confusion.sum(axis=1), "no images of", "recall, ROC AUC or average precision, and count in no macro mean"),
        (
            confusion.sum(axis=0),
            "nothing was predicted as",
            "precision, which counts as 0 in the macro mean if they have images",
        ),
    ):
        names = [name for name, count in zip(classes, counts, strict=True) if not count]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        if names:
            notes.append(f"{what} {', '.join(names[:_NAMED])}{more}, so these have no {lost}")
    return notes


def _per_class(labels: Counts, guesses: Counts, shares: Floats | None, classes: Sequence[str]) -> pd.DataFrame:
    """Returns a row for each class, the class against the rest; nan where a metric divides by 0."""
    from sklearn.metrics import multilabel_confusion_matrix, precision_recall_fscore_support

    numbers = np.arange(len(classes))
    precision, recall, f1, images = precision_recall_fscore_support(
        labels, guesses, labels=numbers, zero_division=np.nan
    )
    (negatives, false_positives), _ = multilabel_confusion_matrix(labels, guesses, labels=numbers).transpose(1, 2, 0)
    rest = negatives + false_positives
    ranked = [_ranking(labels == number, None if shares is None else shares[:, number]) for number in numbers]
    columns: dict[str, Any] = {
        "images": images, "precision": precision, "recall": recall, "f1": f1,
        "specificity": _share(negatives, rest), "false_positive_rate": _share(false_positives, rest),
        "roc_auc": [auc for auc, _ in ranked], "average_precision": [mean for _, mean in ranked],
    }  # fmt: skip
    return pd.DataFrame(columns, index=pd.Index(classes, name="class"))


def _ranking(mine: npt.NDArray[np.bool_], share: Floats | None) -> tuple[float, float]:
    """Returns the area under the ROC curve, and the average precision, of one class against the rest."""
    from sklearn.metrics import average_precision_score

    if share is None or not mine.any():
        return math.nan, math.nan
    return roc_auc(mine, share), float(average_precision_score(mine, share))


def _share(part: Counts, whole: Counts) -> Floats:
    shares: Floats = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return shares


def confused_pairs(confusion: Counts, classes: Sequence[str]) -> pd.DataFrame:
    """Returns every pair of classes that were mistaken for each other, the most confused first.

    first, second  the classes; `first` was mistaken for `second` at least as often as the reverse
    images         number of confused images in both directions
    first_as_second, second_as_first  number in each direction
    share          `images` as a share of all images of both classes
    """
    rows = []
    for one, other in zip(*np.nonzero(np.triu(confusion + confusion.T, k=1)), strict=True):
        first, second = (one, other) if confusion[one, other] >= confusion[other, one] else (other, one)
        there, back = int(confusion[first, second]), int(confusion[second, first])
        total = int(confusion[one].sum() + confusion[other].sum())
        rows.append((classes[first], classes[second], there + back, there, back, (there + back) / total))
    names = ["first", "second", "images", "first_as_second", "second_as_first", "share"]
    pairs = pd.DataFrame(rows, columns=names)
    return pairs.sort_values(["images", "share"], ascending=False, kind="stable", ignore_index=True)
