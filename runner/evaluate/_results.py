"""The results of evaluating a run, and of classifying your own images."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from runner.evaluate._finished import FinishedRun
from runner.evaluate._metrics import PartMetrics
from runner.spec import Problem


@dataclass(frozen=True)
class Evaluation:
    """The results of an evaluation, and where they were written.

    parts   the results on train, val and test
    pairs   pairs of classes that were confused on test, the most confused first
    notes   what you should know about the numbers
    folder  the run's report folder
    """

    run: FinishedRun
    parts: dict[str, PartMetrics]
    pairs: pd.DataFrame
    notes: list[str]
    folder: Path


@dataclass(frozen=True)
class Classified:
    """Class probabilities of images.

    shares    a Series over the classes for each of `files`, the most probable class first
    problems  name the files that can't be read as images
    notes     name the files in folders that are not images
    """

    files: list[Path] = field(default_factory=list)
    shares: list[pd.Series[Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Mistake:
    """An image (uint8, H x W x C), its true class, its predicted class, and the probability of the latter."""

    image: npt.NDArray[np.uint8]
    true: str
    guess: str
    sureness: float
