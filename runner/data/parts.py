"""Parts of a data set before they are cached: rows of one array in an order, so that no pixel is copied early."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runner.data.images import Images, Labels, Window
from runner.spec.problems import Kind, Problem, RequestError, shown

PARTS = ("train", "val", "test")
_CHUNK = 2**22  # bytes that are copied at once
_ALIKE = 0.9  # of a part's images


@dataclass(frozen=True)
class Rows:
    """Some images of an array (uint8, N x H x W x C) in an order, and the label of each."""

    source: Images
    index: npt.NDArray[np.int64]
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Images, height, width, channels."""
        return (len(self), *self.source.shape[1:])

    def take(self, chosen: npt.NDArray[np.int64]) -> Rows:
        """The rows at these places."""
        return Rows(self.source, self.index[chosen], self.labels[chosen])

    def chunks(self) -> Iterator[Images]:
        """The images in their order, some at a time."""
        count = max(1, _CHUNK // max(1, self.source[:1].nbytes))
        for start in range(0, len(self), count):
            yield self.source[self.index[start : start + count]]


Parts = dict[str, Rows]


@dataclass(frozen=True)
class Content:
    """What a source holds. The part "all" is a set that is still one.

    notes    what a person must know about how files became images
    window   the range of gray values of more than 8 bits, where there are any
    skipped  whether unreadable images were skipped
    """

    parts: Parts
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    window: Window | None = None
    skipped: bool = False


def in_order(images: Images, index: npt.NDArray[np.int64], labels: Labels, digests: Sequence[bytes]) -> Rows:
    """A part's rows, ordered by label and content; `digests` are those of the rows, as `labels` are."""
    order = np.array(sorted(range(len(labels)), key=lambda i: (labels[i], digests[i])), dtype=np.int64)
    return Rows(images, index[order], labels[order])


def alike_note(part: str, digests: Sequence[bytes], where: str) -> str:
    """What to say of a part whose images are nearly all alike; RequestError where all of train are one image."""
    counts = Counter(digests)
    if part not in ("val", "test") and len(counts) == 1 and len(digests) > 1:
        what = f"all {len(digests)} train images have the same pixels; there is nothing to learn from them."
        raise RequestError([Problem(Kind.DATA, where, what)])
    alike = sum(count for count in counts.values() if count > 1)
    if alike <= _ALIKE * len(digests):
        return ""
    return f"{alike:,} of {len(digests):,} {part} images have the same pixels as another one"


def few(names: Sequence[str], most: int = 3) -> str:
    """The first names of a list, and how many more there are."""
    rest = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def counted(number: int, thing: str) -> str:
    """A number of things in words."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def printable(name: str) -> str:
    """A file's name on one line, whatever is in it."""
    return shown(name, 200)[1:-1]
