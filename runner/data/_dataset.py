"""Caches a data set: it is decoded once into uint8 arrays that all workers map into memory."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from runner.catalog import carved
from runner.data._cache import cache_places, first_writable, tag_as_cache
from runner.data._images import Images, Labels, Window
from runner.data._parts import PARTS, Content, Parts, Rows
from runner.data._sources import find_source
from runner.data._split import draw_places, few_places, split
from runner.files import crc, lock, read_json, sync
from runner.spec import FIXED, Kind, Problem, RequestError, Settings, dataset_label, shown

_LAYOUT = 3  # the version of the cache's format and of the splits; increase it to rebuild all caches


@dataclass(frozen=True)
class Part:
    """Images (uint8, N x H x W x C), labels (int64, N), and groups (int64, N) where the data set has some."""

    images: Images
    labels: Labels
    groups: Labels | None = None

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """A split data set.

    mean, std    of each channel over the train part, for pixels scaled to [0, 1]
    fingerprint  a hash of images, labels, classes and splits
    notes        what you should know about how files became images
    window       the range of gray values of more than 8 bits, where there are any
    """

    train: Part
    val: Part
    test: Part
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fingerprint: str
    notes: tuple[str, ...] = ()
    window: Window | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        height, width, channels = self.train.images.shape[1:]
        return channels, height, width

    def read_at_random(self) -> None:
        """Asks the system not to read ahead in the train images: batches take them in random order.

        Where memory can't hold all images, each read would bring up to megabytes that are dropped before they are used.
        Does nothing where the system or its disk knows no such advice.
        """
        mapped: Any = getattr(self.train.images, "_mmap", None)
        with suppress(AttributeError, OSError):
            mapped.madvise(mmap.MADV_RANDOM)


def prepare(settings: Settings, location: Path, cache: Path | None = None, skip_unreadable: bool = False) -> Path:
    """Returns the folder with the data set's cache, and writes the cache where there is none.

    location         the folder or zip given by --data
    cache            the folder of all caches; by default the first of `cache_places` that can be written
    skip_unreadable  skip images that can't be read, instead of raising

    Raises RequestError where the data set can't be found, read, split or written.
    """
    places = [cache] if cache else cache_places(location)
    source = find_source(settings, location, skip_unreadable)
    if source.signature is not None:
        names = [_folder_name(settings, source.signature, skipped) for skipped in (False, True)[: 1 + skip_unreadable]]
        for folder in (place / name for name in names for place in places):
            if is_whole(folder):
                return folder
    content = source.read()
    if strange := [name for name in content.classes if any("\ud800" <= character <= "\udfff" for character in name)]:
        what = f"the class name {shown(strange[0])} is not text in UTF-8; rename the class."  # our files are UTF-8
        raise RequestError([Problem(Kind.DATA, settings.dataset, what)])
    content = replace(content, parts=split(content.parts, settings, content.classes))
    fingerprint = _fingerprint(content.parts, content.classes)
    # Two functions may give the same images with different notes; each gets its own cache.
    signature = source.signature or repr((fingerprint, content.notes))
    name = _folder_name(settings, signature, content.skipped)
    return first_writable(places, lambda place: _write(place / name, content, fingerprint))


def is_whole(folder: Path) -> bool:
    """Whether a cache is complete and not corrupt: all files have the CRCs they were written with."""
    meta = read_json(folder / "meta.json") or {}
    known = meta.get("crc")
    if not known or known != {name: crc(folder / name) for name in known}:
        return False
    try:
        load(folder)
    except Exception:  # a corrupt file may raise any error
        return False
    return True


def load(folder: Path) -> Dataset:
    """Maps a prepared data set into memory without reading it, so that workers share the memory."""
    meta = json.loads((folder / "meta.json").read_text())
    # Mode "c" makes a private, writable map: torch warns about read-only arrays. Nothing writes to it.
    part = {name: _part(folder, name) for name in PARTS}
    return Dataset(
        part["train"], part["val"], part["test"],
        tuple(meta["classes"]), tuple(meta["mean"]), tuple(meta["std"]), meta["fingerprint"],
        tuple(map(str, meta["notes"])), Window(*meta["window"]) if meta["window"] else None,
    )  # fmt: skip


def _part(folder: Path, name: str) -> Part:
    groups = folder / f"{name}-groups.npy"
    images, labels = np.load(folder / f"{name}.npy", mmap_mode="c"), np.load(folder / f"{name}-labels.npy")
    return Part(images, labels, np.load(groups) if groups.exists() else None)


def draw_split(dataset: Dataset, settings: Settings, seed: int) -> Dataset:
    """Returns the data set as a seed sees it: with `split="seed"`, train and validation are redrawn from their union.

    The draw is stratified by class, and keeps the number of validation images. It copies both parts into memory.
    """
    if settings.split == FIXED:
        return dataset
    images = np.concatenate((dataset.train.images, dataset.val.images))
    labels = np.concatenate((dataset.train.labels, dataset.val.labels))
    grouped = [part.groups for part in (dataset.train, dataset.val) if part.groups is not None]
    groups = np.concatenate(grouped) if grouped else None
    kept, taken = draw_places(labels, len(dataset.val), seed, groups)
    if settings.images_per_class:
        kept = kept[few_places(labels[kept], settings, dataset.classes)]
    train, val = (Part(images[chosen], labels[chosen]) for chosen in (kept, taken))
    mean, std = map(tuple, channel_statistics([train.images]))
    return replace(dataset, train=train, val=val, mean=mean, std=std)


def _fingerprint(parts: Parts, classes: tuple[str, ...]) -> str:
    digest = hashlib.sha256(repr(classes).encode())
    for name in PARTS:
        rows = parts[name]
        digest.update(repr((name, rows.shape)).encode())
        for images in rows.chunks():
            digest.update(np.ascontiguousarray(images).data)
        digest.update(np.ascontiguousarray(rows.labels).data)
        digest.update(b"" if rows.groups is None else np.ascontiguousarray(rows.groups).data)
    return digest.hexdigest()[:16]


def channel_statistics(images: Iterable[Images]) -> tuple[list[float], list[float]]:
    """Returns the mean and the population standard deviation of each channel, for pixels scaled to [0, 1].

    `images` are chunks of uint8, N x H x W x C. Counts of the 256 levels make the result exact. A constant channel
    gets deviation 1.

    >>> channel_statistics([np.array([[[[0], [255]]]], dtype=np.uint8)])
    ([0.5], [0.5])
    """
    levels = np.arange(256) / 255
    counts = np.array(0)
    for some in images:
        channels = range(some.shape[-1])
        counts = counts + [np.bincount(some[..., channel].ravel(), minlength=256) for channel in channels]
    means, deviations = [], []
    for count in counts:
        share = count / count.sum()
        mean = float(share @ levels)
        means.append(mean)
        deviations.append(float(np.sqrt(share @ (levels - mean) ** 2)) or 1.0)
    return means, deviations


def _folder_name(settings: Settings, signature: str, skipped: bool) -> str:
    # The key covers the sizes of the parts, but not the place of the data.
    few = settings.images_per_class if settings.split == FIXED else 0
    others: list[object] = [carved(settings.dataset), *([few] if few else [])]
    others += [settings.resize] if settings.resize != "squeeze" else []
    key = repr((signature, settings.image_size, settings.channels, settings.background, skipped, *others, _LAYOUT))
    label = "".join(c if c.isalnum() else "_" for c in dataset_label(settings.dataset))[:40]
    return f"{label}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def _write(folder: Path, content: Content, fingerprint: str) -> Path:
    """Writes the cache under a temporary name and renames it, so that it is never half there."""
    with lock(folder.parent):
        if is_whole(folder):  # another process has written it meanwhile
            return folder
        tag_as_cache(folder.parent)
        for left in folder.parent.glob("*.tmp"):  # we hold the lock, so whoever wrote these has died
            shutil.rmtree(left)
        beside = folder.with_name(f"{folder.name}.tmp")
        beside.mkdir()
        for name in PARTS:
            _write_images(beside / f"{name}.npy", content.parts[name])
            np.save(beside / f"{name}-labels.npy", content.parts[name].labels)
            if (groups := content.parts[name].groups) is not None:
                np.save(beside / f"{name}-groups.npy", groups)
        mean, std = channel_statistics(content.parts["train"].chunks())
        meta = {
            "classes": list(content.classes), "mean": mean, "std": std, "fingerprint": fingerprint,
            "notes": list(content.notes), "window": content.window and [content.window.low, content.window.high],
            "crc": {path.name: crc(path) for path in sorted(beside.glob("*.npy"))},
        }  # fmt: skip
        (beside / "meta.json").write_text(json.dumps(meta, indent=2))
        for path in (*beside.iterdir(), beside):
            sync(path)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(beside, folder)
        sync(folder.parent)
    return folder


def _write_images(path: Path, rows: Rows) -> None:
    """Writes images as np.save does, without a copy of all images in memory."""
    with open(path, "wb") as file:
        header = {
            "descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)),
            "fortran_order": False,
            "shape": rows.shape,
        }
        np.lib.format.write_array_header_1_0(file, header)
        for images in rows.chunks():
            file.write(np.ascontiguousarray(images).data)
