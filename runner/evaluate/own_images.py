"""A person's own images, as a finished run sees them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from runner.data.images import decode_image, read_file
from runner.evaluate.finished import open_run
from runner.spec import Problem, RequestError


def classify(folder: Path, images: Sequence[Path], data: Path, device: str = "auto") -> list[pd.Series[Any]]:
    """Class probabilities of image files by the run in `folder`: for each a Series over the classes, the most
    probable first.

    The images become what the data set's own became: decoded, resized and normalised alike. RequestError
    names every file that can't be read as an image.
    """
    run = open_run(folder, data, device)
    channels, height, width = run.dataset.shape
    pixels, problems = [], []
    for file in images:
        try:
            pixels.append(decode_image(read_file(file), channels, (height, width)))
        except Exception as error:  # every decoder has its own exceptions
            why = getattr(error, "strerror", None) or error
            problems.append(Problem(str(file), f"can't be read as an image ({why})."))
    if problems:
        raise RequestError(problems)
    batch = torch.from_numpy(np.stack(pixels)).to(run.device)
    shares = run.output(run.stream.normalized(batch)).double().softmax(1).numpy()
    return [pd.Series(row, index=list(run.dataset.classes)).sort_values(ascending=False) for row in shares]
