"""Writes what a study's own training logs: scalars for TensorBoard, and metrics.csv with a row for each step."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from runner.events import Hparam, event_files, session_end, session_start
from runner.logs._events import drop_from, open_writer
from runner.logs._text import settings_table
from runner.store import add_step_row, read_step_rows, result_tag, write_step_rows


class OwnLog:
    """One run's log. `rows` has the metrics of each step, as far as they were logged.

    A run that was stopped is called again. What it logs then takes the place of what it had logged from that step on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._table = folder / "metrics.csv"
        self.rows = read_step_rows(self._table)
        self._is_resumed = bool(self.rows)
        self._columns = list(dict.fromkeys(name for row in self.rows.values() for name in row))
        self._writer: SummaryWriter | None = None

    @property
    def writer(self) -> SummaryWriter:
        """The run's own SummaryWriter."""
        if self._writer is None:
            self._writer = open_writer(self.folder, max_queue=1000, flush_secs=10)
        return self._writer

    def begin(
        self, settings: Mapping[str, Any], changes: Mapping[str, Any], values: dict[str, Hparam], group: str
    ) -> None:
        """Writes settings, changes and hparams, where the run begins for the first time."""
        if self._is_resumed:
            return
        for path in event_files(self.folder):  # of an attempt that logged nothing
            path.unlink()
        self.writer.add_text("settings", settings_table(settings, "setting", "value"))
        self.writer.add_text(
            "changes", settings_table(changes, "changed", "to") if changes else "This is the baseline."
        )
        self._add(session_start(values, group), 0)
        self.writer.flush()

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Logs the metrics of a step."""
        if self._is_resumed:
            self._is_resumed = False
            self.rows = {known: row for known, row in self.rows.items() if known < step}
            drop_from(self.folder, step)
            self._write()
        for name, value in metrics.items():
            self.writer.add_scalar(name, value, step)
        is_next = not self.rows or step > max(self.rows)
        self.rows.setdefault(step, {}).update(metrics)
        if is_next and set(metrics) <= set(self._columns) and self._table.exists():
            add_step_row(self._table, step, self.rows[step], self._columns)
        else:
            self._columns = list(dict.fromkeys([*self._columns, *metrics]))
            self._write()

    def end(self, succeeded: bool, finals: Mapping[str, float] | None = None, cause: str = "") -> None:
        """Writes the final metrics by their names, or why the run failed, and the final status."""
        step = max(self.rows, default=0)
        for name, value in (finals or {}).items():
            self.writer.add_scalar(result_tag(name), value, step)
        if cause:
            self.writer.add_text("failure", cause, step)
        self._add(session_end(succeeded, time.time()), step)
        self.close()

    def close(self) -> None:
        """Closes the event file; the next attempt goes on."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _add(self, summary: Any, step: int) -> None:
        self.writer._get_file_writer().add_summary(summary, step)

    def _write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_step_rows(self._table, self.rows, self._columns)


def at_best(rows: Mapping[int, Mapping[str, float]], names: Mapping[str, int], monitor: str) -> dict[str, float]:
    """Returns each metric at the best step of `monitor`, or without one at its last step.

    `names` are the metrics with 1 where higher is better, -1 where lower is. A metric that was not logged at the best
    step has its last value before it; one that was never logged is missing. A monitor that is never a number has no
    best step: then the last step counts.

    >>> at_best({1: {"f1": 0.5, "loss": 2.0}, 2: {"f1": 0.7}, 3: {"f1": 0.6}}, {"f1": 1, "loss": -1}, "f1")
    {'f1': 0.7, 'loss': 2.0}
    """
    steps = sorted(rows)
    known = [step for step in steps if not math.isnan(rows[step].get(monitor, math.nan))]
    best = max(known, key=lambda step: rows[step][monitor] * names.get(monitor, 1), default=None) if monitor else None
    last = best if best is not None else (steps[-1] if steps else 0)
    found = {}
    for name in names:
        values = [rows[step][name] for step in steps if step <= last and name in rows[step]]
        if values:
            found[name] = values[-1]
    return found
