"""Image trees, <part>/<class>/<image>, in a folder or a zip: listed, read and decoded; nothing is extracted."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from rich.progress import track

from runner.data.images import Images, Labels, decode, digest, guarded, open_image, read_file, reshape
from runner.spec.problems import Problem, RequestError, shown

PARTS = ("train", "val", "test")
Listing = dict[str, dict[str, list[str]]]  # part -> class -> file names


@dataclass(frozen=True)
class Tree:
    """A listing, a way to read one of its files, and a signature that changes when the content does."""

    where: str
    listing: Listing
    read: Callable[[str], bytes]
    signature: str

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted(self.listing["train"]))


def open_tree(path: Path) -> Tree:
    """The tree in a folder or a zip; RequestError in words where it is not one."""
    if not path.exists():
        raise RequestError([Problem(str(path), "there is no such folder or zip file.")])
    try:
        tree = _folder_tree(path) if path.is_dir() else _zip_tree(path)
    except OSError as error:
        raise RequestError([Problem(str(path), f"can't be read ({error}); mend or remove it.")]) from error
    problems = list(_layout_problems(tree))
    if problems:
        raise RequestError(problems)
    return tree


def decode_tree(tree: Tree, image_size: int | str, channels: int | str) -> dict[str, tuple[Images, Labels]]:
    """Every image as uint8 NHWC with its label, part by part, in an order of their content (`digest`); RequestError
    lists all unreadable files."""
    index = {name: number for number, name in enumerate(tree.classes)}
    files = [
        (part, index[name], file)
        for part, by_class in tree.listing.items()
        for name, names in by_class.items()
        for file in names
    ]
    gray = _all_gray(tree, [file for *_, file in files])
    decoded: list[Images] = []
    digests: list[bytes] = []
    unreadable: list[Problem] = []

    def one(file: str) -> Images | Problem:
        try:
            image = decode(tree.read(file))
            return image[..., :1] if gray else image
        except Exception as error:  # every decoder has its own exceptions
            return Problem(
                f"{tree.where}: {shown(file)[1:-1]}", f"can't be read as an image ({error}); mend or remove it."
            )

    # One after the other: on small images threads spend their time handing the interpreter's lock around.
    for *_, file in track(files, f"decoding {tree.where}", transient=True, disable=len(files) < 5000):
        image = one(file)
        if isinstance(image, Problem):
            unreadable.append(image)
        else:
            digests.append(digest(image))
            decoded.append(reshape(image, image_size, channels))
    if unreadable:
        raise RequestError(unreadable)
    sizes = sorted({image.shape[:2] for image in decoded})
    if len(sizes) > 1:
        (h0, w0), (h1, w1) = sizes[0], sizes[-1]
        what = (
            f"the images have {len(sizes)} sizes, from {w0}x{h0} to {w1}x{h1} pixels; "
            "give one side for all, such as image_size=64."
        )
        raise RequestError([Problem(tree.where, what)])
    return _by_part(files, decoded, digests)


def _by_part(
    files: list[tuple[str, int, str]], decoded: list[Images], digests: list[bytes]
) -> dict[str, tuple[Images, Labels]]:
    parts: dict[str, tuple[Images, Labels]] = {}
    for part in PARTS:
        chosen = [i for i, (name, *_) in enumerate(files) if name == part]
        if chosen:
            chosen.sort(key=lambda i: (files[i][1], digests[i]))
            labels = np.array([files[i][1] for i in chosen], dtype=np.int64)
            parts[part] = np.stack([decoded[i] for i in chosen]), labels
    return parts


def _folder_tree(path: Path) -> Tree:
    """Lists <part>/<class>/*; hidden files are passed over."""
    listing: Listing = {}
    digest = hashlib.sha256()
    for part in PARTS:
        for folder in sorted(p for p in path.glob(f"{part}/*") if p.is_dir() and not p.name.startswith(".")):
            with os.scandir(folder) as entries:
                files = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
            listing.setdefault(part, {})[folder.name] = [f"{part}/{folder.name}/{entry.name}" for entry in files]
            for entry in files:
                # As git and make do: a file is taken to be unchanged while its size and time are.
                status = entry.stat() if Path(entry).is_file() else None  # a link to itself is none
                seen = (part, folder.name, entry.name, status and status.st_size, status and status.st_mtime_ns)
                digest.update(repr(seen).encode())
    return Tree(str(path), listing, lambda file: read_file(path / file), digest.hexdigest())


def _zip_tree(path: Path) -> Tree:
    """Lists the last three parts of each name; the zip's own checksums are the signature."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise RequestError([Problem(str(path), f"is no readable zip file ({error}).")]) from error
    listing: Listing = {}
    digest = hashlib.sha256()
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        parts = PurePosixPath(info.filename).parts
        if ".." in parts or info.filename.startswith("/"):  # nothing is extracted; but nobody packs so by mistake
            what = "leads out of the archive; pack the images anew, with names such as train/cat/1.png."
            raise RequestError([Problem(f"{path}: {shown(info.filename)[1:-1]}", what)])
        if info.is_dir() or len(parts) < 3 or parts[-3] not in PARTS or parts[-1].startswith("."):
            continue
        listing.setdefault(parts[-3], {}).setdefault(parts[-2], []).append(info.filename)
        digest.update(repr((info.filename, info.CRC, info.file_size)).encode())

    def read(name: str) -> bytes:
        return guarded(archive.getinfo(name).file_size, lambda: archive.read(name))

    return Tree(str(path), listing, read, digest.hexdigest())


def _layout_problems(tree: Tree) -> list[Problem]:
    if "train" not in tree.listing:
        return [Problem(tree.where, "has no train/<class>/ folders with images.")]
    problems = []
    if len(tree.classes) < 2:
        problems.append(
            Problem(
                f"{tree.where}: train", f"has one class, {shown(tree.classes[0])}; a classifier needs at least two."
            )
        )
    for part, by_class in tree.listing.items():
        if unknown := sorted(by_class.keys() - set(tree.classes)):
            problems.append(
                Problem(f"{tree.where}: {part}", f"has classes that train has not: {', '.join(map(shown, unknown))}.")
            )
        problems += [
            Problem(f"{tree.where}: {part}/{name}", "has no images.") for name, files in by_class.items() if not files
        ]
    return problems


def _all_gray(tree: Tree, files: list[str]) -> bool:
    """Whether every image is stored in a gray mode; headers only, and it ends at the first colour."""
    for file in files:
        try:
            if open_image(tree.read(file)).mode not in ("1", "L", "LA", "I", "F") and not _is_16_bit(tree, file):
                return False
        except Exception:
            continue  # unreadable files are reported when they are decoded
    return True


def _is_16_bit(tree: Tree, file: str) -> bool:
    return str(open_image(tree.read(file)).mode).startswith("I;16")
