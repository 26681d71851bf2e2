"""What evaluating a run and naming your own images give, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from runner.evaluate.finished import FinishedRun
from runner.evaluate.metrics import PartMetrics
from runner.spec import Problem


@dataclass(frozen=True)
class Evaluation:
    """What was found, and where it was written.

    parts   train, val and test
    pairs   of classes that were confused on test, the most confused first
    notes   what a reader must know of the numbers, in words
    folder  the run's report folder
    """

    run: FinishedRun
    parts: dict[str, PartMetrics]
    pairs: pd.DataFrame
    notes: list[str]
    folder: Path


@dataclass(frozen=True)
class Classified:
    """Class probabilities of images: `shares` has a Series over the classes for each of `files`, the most probable
    first. `problems` name what can't be read as an image, `notes` what was found in folders and is no image."""

    files: list[Path] = field(default_factory=list)
    shares: list[pd.Series[Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Mistake:
    """An image (H x W x C, uint8), its true class, the predicted one, and that one's probability."""

    image: npt.NDArray[np.uint8]
    true: str
    guess: str
    sureness: float
