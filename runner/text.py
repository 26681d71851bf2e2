"""Markdown tables, for GitHub and for TensorBoard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], names: int = 1) -> str:
    """A Markdown table; its first `names` columns are words, the others numbers. Empty without rows.

    A cell is one line, whatever is in it: class names and settings may hold anything.
    """
    lines = [[" ".join(str(cell).replace("|", "\\|").split()) for cell in row] for row in (heads, *rows)]
    marks = ["---"] * names + ["--:"] * (len(heads) - names)
    lines.insert(1, marks)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if len(lines) > 2 else ""
