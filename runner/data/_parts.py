"""The parts of a data set before they are cached: ordered rows of one array, so that pixels are copied only once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runner.data._images import Images, Labels, Window
from runner.spec import Kind, Problem, RequestError, shown

PARTS = ("train", "val", "test")
_CHUNK = 2**22  # bytes copied at once
_ALIKE = 0.9  # a part with more duplicates than this share gets a note


@dataclass(frozen=True)
class Rows:
    """Ordered images of an array, with their labels.

    source  uint8, images x H x W x C
    index   N, the places of the chosen images in `source`
    labels  int64, N
    groups  int64, N: the group of each image, where the data set has groups
    """

    source: Images
    index: npt.NDArray[np.int64]
    labels: Labels
    groups: Labels | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """N, height, width and channels of the chosen images."""
        return (len(self), *self.source.shape[1:])

    def take(self, chosen: npt.NDArray[np.int64]) -> Rows:
        """Returns the rows at these places."""
        groups = None if self.groups is None else self.groups[chosen]
        return Rows(self.source, self.index[chosen], self.labels[chosen], groups)

    def chunks(self) -> Iterator[Images]:
        """Yields the images in order, about 4 MiB at a time: uint8, n x H x W x C."""
        count = max(1, _CHUNK // max(1, self.source[:1].nbytes))
        for start in range(0, len(self), count):
            yield self.source[self.index[start : start + count]]


Parts = dict[str, Rows]


@dataclass(frozen=True)
class Content:
    """The images of a source. The part "all" is a data set that is not yet split.

    notes    what you should know about how files became images
    window   the range of gray values of more than 8 bits, where there are any
    skipped  whether unreadable images were skipped
    """

    parts: Parts
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    window: Window | None = None
    skipped: bool = False


def in_order(rows: Rows, digests: Sequence[bytes]) -> Rows:
    """Returns a part's rows, ordered by label and then by content; `digests` has one entry for each row."""
    labels = rows.labels
    return rows.take(np.array(sorted(range(len(labels)), key=lambda i: (labels[i], digests[i])), dtype=np.int64))


def alike_note(part: str, digests: Sequence[bytes], where: str) -> str:
    """Returns a note on a part in which over 90% of the images are duplicates; else an empty text.

    `digests` has one entry for each image. Raises RequestError where all train images are the same.
    """
    counts = Counter(digests)
    if part not in ("val", "test") and len(counts) == 1 and len(digests) > 1:
        what = f"all {len(digests)} train images have the same pixels; expected different images."
        raise RequestError([Problem(Kind.DATA, where, what)])
    alike = sum(count for count in counts.values() if count > 1)
    if alike <= _ALIKE * len(digests):
        return ""
    return f"{alike:,} of {len(digests):,} {part} images have the same pixels as another one"


def few(names: Sequence[str], most: int = 3) -> str:
    """Lists the first names, and says how many more there are.

    >>> few(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    rest = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def printable(name: str) -> str:
    """Returns a file's name on one line, whatever characters it has."""
    return shown(name, 200)[1:-1]
