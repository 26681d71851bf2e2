"""Shows progress while images are read: a bar in a terminal or notebook, elsewhere a line every few seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from runner.text import plain_console
from runner.ticker import is_live

_FIRST, _EVERY = 1.0, 5.0  # seconds until the first line, and between two


class _Lines:
    """Counts, and prints plain lines."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._done = what, total, 0
        self._began = time.monotonic()
        self._next = _FIRST

    def advance(self, count: int) -> None:
        self._done += count
        elapsed = time.monotonic() - self._began
        if elapsed >= self._next and self._done < self._total:
            left = elapsed * (self._total - self._done) / self._done
            said = f"{self._what}: {self._done:,} of {self._total:,} images, about {left:.0f} s left"
            plain_console().print(said, soft_wrap=True)
            self._next = elapsed + _EVERY


class _Bar:
    def __init__(self, progress: Progress, what: str, total: int) -> None:
        self._progress, self._task = progress, progress.add_task(what, total=total)

    def advance(self, count: int) -> None:
        self._progress.advance(self._task, count)


@contextmanager
def counting(what: str, total: int) -> Iterator[_Bar | _Lines]:
    """Yields a progress display; call its `advance(count)` after each `count` of `total` images."""
    console = plain_console()
    if not (is_live(console) or console.is_jupyter):
        yield _Lines(what, total)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:,} of {task.total:,}"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        yield _Bar(progress, what, total)
