"""A data set, split and cached: decoded once into uint8 arrays that every worker maps."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from runner.catalog import carved
from runner.data.cache import cache_places, first_writable, tag_as_cache
from runner.data.images import Images, Labels, Window
from runner.data.parts import PARTS, Content, Parts, Rows
from runner.data.sources import find
from runner.files import crc, lock, read_json, sync
from runner.spec.problems import Kind, Problem, RequestError, shown
from runner.spec.settings import Settings, dataset_label

_SHARES = (0.10, 0.15)  # of the images that there are, for a missing validation or test part
_FILES = tuple(f"{name}{kind}.npy" for name in PARTS for kind in ("", "-labels"))
_LAYOUT = 3  # of the cache and the way of splitting: a change makes new caches


@dataclass(frozen=True)
class Part:
    """Images (uint8, N x H x W x C) and labels (int64, N)."""

    images: Images
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """The three parts, the classes' names, and the train part's channel means and deviations in [0, 1]."""

    train: Part
    val: Part
    test: Part
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fingerprint: str
    notes: tuple[str, ...] = ()  # what a person must know about how files became images
    window: Window | None = None  # of gray values of more than 8 bits

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width of an image."""
        height, width, channels = self.train.images.shape[1:]
        return channels, height, width


def prepare(settings: Settings, location: Path, cache: Path | None = None, skip_unreadable: bool = False) -> Path:
    """The folder with the data set's cache, made where there is none; RequestError if it can't be.

    location         --data
    cache            the folder of all caches; found (`cache_places`) unless given
    skip_unreadable  take the data set without its unreadable images, where there are any
    """
    places = [cache] if cache else cache_places(location)
    source = find(settings, location, skip_unreadable)
    if source.signature is not None:
        names = [_folder_name(settings, source.signature, skipped) for skipped in (False, True)[: 1 + skip_unreadable]]
        for folder in (place / name for name in names for place in places):
            if _is_whole(folder):
                return folder
    content = source.read()
    if strange := [name for name in content.classes if any("\ud800" <= character <= "\udfff" for character in name)]:
        what = f"the class name {shown(strange[0])} is no text in UTF-8; rename it."  # no file of ours could hold it
        raise RequestError([Problem(Kind.DATA, settings.dataset, what)])
    content = replace(content, parts=split(content.parts, settings, content.classes))
    fingerprint = _fingerprint(content.parts, content.classes)
    signature = source.signature or repr((fingerprint, content.notes))  # another function's notes are not its own
    name = _folder_name(settings, signature, content.skipped)
    return first_writable(places, lambda place: _write(place / name, content, fingerprint))


def _is_whole(folder: Path) -> bool:
    """Whether the cache is there, as it was written: a disk or a person may have spoilt it since."""
    meta = read_json(folder / "meta.json") or {}
    if meta.get("crc") != {name: crc(folder / name) for name in _FILES}:
        return False
    try:
        load(folder)
    except Exception:  # spoilt files raise whatever their bytes lead to
        return False
    return True


def load(folder: Path) -> Dataset:
    """A prepared data set, mapped and not read: workers share its memory."""
    meta = json.loads((folder / "meta.json").read_text())
    # Mode "c" maps privately and writable: torch warns of read-only arrays, and nobody writes.
    part = {
        name: Part(np.load(folder / f"{name}.npy", mmap_mode="c"), np.load(folder / f"{name}-labels.npy"))
        for name in PARTS
    }
    return Dataset(
        part["train"], part["val"], part["test"],
        tuple(meta["classes"]), tuple(meta["mean"]), tuple(meta["std"]), meta["fingerprint"],
        tuple(map(str, meta["notes"])), Window(*meta["window"]) if meta["window"] else None,
    )  # fmt: skip


def split(parts: Parts, settings: Settings, classes: tuple[str, ...]) -> Parts:
    """Train, validation and test, stratified, the same for every seed: what is missing is carved from train."""
    parts = {"train" if name == "all" else name: rows for name, rows in parts.items()}
    total = len(parts["train"])
    val_share, test_share = _SHARES
    val, test = carved(settings.dataset) or (round(val_share * total), round(test_share * total))
    for name, count in (("test", test), ("val", val)):
        if name not in parts:
            parts = parts | _carve(parts["train"], name, count, settings.dataset, classes)
    if settings.images_per_class:
        parts = parts | {"train": _few(parts["train"], settings, classes)}
    return parts


def _few(train: Rows, settings: Settings, classes: tuple[str, ...]) -> Rows:
    """As many train images of each class as asked for, the same for every seed; fewer are contained in more."""
    asked, labels = settings.images_per_class, train.labels
    counts = np.bincount(labels, minlength=len(classes))
    if asked > counts.min():
        rare = f'"{classes[int(counts.argmin())]}" has {counts.min()}'
        what = f"got {asked}, but {rare} train images; expected at most that."
        raise RequestError([Problem(Kind.VALUE, f"{settings.dataset}: images_per_class", what)])
    shuffled = np.random.default_rng(0).permutation(len(labels))
    chosen = [shuffled[labels[shuffled] == label][:asked] for label in range(len(classes))]
    return train.take(np.sort(np.concatenate(chosen)))


def _carve(train: Rows, name: str, count: int, dataset: str, classes: tuple[str, ...]) -> Parts:
    from sklearn.model_selection import train_test_split

    labels = train.labels
    try:
        kept, taken = train_test_split(np.arange(len(labels)), test_size=count, stratify=labels, random_state=0)
    except ValueError as error:
        counts = np.bincount(labels, minlength=len(classes))
        rare = f'"{classes[int(counts.argmin())]}" has {counts.min()}'
        what = f"too few images to set a {name} part aside from every class ({rare}); add images, or a {name} part."
        raise RequestError([Problem(Kind.DATA, dataset, what)]) from error
    return {"train": train.take(np.sort(kept)), name: train.take(np.sort(taken))}


def _fingerprint(parts: Parts, classes: tuple[str, ...]) -> str:
    digest = hashlib.sha256(repr(classes).encode())
    for name in PARTS:
        rows = parts[name]
        digest.update(repr((name, rows.shape)).encode())
        for images in rows.chunks():
            digest.update(np.ascontiguousarray(images).data)
        digest.update(np.ascontiguousarray(rows.labels).data)
    return digest.hexdigest()[:16]


def channel_statistics(images: Iterable[Images]) -> tuple[list[float], list[float]]:
    """Mean and (population) deviation of each channel in [0, 1], exact: from counts of the 256 levels.

    `images` come in chunks, N x H x W x C.
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
        deviations.append(float(np.sqrt(share @ (levels - mean) ** 2)) or 1.0)  # a constant channel stays as it is
    return means, deviations


def _folder_name(settings: Settings, signature: str, skipped: bool) -> str:
    # Where the data lies is no part of the key; which sizes the parts get is.
    sizes = (carved(settings.dataset), *([settings.images_per_class] if settings.images_per_class else []))
    key = repr((signature, settings.image_size, settings.channels, settings.background, skipped, *sizes, _LAYOUT))
    label = "".join(c if c.isalnum() else "_" for c in dataset_label(settings.dataset))[:40]
    return f"{label}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def _write(folder: Path, content: Content, fingerprint: str) -> Path:
    """Written beside and renamed: a cache is there whole or not at all."""
    with lock(folder.parent):
        if _is_whole(folder):  # another runner was first
            return folder
        tag_as_cache(folder.parent)
        for left in folder.parent.glob("*.tmp"):  # by processes that died: the living hold the lock
            shutil.rmtree(left)
        beside = folder.with_name(f"{folder.name}.tmp")
        beside.mkdir()
        for name in PARTS:
            _write_images(beside / f"{name}.npy", content.parts[name])
            np.save(beside / f"{name}-labels.npy", content.parts[name].labels)
        mean, std = channel_statistics(content.parts["train"].chunks())
        meta = {
            "classes": list(content.classes), "mean": mean, "std": std, "fingerprint": fingerprint,
            "notes": list(content.notes), "window": content.window and [content.window.low, content.window.high],
            "crc": {name: crc(beside / name) for name in _FILES},
        }  # fmt: skip
        (beside / "meta.json").write_text(json.dumps(meta, indent=2))
        for path in (*beside.iterdir(), beside):
            sync(path)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(beside, folder)
        sync(folder.parent)
    return folder


def _write_images(path: Path, rows: Rows) -> None:
    """As np.save, without a copy of all images in memory."""
    with open(path, "wb") as file:
        header = {
            "descr": np.lib.format.dtype_to_descr(np.dtype(np.uint8)),
            "fortran_order": False,
            "shape": rows.shape,
        }
        np.lib.format.write_array_header_1_0(file, header)
        for images in rows.chunks():
            file.write(np.ascontiguousarray(images).data)
