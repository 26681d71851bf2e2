"""Classifies your own images with a finished run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from runner.data import Form, decode_image, image_files, read_file
from runner.evaluate._finished import FinishedRun, open_run
from runner.evaluate._results import Classified
from runner.spec import Kind, Problem, RequestError

_BATCH = 100  # images that are decoded and classified at once


def classify(folder: Path, images: Sequence[Path], data: Path, device: str = "auto") -> Classified:
    """Returns the class probabilities of image files, and of the images in folders, by the run in `folder`.

    The images are decoded, resized and normalized like those of the data set. Raises RequestError that names every
    file where none can be read.
    """
    run = open_run(folder, data, device)
    found = Classified()
    for batch in _batches(found, _files(found, images), run):
        _classify(found, batch, run)
    if not found.files:
        raise RequestError(found.problems)
    return found


def _files(found: Classified, images: Sequence[Path]) -> Iterator[Path]:
    """Yields the files asked for, and the images in the folders."""
    for path in images:
        if not path.is_dir():
            yield path
            continue
        try:
            inside, note = image_files(path)
        except RequestError as error:
            found.problems.extend(error.problems)
            continue
        found.notes.extend([f"{path}: {note}"] if note else [])
        if not inside:
            found.problems.append(Problem(Kind.DATA, str(path), "has no images; give a folder with images."))
        yield from inside


def _batches(found: Classified, files: Iterator[Path], run: FinishedRun) -> Iterator[dict[Path, np.ndarray[Any, Any]]]:
    """Yields the images that can be read, some at a time: uint8, H x W x C."""
    channels, height, width = run.dataset.shape
    form, window = Form(run.settings.resize, run.settings.background), run.dataset.window
    batch: dict[Path, np.ndarray[Any, Any]] = {}
    for file in files:
        try:
            batch[file] = decode_image(read_file(file), channels, (height, width), form, window, file.name)
        except Exception as error:  # every decoder has its own exceptions
            why = getattr(error, "strerror", None) or error
            found.problems.append(Problem(Kind.DATA, str(file), f"can't be read as an image ({why})."))
        if len(batch) == _BATCH:
            yield batch
            batch = {}
    if batch:
        yield batch


def _classify(found: Classified, batch: dict[Path, np.ndarray[Any, Any]], run: FinishedRun) -> None:
    pixels = torch.from_numpy(np.stack(list(batch.values()))).to(run.device)
    shares = run.output(run.stream.normalized(pixels)).double().softmax(1).numpy()
    found.files.extend(batch)
    found.shares.extend(pd.Series(row, index=list(run.dataset.classes)).sort_values(ascending=False) for row in shares)
