"""Class names as labels in pictures: short, different from one another, in letters that a font can draw."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from runner.text import escaped, one_line

WIDTH = 18  # characters
_LATIN = 0x250  # the fonts that both drawing libraries bring have all characters below
_ELLIPSIS = "…"


def class_labels(names: Sequence[str], width: float = WIDTH, measure: Callable[[str], float] = len) -> list[str]:
    """A label for each class, not wider than `width` as far as that goes, no two alike.

    A name that no font can draw becomes its number; `legend` says which is which. A name that is too wide is cut at its
    end; where that would make two alike, in its middle; where that would too, its number ends it.

    >>> class_labels(["cat", "a long name that ends in one", "a long name that ends in two"])
    ['cat', 'a long n…s in one', 'a long n…s in two']
    """
    strange = set(numbered(names))
    lines = [str(number) if number in strange else one_line(name) for number, name in enumerate(names)]
    labels = [_cut(line, width, measure) for line in lines]
    labels = _apart(labels, [_cut_inside(line, width, measure) for line in lines])
    return _apart(labels, [_cut(line, width, measure, f"…{number}") for number, line in enumerate(lines)])


def _apart(labels: list[str], others: list[str]) -> list[str]:
    """The labels, each that is there twice replaced by the other one."""
    counts = Counter(labels)
    return [other if counts[label] > 1 else label for label, other in zip(labels, others, strict=True)]


def _cut(text: str, width: float, measure: Callable[[str], float], tail: str = "") -> str:
    """The text as far as it fits with its tail; "…" stands for what is cut."""
    if measure(text + tail) <= width:
        return text + tail
    end = tail or "…"
    while text and measure(text + end) > width:
        text = text[:-1]
    return text + end


def _cut_inside(text: str, width: float, measure: Callable[[str], float]) -> str:
    """The text's beginning and end, as much of each as fits."""
    if measure(text) <= width:
        return text
    size = len(text) // 2
    while size and measure(f"{text[:size]}…{text[-size:]}") > width:
        size -= 1
    return f"{text[:size]}…{text[-size:]}" if size else "…"


def numbered(names: Sequence[str]) -> list[int]:
    """The places of the names for which numbers stand, since no font can draw them beside the others."""
    if not (strange := _strange(names)) or _font(strange):
        return []
    return [number for number, name in enumerate(names) if _strange([name])]


def legend(names: Sequence[str], write: Callable[[str], str] = escaped) -> str:
    """Which number is which class, as a clause of Markdown; empty where every name is drawn."""
    return ", ".join(f"{number} = {write(names[number])}" for number in numbered(names))


def font_for(names: Sequence[str]) -> Path | None:
    """The file of one font that can write all these names; None where every font can, or none."""
    strange = _strange(names)
    return _font(strange) if strange else None


def _strange(names: Sequence[str]) -> frozenset[str]:
    """The characters that not every font has."""
    return frozenset(c for name in names for c in name if ord(c) >= _LATIN and c != _ELLIPSIS)


@cache
def _font(characters: frozenset[str]) -> Path | None:
    """The file of an installed font that has all these characters, DejaVu Sans before others; None without one."""
    from matplotlib.font_manager import fontManager  # takes a while, and is seldom needed
    from matplotlib.ft2font import FT2Font

    codes = {ord(character) for character in characters}
    fonts = [entry for entry in fontManager.ttflist if not re.search("last ?resort", entry.name, re.IGNORECASE)]
    fonts.sort(key=lambda entry: (entry.name != "DejaVu Sans", entry.style != "normal", str(entry.weight) != "400"))
    for entry in fonts:
        try:
            if codes <= FT2Font(entry.fname).get_charmap().keys():
                return Path(entry.fname)
        except (OSError, RuntimeError):  # one that is gone, or that FreeType refuses
            continue
    return None
