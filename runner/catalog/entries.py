"""What every entry of a table has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something that a study may name.

    name     how a study names it
    meaning  what it is, as documentation says it
    source   the publication that it comes from, where there is one
    """

    name: str
    meaning: str
    source: str = ""


E = TypeVar("E", bound=Entry)


def by_name(*entries: E) -> dict[str, E]:
    """The table of the entries: each by its name, in the order that documentation and messages have."""
    return {entry.name: entry for entry in entries}
