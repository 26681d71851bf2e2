"""Text for people and other tools: Markdown tables, points in time."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], names: int = 1) -> str:
    """A Markdown table; its first `names` columns are words, the others numbers. Empty without rows.

    A cell is one line, whatever is in it: class names and settings may hold anything.
    """
    lines = [[" ".join(str(cell).replace("|", "\\|").split()) for cell in row] for row in (heads, *rows)]
    marks = ["---"] * names + ["--:"] * (len(heads) - names)
    lines.insert(1, marks)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if len(lines) > 2 else ""


def utc(seconds: float | None) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the second; empty where there are none."""
    if not seconds:
        return ""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")
