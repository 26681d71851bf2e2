"""Text for people and other tools: Markdown tables, points in time."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence

from rich.console import Console

_LATEST = 1e11  # seconds since 1970; the calendar ends later
_CONTROLS = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069]")


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], names: int = 1) -> str:
    """A Markdown table; its first `names` columns are words, the others numbers. Empty without rows.

    A cell is one line, whatever is in it: class names and settings may hold anything.
    """
    lines = [[" ".join(str(cell).replace("|", "\\|").split()) for cell in row] for row in (heads, *rows)]
    marks = ["---"] * names + ["--:"] * (len(heads) - names)
    lines.insert(1, marks)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if len(lines) > 2 else ""


def one_line(text: str) -> str:
    """Text on one line: no line breaks, no control characters, no marks that change the direction of writing.

    >>> one_line(" a\\n  b\\x1b[0m ")
    'a b [0m'
    """
    return " ".join(_CONTROLS.sub(" ", text).split())


def utc(seconds: object) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the second; empty where it is no such number."""
    if not isinstance(seconds, int | float) or not 0 < seconds < _LATEST:
        return ""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")


def plain_console(width: int | None = None) -> Console:
    """A console that prints what it is given as it stands: names, docstrings and causes may hold [brackets]."""
    return Console(width=width, markup=False, highlight=False)
