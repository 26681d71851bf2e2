"""Folders of small pictures, as data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from runner.data import Dataset, load, prepare
from runner.spec import Settings
from tests.studies import BASE


def picture(number: int, size: tuple[int, int] = (12, 12), mode: str = "RGB") -> Image.Image:
    """Noise of this number, width x height pixels."""
    pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def write_pictures(root: Path, classes: tuple[str, str], prefix: str = "") -> Path:
    """train and test of two classes, 20 and 4 images each."""
    for part, count in (("train", 20), ("test", 4)):
        for number, name in enumerate(classes):
            (root / part / name).mkdir(parents=True)
            for k in range(count):
                picture(1000 * number + 100 * (part == "test") + k).save(root / part / name / f"{prefix}{k}.png")
    return root


def load_folder(root: Path, cache: Path, **changes: Any) -> Dataset:
    """The data set in a folder or zip; `changes` are settings."""
    return load(prepare(Settings.model_validate(BASE | {"dataset": f"folder:{root}"} | changes), Path("data"), cache))
