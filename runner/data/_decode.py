"""Decodes a tree's images into one uint8 array: first headers, then pixels.

Memory holds the result and one image for each core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from runner.data._form import Form, reshape
from runner.data._groups import numbered, read_groups
from runner.data._images import (
    Header,
    Images,
    Labels,
    Window,
    digest,
    gray_range,
    open_image,
    pixels,
    read_header,
)
from runner.data._layout import layout_note
from runner.data._parts import PARTS, Content, Parts, Rows, alike_note, few, in_order, printable
from runner.data._progress import counting
from runner.data._trees import Tree, unreadable
from runner.machine import cores
from runner.spec import Kind, Problem, RequestError, Settings, shown
from runner.text import counted

_BATCH = 32  # images that a thread takes at once
_LARGE = 2**15  # pixels; below this size threads are slower, because of the interpreter's lock
Result = TypeVar("Result")


@dataclass
class _Reading:
    """The state of reading a tree.

    labels   image -> (part, number of the class)
    headers  image -> its header
    bad      image -> why it can't be read
    """

    tree: Tree
    settings: Settings
    labels: dict[str, tuple[str, int]]
    headers: dict[str, Header] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)

    @property
    def good(self) -> list[str]:
        return [name for name in self.labels if name not in self.bad]


def decode_tree(tree: Tree, settings: Settings, skip_unreadable: bool = False) -> Content:
    """Decodes every image of every class to uint8, N x H x W x C, ordered by content (`digest`).

    Raises RequestError with all unreadable files unless they are skipped, and where images differ in size and
    `image_size` is "native". The headers alone show the sizes.
    """
    layout = tree.layout
    if layout.problems:
        raise RequestError(_with_ignored(tree, layout.problems))
    number = {name: k for k, name in enumerate(layout.classes)}
    labels = {
        image: (part, number[name])
        for part, by_class in layout.files.items()
        for name, images in by_class.items()
        for image in images
    }
    reading = _Reading(tree, settings, labels)
    _read_headers(reading)
    window, deep_note = _window(reading)
    parts, notes = _decode(reading, window, skip_unreadable)
    said = [tree.ignored_note, layout_note(layout), _skipped_note(reading), deep_note, *notes]
    return Content(parts, layout.classes, tuple(filter(None, said)), window, bool(reading.bad))


def _with_ignored(tree: Tree, problems: Sequence[Problem]) -> list[Problem]:
    """Adds a problem that lists the tree's files where it has no image at all."""
    if tree.images or not tree.ignored:
        return list(problems)
    return [*problems, Problem(Kind.DATA, tree.where, f"{tree.ignored_note}.")]


def _read_headers(reading: _Reading) -> None:
    def one(name: str) -> Header:
        with reading.tree.open(name) as file:
            return read_header(file, name)

    reading.headers = _each(reading, "reading the headers of", list(reading.labels), one, parallel=False)
    sizes = sorted({(header.height, header.width) for header in reading.headers.values()})
    if reading.settings.image_size == "native" and len(sizes) > 1:
        (h0, w0), (h1, w1) = sizes[0], sizes[-1]
        what = (
            f"the images have {len(sizes)} sizes, from {w0}x{h0} to {w1}x{h1} pixels; "
            "give one side for all, such as image_size=64."
        )
        raise RequestError([*_problems(reading), Problem(Kind.DATA, reading.tree.where, what)])


def _window(reading: _Reading) -> tuple[Window | None, str]:
    """Returns the range of gray values that becomes 0 to 255, and a note; None where no image needs a range.

    Only images of more than 8 bits need one. Raises RequestError where all their pixels are equal.
    """
    deep = [name for name in reading.good if reading.headers[name].is_deep]
    if not deep:
        return None, ""
    where = reading.tree.where

    def one(name: str) -> tuple[float, float, bool]:
        return gray_range(open_image(reading.tree.read(name), name))

    ranges = _each(reading, "finding the gray values of", deep, one).values()
    if not any(needed for *_, needed in ranges):
        return None, ""
    low, high = min(low for low, *_ in ranges), max(high for _, high, _ in ranges)
    if not low < high:
        what = (
            f"all pixels of its {len(ranges)} gray images of more than 8 bits are {low:.9g}; expected different values."
        )
        raise RequestError([*_problems(reading), Problem(Kind.DATA, where, what)])
    others = len(reading.good) - len(ranges)
    rest = f"; the {counted(others, 'other image')} of 8 bits stayed as they are" if others else ""
    note = (
        f"{counted(len(ranges), 'gray image')} of more than 8 bits: {low:.9g} to {high:.9g}, the data set's own range,"
    )
    return Window(low, high), f"{note} became 0 to 255{rest}"


def _decode(reading: _Reading, window: Window | None, skip_unreadable: bool) -> tuple[Parts, list[str]]:
    names, settings = reading.good, reading.settings
    if not names:
        raise RequestError(_problems(reading))
    gray = all(reading.headers[name].is_gray for name in names)
    first, side = reading.headers[names[0]], settings.image_size
    height, width = (first.height, first.width) if side == "native" else (side, side)
    depth = settings.channels if settings.channels != "native" else 1 if gray else 3
    shape = (len(names), height, width, depth)
    try:
        array = np.empty(shape, dtype=np.uint8)
    except MemoryError as error:
        what = f"its images would take {np.prod(shape, dtype=float) / 1e9:.1f} GB; give a smaller image_size."
        raise RequestError([Problem(Kind.MACHINE, reading.tree.where, what)]) from error
    row = {name: k for k, name in enumerate(names)}
    form = Form(settings.resize, settings.background)

    def one(name: str) -> tuple[bytes, bool]:
        image, transparent = pixels(open_image(reading.tree.read(name), name), settings.background, window)
        image = image[..., :1] if gray else image
        if image.shape[:2] != (reading.headers[name].height, reading.headers[name].width):
            raise ValueError(f"it has {image.shape[1]}x{image.shape[0]} pixels, but its header says otherwise")
        array[row[name]] = reshape(image, side, settings.channels, form)
        return digest(image), transparent

    decoded = _each(reading, "decoding", names, one)
    if reading.bad and (not skip_unreadable or not decoded):
        raise RequestError(_problems(reading))
    parts, notes = _by_part(reading, array, row, {name: found[0] for name, found in decoded.items()})
    if count := sum(transparent for _, transparent in decoded.values()):
        notes.append(f"{counted(count, 'image')} with transparent pixels: put on {settings.background} (background)")
    return parts, notes


def _by_part(
    reading: _Reading, array: Images, row: dict[str, int], digests: dict[str, bytes]
) -> tuple[Parts, list[str]]:
    parts: Parts = {}
    notes = []
    by_part = {part: [name for name in digests if reading.labels[name][0] == part] for part in PARTS}
    groups = _groups(reading, by_part)
    for part, chosen in by_part.items():
        if chosen:
            labels = np.array([reading.labels[name][1] for name in chosen], dtype=np.int64)
            own = [digests[name] for name in chosen]
            index = np.array([row[name] for name in chosen], dtype=np.int64)
            parts[part] = in_order(Rows(array, index, labels, groups.get(part)), own)
            notes.append(alike_note(part, own, reading.tree.where))
    classes, there = reading.tree.layout.classes, set(parts["train"].labels.tolist()) if "train" in parts else set()
    if missing := [shown(name) for number, name in enumerate(classes) if number not in there]:
        what = f"has no readable image of {', '.join(missing)}; add images, or remove the class."
        raise RequestError([*_problems(reading), Problem(Kind.DATA, f"{reading.tree.where}: train", what)])
    return parts, notes


def _groups(reading: _Reading, by_part: Mapping[str, Sequence[str]]) -> dict[str, Labels]:
    if reading.settings.groups == "none":
        return {}
    group = read_groups(reading.settings.groups, [name for names in by_part.values() for name in names])
    return numbered({part: [group[name] for name in names] for part, names in by_part.items()}, reading.tree.where)


def _each(
    reading: _Reading, doing: str, names: Sequence[str], one: Callable[[str], Result], parallel: bool = True
) -> dict[str, Result]:
    """Calls `one` for each file and returns the results; a file that it fails on is marked as bad.

    Large images use all cores.
    """

    def some(batch: Sequence[str]) -> dict[str, Result]:
        results = {}
        for name in batch:
            try:
                results[name] = one(name)
            except MemoryError:  # the file is not to blame
                raise
            except Exception as error:  # each decoder has its own exceptions
                reading.bad[name] = str(error)
        return results

    found: dict[str, Result] = {}
    batches = [names[start : start + _BATCH] for start in range(0, len(names), _BATCH)]
    large = parallel and any(header.height * header.width >= _LARGE for header in reading.headers.values())
    with counting(f"{doing} {reading.tree.where}", len(names)) as progress, ThreadPoolExecutor(cores()) as pool:
        try:
            for batch, results in zip(batches, (pool.map if large else map)(some, batches), strict=True):
                found |= results
                progress.advance(len(batch))
        except BaseException:  # on Ctrl-C, skip the images that no thread has begun
            pool.shutdown(cancel_futures=True)
            raise
    return found


def _problems(reading: _Reading) -> list[Problem]:
    return [unreadable(reading.tree.where, name, error) for name, error in reading.bad.items()]


def _skipped_note(reading: _Reading) -> str:
    names = [f"{printable(name)} ({error})" for name, error in reading.bad.items()]
    return f"{counted(len(names), 'unreadable image')} skipped: {few(names, 20)}" if names else ""
