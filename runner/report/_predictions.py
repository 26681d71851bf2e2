"""What the runs predicted on test: which images each got right, class by class, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from runner.confusion import Counts, Floats
from runner.confusion import shares as row_shares
from runner.spec import BASELINE
from runner.stats import ALPHA, Effect, mcnemar_p, paired_effect, two_level_effect
from runner.verdicts import StudyRuns


@dataclass(frozen=True)
class Predicted:
    """A variant's test predictions.

    right     seeds x images: whether the prediction was right
    matrices  seeds x true class x predicted class: number of images
    labels    CRC-32 of the images' true classes
    """

    seeds: tuple[int, ...]
    right: npt.NDArray[np.bool_]
    matrices: Counts
    labels: int

    @property
    def confusion(self) -> Counts:
        """Counts (true x predicted) over all seeds."""
        return np.asarray(self.matrices.sum(axis=0))

    @property
    def class_accuracies(self) -> Floats:
        """Seeds x classes; nan for a class without test images."""
        images = self.matrices.sum(axis=2)
        return np.where(images, np.diagonal(self.matrices, axis1=1, axis2=2) / np.maximum(images, 1), np.nan)

    def of(self, seeds: list[int]) -> Predicted:
        """Those seeds alone."""
        chosen = [self.seeds.index(seed) for seed in seeds]
        return Predicted(tuple(seeds), self.right[chosen], self.matrices[chosen], self.labels)


def predicted(data: StudyRuns) -> dict[str, Predicted]:
    """Every variant's predictions, over the seeds that have the first seed's test images."""
    found = {}
    for name in data.variants:
        known = {int(seed): data.guesses.get((name, int(seed))) for seed in data.finished(name).index}
        own = {seed: each for seed, each in known.items() if each and "test" in each.right}
        if own:
            labels = next(iter(own.values())).labels["test"]
            own = {seed: each for seed, each in own.items() if each.labels["test"] == labels}
            right = np.stack([each.right["test"] for each in own.values()])
            found[name] = Predicted(tuple(own), right, np.stack([e.confusion["test"] for e in own.values()]), labels)
    return found


def pairs(mine: Predicted, theirs: Predicted) -> tuple[Predicted, Predicted]:
    """Both over the seeds that both have."""
    seeds = [seed for seed in mine.seeds if seed in theirs.seeds]
    return mine.of(seeds), theirs.of(seeds)


@dataclass(frozen=True)
class OnTest:
    """A variant against the baseline on test: over seeds, over seeds and images, and model by model."""

    over_seeds: Effect
    over_both: Effect
    better: int  # seed pairs whose two trained models differ by McNemar's test, in its favour
    worse: int


def compare_on_test(predictions: dict[str, Predicted]) -> dict[str, OnTest]:
    """Each variant's effect on test accuracy, where the baseline's predictions are there."""
    effects = {}
    for name, own in predictions.items():
        if name == BASELINE or BASELINE not in predictions:
            continue
        mine, theirs = pairs(own, predictions[BASELINE])
        if not mine.seeds or mine.right.shape != theirs.right.shape:
            continue
        differences = mine.right.astype(float) - theirs.right
        shifts = differences.mean(axis=1)
        significant = np.array([mcnemar_p(a, b) <= ALPHA for a, b in zip(mine.right, theirs.right, strict=True)])
        effects[name] = OnTest(
            paired_effect(mine.right.mean(axis=1), theirs.right.mean(axis=1)),
            two_level_effect(differences, scale=1.0),
            int((significant & (shifts > 0)).sum()),
            int((significant & (shifts < 0)).sum()),
        )
    return effects


def class_differences(predictions: dict[str, Predicted], classes: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each class's test accuracy minus the baseline's, and whether it is significant: two tables, variants x classes.

    Differences are means over seeds, as shares. Significant: the 95% interval, paired by seed, excludes 0.
    """
    means: dict[str, Any] = {}
    significant: dict[str, Any] = {}
    for name, own in predictions.items():
        if name != BASELINE and BASELINE in predictions:
            mine, theirs = pairs(own, predictions[BASELINE])
            if mine.seeds and mine.right.shape == theirs.right.shape:
                columns = zip(mine.class_accuracies.T, theirs.class_accuracies.T, strict=True)
                intervals = [paired_effect(own, other).interval for own, other in columns]
                means[name] = [interval.estimate for interval in intervals]
                significant[name] = [interval.low > 0 or interval.high < 0 for interval in intervals]
    return (
        pd.DataFrame.from_dict(means, orient="index", columns=classes),
        pd.DataFrame.from_dict(significant, orient="index", columns=classes, dtype=bool),
    )


@dataclass(frozen=True)
class Confusions:
    """The baseline's confusion on test over all seeds, and how another variant's differs.

    shares      true x predicted class, each row in shares of its images
    difference  the other variant's shares minus the baseline's; None where there is no other
    """

    shares: Floats
    difference: Floats | None
    other: str
    classes: Sequence[str]


def confusions(predictions: dict[str, Predicted], best: str, classes: list[str]) -> Confusions | None:
    """The baseline's confusion against the best variant's; None without predictions of the baseline."""
    if BASELINE not in predictions:
        return None
    shares = row_shares(predictions[BASELINE].confusion)
    difference = None
    if best in predictions and best != BASELINE:
        difference = row_shares(predictions[best].confusion) - shares
    return Confusions(shares, difference, best, classes)
