"""Groups of images, such as those of one patient, which are never in two parts."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from runner.data._images import Labels
from runner.data._parts import few, printable
from runner.files import expanded
from runner.spec import Kind, Problem, RequestError, shown
from runner.text import counted

_COLUMNS = ("image", "group")


def read_groups(path: str, images: Sequence[str]) -> dict[str, str]:
    """Returns the group of each image, from a CSV file with the columns image and group.

    `images` are paths in the data set's folder, with "/". Raises RequestError where the file can't be read, or names no
    group for an image. Rows about other images are ignored.
    """
    where = f"groups {path}"
    try:
        with open(expanded(Path(path)), encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise RequestError(
            [Problem(Kind.PATH, where, f"can't be read as a CSV file ({error}); write it anew.")]
        ) from error
    if not rows or not set(_COLUMNS) <= rows[0].keys():
        what = f"has the columns {', '.join(map(str, rows[0])) if rows else 'none'}; expected image and group."
        raise RequestError([Problem(Kind.DATA, where, what)])
    known = {str(row["image"]).replace("\\", "/").removeprefix("./"): row["group"] for row in rows}
    lacking = [printable(name) for name in images if not known.get(name)]
    if lacking:
        what = f"names no group for {counted(len(lacking), 'image')}: {few(lacking)}; add rows with these paths."
        raise RequestError([Problem(Kind.DATA, where, what)])
    return {name: str(known[name]) for name in images}


def numbered(groups: Mapping[str, Sequence[object]], where: str) -> dict[str, Labels]:
    """Returns the groups of each part's images as numbers. Raises RequestError where two parts share a group.

    >>> numbered({"train": ["bob", "ann", "bob"], "test": ["eve"]}, "scans")
    {'train': array([1, 0, 1]), 'test': array([2])}
    """
    names = {part: sorted({str(group) for group in own}) for part, own in groups.items()}
    part_of: dict[str, str] = {}
    for part, own in names.items():
        for name in own:
            if (other := part_of.setdefault(name, part)) != part:
                what = f'group {shown(name)} has images in "{other}" and in "{part}"; expected it in one part only.'
                raise RequestError([Problem(Kind.DATA, where, what)])
    number = {name: k for k, name in enumerate(part_of)}
    return {part: np.array([number[str(group)] for group in own], dtype=np.int64) for part, own in groups.items()}
