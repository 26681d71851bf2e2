"""Finds and reads the images of a data set, before they are split."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runner.catalog import DATASETS, DataSet, Downloaded, Packaged
from runner.data._decode import decode_tree
from runner.data._form import Form, reshape
from runner.data._groups import numbered
from runner.data._images import Images, Labels, digest
from runner.data._labels import classes_of, whole_numbers
from runner.data._parts import PARTS, Content, Parts, Rows, alike_note, in_order
from runner.data._trees import Tree, open_tree
from runner.files import expanded, lock
from runner.spec import Kind, Problem, RequestError, Settings, describe, is_reference, load_function
from runner.torchvision import repaired, torchvision

Arrays = Mapping[str, tuple[Images, Labels]]  # part -> images (N x H x W x C) and labels


@dataclass(frozen=True)
class Source:
    """A data set that is not yet read.

    signature  identifies the content without reading it; None where only reading shows the content
    read       reads all images and labels
    """

    signature: str | None
    read: Callable[[], Content]


def find_source(settings: Settings, location: Path, skip_unreadable: bool = False) -> Source:
    """Finds the source that the settings name. Raises RequestError where it is missing or can't be listed."""
    if settings.dataset.startswith("folder:"):
        return _tree(open_tree(folder_path(settings.dataset)), settings, skip_unreadable)
    if is_reference(settings.dataset):
        return Source(None, lambda: _from_function(settings))
    entry = DATASETS[settings.dataset]
    if isinstance(entry.origin, Packaged):
        return _packaged(entry.origin, settings)
    return _local_or_downloaded(entry, entry.origin, settings, location, skip_unreadable)


def folder_path(dataset: str) -> Path:
    """Returns the path in folder:PATH, with ~ expanded to the home directory."""
    return expanded(Path(dataset.removeprefix("folder:")))


def _packaged(origin: Packaged, settings: Settings) -> Source:
    def read() -> Content:
        images, labels, classes = origin.read()
        return _content({"all": (images, labels)}, classes, settings)

    return Source(f"{origin.package} {importlib.metadata.version(origin.package)}", read)


def _tree(tree: Tree, settings: Settings, skip_unreadable: bool) -> Source:
    signature = tree.signature
    if settings.groups != "none":
        signature += hashlib.sha256(expanded(Path(settings.groups)).read_bytes()).hexdigest()
    return Source(signature, lambda: decode_tree(tree, settings, skip_unreadable))


def _local_or_downloaded(
    entry: DataSet, origin: Downloaded, settings: Settings, location: Path, skip_unreadable: bool
) -> Source:
    """Returns a local folder or zip of the data set where there is one, else torchvision's checked download."""
    name = entry.name
    for path in (location, location / name, location / f"{name}.zip"):
        if path.is_file() or (path / "train").is_dir():
            tree = open_tree(path)
            count = len(tree.layout.classes)
            if count != entry.classes and not tree.layout.problems:  # these are other images
                what = f"has {count} classes, but {name} has {entry.classes}; give your own images as folder:PATH."
                raise RequestError([Problem(Kind.DATA, str(path), what)])
            return _tree(tree, settings, skip_unreadable)
    if not location.is_dir() and location != Path("data"):
        raise RequestError(
            [
                Problem(
                    Kind.PATH, f"--data {location}", f"there is no such folder or zip file with {name}; check the path."
                )
            ]
        )
    return Source(f"torchvision {name}", lambda: _content(*_downloaded(name, origin, location), settings))


def _downloaded(name: str, origin: Downloaded, location: Path) -> tuple[Arrays, tuple[str, ...]]:
    """Downloads a data set with a progress bar unless it is there, and verifies its checksum (torchvision)."""
    cls = getattr(torchvision().datasets, origin.cls)

    def halves_of(download: bool) -> dict[str, Any]:
        return {part: cls(str(location), train=part == "train", download=download) for part in ("train", "test")}

    try:
        try:
            halves = halves_of(download=False)  # try this first: the folder may be read-only
        except RuntimeError:  # missing, or with another checksum
            with lock(location):  # one process downloads, the others wait for it
                halves = halves_of(download=True)
    except Exception as error:
        what = (
            f"{name} is missing or incomplete in {location} and could not be downloaded ({describe(error)}); "
            "check the connection, remove incomplete files, or give a local copy with --data."
        )
        raise RequestError([Problem(Kind.PATH, "data", what)]) from error
    parts = {part: (_with_channels(half.data), np.asarray(half.targets, np.int64)) for part, half in halves.items()}
    return parts, tuple(halves["train"].classes)


def _with_channels(images: Any) -> Images:
    """Returns images as N x H x W x C; torchvision keeps gray images as N x H x W."""
    pixels: Images = np.asarray(images)
    return pixels[..., None] if pixels.ndim == 3 else pixels


def _from_function(settings: Settings) -> Content:
    """Reads a data set that your own function returns, as a dict.

    Its keys are "all", or "train" and perhaps "val" and "test"; its values are pairs (images, labels), or triples
    (images, labels, groups). Images are uint8, N x H x W or N x H x W x C with 1 or 3 channels. Labels are whole
    numbers; "classes" may name them. Groups are N texts or numbers.
    """
    from runner.randomness import Generators  # with torch, which data that are prepared need not wait for

    reference = settings.dataset
    try:
        with Generators(0, own_code=True).active():  # random numbers are the same at each call
            given: dict[str, Any] = dict(repaired(lambda: load_function(reference)(**settings.dataset_args)))
        names = given.pop("classes", None)
        if not (set(given) == {"all"} or ("train" in given and given.keys() <= set(PARTS))):
            expected = '"all", or "train" with "val", "test"'
            raise ValueError(f"it returned the parts {', '.join(map(str, given))}; expected {expected}")
        images = {part: _own_images(own[0], own[1]) for part, own in given.items()}
        labels = {part: whole_numbers(own[1]) for part, own in given.items()}
        groups = numbered({part: own[2] for part, own in given.items() if len(own) > 2}, reference)
        if groups and (odd := [part for part in given if len(groups.get(part, ())) != len(images[part])]):
            raise ValueError(f"{odd[0]} has {len(groups.get(odd[0], ()))} groups and {len(images[odd[0]])} images")
        for part, (numbers, _) in labels.items():
            if len(numbers) != len(images[part]):
                raise ValueError(f"{part} has {len(images[part])} images and {len(numbers)} labels")
        named = None if names is None else tuple(map(str, names))
        own_labels, classes, note = classes_of({part: own for part, (own, _) in labels.items()}, named, reference)
        arrays = {part: (images[part], own_labels[part]) for part in images}
        notes = (*dict.fromkeys(said for _, said in labels.values()), note)
        return _content(arrays, classes, settings, tuple(filter(None, notes)), groups)
    except (RequestError, KeyboardInterrupt):
        raise
    except BaseException as error:  # your code may raise anything, even SystemExit
        raise RequestError(
            [Problem(Kind.CODE, reference, f"returned no usable data set: {describe(error)}")]
        ) from error


def _own_images(images: Any, labels: Any) -> Images:
    pixels = np.asarray(images)
    if pixels.dtype != np.uint8:
        raise ValueError(f"images are {pixels.dtype}; expected uint8 from 0 to 255")
    if pixels.ndim == 3:
        pixels = pixels[..., None]
    if pixels.ndim != 4 or pixels.shape[-1] not in (1, 3) or not len(pixels):
        shape = f"images have shape {pixels.shape} for {len(labels)} labels"
        raise ValueError(f"{shape}; expected N x H x W x (1 or 3)")
    return np.ascontiguousarray(pixels)


def _content(
    arrays: Arrays,
    classes: tuple[str, ...],
    settings: Settings,
    notes: Sequence[str] = (),
    groups: Mapping[str, Labels] | None = None,
) -> Content:
    """Orders each part by content (`digest`), and gives all images the size and channels of the settings."""
    parts: Parts = {}
    said = list(notes)
    for part, (images, labels) in arrays.items():
        digests = [digest(image) for image in images]
        said.append(alike_note(part, digests, settings.dataset))
        rows = Rows(_shaped(images, settings), np.arange(len(labels)), labels, (groups or {}).get(part))
        parts[part] = in_order(rows, digests)
    shapes = {part: rows.shape[1:] for part, rows in parts.items()}
    if len(set(shapes.values())) > 1:
        sizes = ", ".join(f"{part} {height} x {width} x {depth}" for part, (height, width, depth) in shapes.items())
        what = f"its parts differ in size ({sizes}); give one for all, such as image_size=64 and channels=3."
        raise RequestError([Problem(Kind.DATA, settings.dataset, what)])
    return Content(parts, classes, tuple(filter(None, said)))


def _shaped(images: Images, settings: Settings) -> Images:
    size, channels = settings.image_size, settings.channels
    if size == "native" and channels in ("native", images.shape[-1]):
        return images
    form = Form(settings.resize, settings.background)
    first = reshape(images[0], size, channels, form)
    shaped: npt.NDArray[np.uint8] = np.empty((len(images), *first.shape), dtype=np.uint8)
    for row, image in enumerate(images):
        shaped[row] = reshape(image, size, channels, form)
    return shaped
