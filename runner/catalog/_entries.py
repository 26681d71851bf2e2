"""The fields that every entry of a table has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry of a table.

    name     how a study names it
    meaning  its description in the documentation
    source   the publication that introduced it, where there is one
    """

    name: str
    meaning: str
    source: str = ""


E = TypeVar("E", bound=Entry)


def by_name(*entries: E) -> dict[str, E]:
    """Returns a table of the entries by name. Documentation and messages keep their order."""
    return {entry.name: entry for entry in entries}
