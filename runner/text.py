"""Text for people and other tools: Markdown tables, points in time."""

from __future__ import annotations

import codecs
import datetime
import io
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.console import Console

_LATEST = 1e11  # seconds since 1970; the calendar ends later


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], names: int = 1) -> str:
    """A Markdown table; its first `names` columns are words, the others numbers. Empty without rows.

    A cell is one line, whatever is in it: class names and settings may hold anything.
    """
    lines = [[" ".join(str(cell).replace("|", "\\|").split()) for cell in row] for row in (heads, *rows)]
    marks = ["---"] * names + ["--:"] * (len(heads) - names)
    lines.insert(1, marks)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if len(lines) > 2 else ""


def utc(seconds: object) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the second; empty where it is no such number."""
    if not isinstance(seconds, int | float) or not 0 < seconds < _LATEST:
        return ""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")


_SPELLED = {"±": "+/-", "≥": ">=", "≤": "<=", "×": "x", "–": "-", "—": "-", "→": "->", "…": "...", "’": "'"}


def accept_any_text(stream: TextIO) -> None:
    """Has a stream spell, or replace by ?, what its encoding lacks (ASCII has no ±), instead of raising."""
    codecs.register_error("runner.spelled", _spelled)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="runner.spelled")


def _spelled(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_SPELLED.get(character, "?") for character in text), error.end


def plain_console(width: int | None = None) -> Console:
    """A console that prints what it is given as it stands: names, docstrings and causes may hold [brackets]."""
    return Console(width=width, markup=False, highlight=False)
