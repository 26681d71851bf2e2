"""Says now and then how far the work is, where there is no live display: in pipes, notebooks, dumb terminals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from rich.console import Console

EVERY = 20.0  # seconds without a line until the next one


def is_live(console: Console) -> bool:
    """Whether the console can redraw lines."""
    return console.is_terminal and not console.is_dumb_terminal


class Ticker:
    """Prints a line whenever nothing was printed for a while. A context: it ticks while it is open."""

    def __init__(self, console: Console, line: Callable[[], str], every: float | None = None) -> None:
        """`line` returns what to print, in another thread; an empty text prints nothing."""
        self._console, self._line = console, line
        self._every = EVERY if every is None else every
        self._last = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Ticker:
        self.printed()
        if not is_live(self._console):
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def printed(self) -> None:
        """Notes that something else was printed just now."""
        self._last = time.monotonic()

    def _tick(self) -> None:
        while not self._over.wait(max(self._last + self._every - time.monotonic(), self._every / 20)):
            if time.monotonic() < self._last + self._every:
                continue
            with suppress(OSError, ValueError):  # nobody listens any more; the next line of the command says so
                if said := self._line():
                    self._console.print(said, soft_wrap=True)
            self.printed()
