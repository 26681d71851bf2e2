"""Reads run names by patterns such as `{variant}/seed{seed}`.

A pattern is literal text and never a regular expression. Matching takes time in proportion to the length of the
pattern times the length of the name, whatever the pattern is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from runner.board.anyruns._query import QueryError, listed, quoted
from runner.spec import Kind

LONGEST = 300  # characters
ALL = "all runs"  # the variant where a pattern has no {variant}
_MOST_WILDCARDS = 8
_PLACE = re.compile(r"(\{variant\}|\{seed\}|\*+)")
_HOW = "A pattern is text with {variant}, {seed} and * for anything, such as {variant}/seed{seed}."
_DIGITS = frozenset("0123456789")


class Place(Enum):
    """A part of a pattern that is not literal."""

    VARIANT = "{variant}"  # one or more characters of any kind
    SEED = "{seed}"  # a whole number: all its digits
    ANY = "*"  # any characters within one folder's name, or none


Part = Place | str


class Found(NamedTuple):
    """What a pattern reads in a run's name: the end is where the seed's run ends and a run within it begins."""

    variant: str
    seed: str
    end: int


@dataclass(frozen=True)
class Pattern:
    """A pattern for run names. It has `{variant}`, `{seed}` or both; what a second `{variant}` reads is added."""

    text: str
    parts: tuple[Part, ...]

    @property
    def has_seed(self) -> bool:
        """Whether the pattern says where the seed is."""
        return Place.SEED in self.parts

    def match(self, name: str) -> Found | None:
        """Reads a run's name, or the folders that it begins with; None where it does not match.

        Placeholders take as much as they can, the first one first.

        >>> parse_pattern("{variant}/seed{seed}").match("mlp/lr=0.1/seed07/val")
        Found(variant='mlp/lr=0.1', seed='7', end=17)
        """
        return _match(self.parts, name)


def parse_pattern(text: str) -> Pattern:
    """Reads a pattern. Raises QueryError where it is empty, too long, or has unknown or missing placeholders.

    >>> parse_pattern("{variant}-s{seed}").parts
    (<Place.VARIANT: '{variant}'>, '-s', <Place.SEED: '{seed}'>)
    """
    if not text:
        raise QueryError(Kind.MISSING, f"The pattern is empty. {_HOW}")
    if len(text) > LONGEST:
        raise QueryError(Kind.LIMIT, f"The pattern has {len(text)} characters. Give one of at most {LONGEST}.")
    pieces = [piece for piece in _PLACE.split(text.replace("\\", "/")) if piece]
    parts: tuple[Part, ...] = tuple(_part(piece) for piece in pieces)
    if unknown := [piece for piece in parts if isinstance(piece, str) and ("{" in piece or "}" in piece)]:
        odd = re.findall(r"\{[^{}]*\}", unknown[0]) or re.findall(r"[{}]", unknown[0])
        raise QueryError(Kind.UNKNOWN, f"The pattern has {listed(odd)}, which is no placeholder. {_HOW}")
    if not {Place.VARIANT, Place.SEED} & set(parts):
        raise QueryError(Kind.MISSING, f"The pattern {quoted(text)} has neither {{variant}} nor {{seed}}. {_HOW}")
    if parts.count(Place.SEED) > 1:
        raise QueryError(Kind.DUPLICATE, f"The pattern {quoted(text)} has {{seed}} twice. Keep one; use * for others.")
    if sum(isinstance(part, Place) for part in parts) > _MOST_WILDCARDS:
        what = f"The pattern has more than {_MOST_WILDCARDS} placeholders and *. Use fewer."
        raise QueryError(Kind.LIMIT, what)
    return Pattern(text, parts)


def _part(piece: str) -> Part:
    if piece.startswith("*"):
        return Place.ANY
    return Place(piece) if piece in ("{variant}", "{seed}") else piece


@lru_cache(maxsize=20_000)  # a refresh asks for the same names again
def _match(parts: tuple[Part, ...], name: str) -> Found | None:
    name = name.replace("\\", "/")  # TensorBoard on Windows
    places = range(len(name) + 1)
    reach = [[place == len(name) or name[place] == "/" for place in places]]
    for part in reversed(parts):  # from which places it and all later parts match
        if part in (Place.VARIANT, Place.ANY):
            reach.append(_open(part, name, reach[-1]))
        else:
            reach.append([_farthest(part, name, start, reach[-1]) >= 0 for start in places])
    if not reach[-1][0]:
        return None
    variants, seed, start = [], "", 0
    for part, after in zip(parts, reversed(reach[:-1]), strict=True):
        end = _farthest(part, name, start, after)
        if part is Place.VARIANT:
            variants.append(name[start:end])
        elif part is Place.SEED:
            seed = name[start:end].lstrip("0") or "0"
        start = end
    return Found(", ".join(variants) or ALL, seed, start)


def _open(part: Part, name: str, after: list[bool]) -> list[bool]:
    """Returns the places from which `{variant}` or `*` can match, in one pass from the end."""
    found, possible = [False] * len(after), False
    for start in range(len(name), -1, -1):
        if part is Place.VARIANT:
            found[start] = possible
            possible = possible or after[start]
        else:
            possible = after[start] or (possible and start < len(name) and name[start] != "/")
            found[start] = possible
    return found


def _farthest(part: Part, name: str, start: int, after: list[bool]) -> int:
    """Returns the last place where a part that starts at `start` can end, such that the later parts match; or -1."""
    if isinstance(part, str):
        end = start + len(part)
        return end if name.startswith(part, start) and after[end] else -1
    if part is Place.SEED:
        if start and name[start - 1] in _DIGITS:
            return -1
        end = start
        while end < len(name) and name[end] in _DIGITS:
            end += 1
        return end if end > start and after[end] else -1
    last = len(name)
    if part is Place.ANY:
        folder_end = name.find("/", start)
        last = len(name) if folder_end < 0 else folder_end
    least = start + (part is Place.VARIANT)
    return next((end for end in range(last, least - 1, -1) if after[end]), -1)
