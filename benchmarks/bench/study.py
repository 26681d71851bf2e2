"""The study that all tools train, and its images: CIFAR-10's, or noise of the same shape."""

from __future__ import annotations

import copy
import io
import runpy
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]
CLASSES = 10
TRAIN = 45_000  # images of CIFAR-10's train part without validation
_PARTS = {"train": (9, "train"), "val": (1, "train"), "test": (2, "test")}  # its ninths of TRAIN; CIFAR-10's part


def mlp_study(augmented: bool, epochs: int) -> dict[str, Any]:
    """Returns the study mlp with all variants augmented, or with none augmented, without its questions."""
    module = runpy.run_path(str(ROOT / "ablations" / "mlp.py"))
    chosen: dict[str, Any] = copy.deepcopy(module["STUDY"])
    del chosen["variants"]["augmentation"], chosen["questions"]
    chosen["baseline"] |= {"epochs": epochs, "patience": 0, "augment": module["AUGMENT"] if augmented else []}
    return chosen


def bench_study(augmented: bool, epochs: int, seeds: list[int]) -> dict[str, Any]:
    """Returns the study of the benchmark: ten variants, which differ neither in batches nor in layers' sizes."""
    chosen = mlp_study(augmented, epochs) | {"seeds": seeds}
    chosen["baseline"]["dataset"] = "cifar10"
    chosen["variants"]["gelu"] = {"activation": "gelu"}
    return chosen


def write_images(path: Path, train: int, source: Path | None) -> None:
    """Writes a zip with images of CIFAR-10, or with noise where `source` is None.

    It has `train` images in the train part (a multiple of 90), and others in CIFAR-10's proportions. `source` is a zip
    with `train/CLASS/NAME.png` and `test/CLASS/NAME.png`. Each class of noise has its own mean image, so it can be
    learned.
    """
    with zipfile.ZipFile(path, "w") as target:
        for name, data in _real(source, train) if source else _noise(train):
            target.writestr(name, data)


def _sizes(train: int) -> dict[str, int]:
    """Returns each part's images of one class."""
    return {part: ninths * train // (9 * CLASSES) for part, (ninths, _) in _PARTS.items()}


def _real(source: Path, train: int) -> Any:
    with zipfile.ZipFile(source) as archive:
        names: dict[tuple[str, str], list[str]] = {}
        for name in sorted(archive.namelist()):
            part, label, _ = name.split("/")[-3:]
            names.setdefault((part, label), []).append(name)
        for (origin, label), found in names.items():
            rest = iter(np.random.default_rng(0).permutation(found).tolist())
            for part, count in _sizes(train).items():
                for number in range(count if _PARTS[part][1] == origin else 0):
                    yield f"{part}/{label}/{number:05}.png", archive.read(next(rest))


def _noise(train: int) -> Any:
    random = np.random.default_rng(0)
    means = random.normal(128, 12, (CLASSES, 32, 32, 3))
    for part, count in _sizes(train).items():
        for label, mean in enumerate(means):
            for number in range(count):
                pixels = (mean + random.normal(0, 60, mean.shape)).clip(0, 255).astype(np.uint8)
                file = io.BytesIO()
                Image.fromarray(pixels).save(file, "PNG", compress_level=1)
                yield f"{part}/class{label}/{number:05}.png", file.getvalue()
