"""Writes the means of variants over their seeds while they train."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from runner.execute._messages import Message
from runner.expand import Run
from runner.files import lock
from runner.store import FAILED, FINISHED
from runner.summaries import seed_tables, write_columns, write_mean

_MEAN_SECONDS = 10  # between two means of a variant while none of its runs ends
_MOST_TIME = 0.01  # the share of the runner's time that a variant's means may take, but for the last one


class Means:
    """Writes each variant's mean over seeds while they train, and when they end."""

    def __init__(self, runs: Path, pending: Iterable[Run], console: Console) -> None:
        """`runs` is the directory of all runs, `pending` are the runs that the command trains."""
        self._runs, self._console = runs, console
        self._pending = {run: run.folder.parent for run in pending}
        self._open = Counter(self._pending.values())  # how many runs of a variant have not ended
        self._due: dict[Path, float] = {}  # when a variant's mean may be written again at a run's end
        self._diverged: set[Path] = set()

    def on_message(self, message: Message) -> None:
        """Writes the mean of the message's variant, where that is due or all its runs have ended."""
        if message.kind not in ("epoch", FINISHED, FAILED):
            return
        run, folder = message.run, message.run.folder.parent
        ended = message.kind != "epoch"
        if ended:
            self._open[folder] -= self._pending.pop(run, None) is not None
        last = ended and self._open[folder] <= 0
        now, wait = time.monotonic(), 0 if ended else _MEAN_SECONDS
        if last or now >= self._due.setdefault(folder, now) + wait:
            self._write(run, folder)

    def _write(self, run: Run, folder: Path) -> None:
        """Writes the mean. An error is only printed, because no run depends on it."""
        began = time.monotonic()
        try:
            with lock(self._runs):
                tables = seed_tables(self._runs / folder, run.folder.name)
                diverged = write_mean(self._runs / folder / "mean", *tables, run.own.metrics if run.own else ())
            if diverged and folder not in self._diverged:
                self._diverged.add(folder)
                write_columns(self._runs)  # its charts
        except OSError as error:
            self._console.print(f"{self._runs / folder / 'mean'} can't be written: {error}")
        now = time.monotonic()
        self._due[folder] = now + (now - began) / _MOST_TIME
