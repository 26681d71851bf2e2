"""Turns class names into labels for pictures: short, different from one another, with characters a font can draw."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from runner.text import escaped, one_line

WIDTH = 18  # characters
_LATIN = 0x250  # the fonts of both drawing libraries have all characters below this one
_ELLIPSIS = "…"


def class_labels(names: Sequence[str], width: float = WIDTH, measure: Callable[[str], float] = len) -> list[str]:
    """Returns a different label for each class, where possible not wider than `width`.

    `measure` returns the width of a text. A name that no font can draw becomes its number, which `legend` explains. A
    name that is too wide is cut at its end. Where two labels are then equal, both are cut in the middle instead. Where
    they are still equal, each ends in its number.

    >>> class_labels(["cat", "a long name that ends in one", "a long name that ends in two"])
    ['cat', 'a long n…s in one', 'a long n…s in two']
    """
    strange = set(numbered(names))
    lines = [str(number) if number in strange else one_line(name) for number, name in enumerate(names)]
    labels = [_cut(line, width, measure) for line in lines]
    labels = _apart(labels, [_cut_inside(line, width, measure) for line in lines])
    return _apart(labels, [_cut(line, width, measure, f"…{number}") for number, line in enumerate(lines)])


def _apart(labels: list[str], others: list[str]) -> list[str]:
    """Replaces each label that occurs more than once by the label at the same place in `others`."""
    counts = Counter(labels)
    return [other if counts[label] > 1 else label for label, other in zip(labels, others, strict=True)]


def _cut(text: str, width: float, measure: Callable[[str], float], tail: str = "") -> str:
    """Cuts a text so that it fits together with its tail, by default "…"."""
    if measure(text + tail) <= width:
        return text + tail
    end = tail or "…"
    while text and measure(text + end) > width:
        text = text[:-1]
    return text + end


def _cut_inside(text: str, width: float, measure: Callable[[str], float]) -> str:
    """Cuts a text in its middle, so that it fits."""
    if measure(text) <= width:
        return text
    size = len(text) // 2
    while size and measure(f"{text[:size]}…{text[-size:]}") > width:
        size -= 1
    return f"{text[:size]}…{text[-size:]}" if size else "…"


def numbered(names: Sequence[str]) -> list[int]:
    """Returns the places of the names that become numbers, because no one font can draw them all."""
    if not (strange := _strange(names)) or _font(strange):
        return []
    return [number for number, name in enumerate(names) if _strange([name])]


def legend(names: Sequence[str], write: Callable[[str], str] = escaped) -> str:
    """Explains the numbers of classes in Markdown, such as "0 = name"; empty where every name can be drawn."""
    return ", ".join(f"{number} = {write(names[number])}" for number in numbered(names))


def font_for(names: Sequence[str]) -> Path | None:
    """Returns the file of a font that can draw all these names; None where every font can, or none."""
    strange = _strange(names)
    return _font(strange) if strange else None


def _strange(names: Sequence[str]) -> frozenset[str]:
    """Returns the characters that some fonts lack."""
    return frozenset(c for name in names for c in name if ord(c) >= _LATIN and c != _ELLIPSIS)


@cache
def _font(characters: frozenset[str]) -> Path | None:
    """Returns the file of an installed font that has all these characters, preferring DejaVu Sans; else None."""
    from matplotlib.font_manager import fontManager  # slow to import, and rarely needed
    from matplotlib.ft2font import FT2Font

    codes = {ord(character) for character in characters}
    fonts = [entry for entry in fontManager.ttflist if not re.search("last ?resort", entry.name, re.IGNORECASE)]
    fonts.sort(key=lambda entry: (entry.name != "DejaVu Sans", entry.style != "normal", str(entry.weight) != "400"))
    for entry in fonts:
        try:
            if codes <= FT2Font(entry.fname).get_charmap().keys():
                return Path(entry.fname)
        except (OSError, RuntimeError):  # the file is gone, or FreeType can't read it
            continue
    return None
