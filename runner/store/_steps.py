"""Reads and writes the metrics.csv of runs that the runner does not train, which has one row for each step."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from runner.files import replace

StepRows = dict[int, dict[str, float]]  # step to the metrics that were logged there
_STEP = "step"


def step_table(rows: Mapping[int, Mapping[str, float]], columns: Sequence[str]) -> str:
    """Returns the text of a metrics.csv: a row a step, in order; a cell is empty where a metric was not logged.

    >>> step_table({2: {"f1": 0.5}, 1: {"loss": 2.0}}, ["f1", "loss"])
    'step,f1,loss\\n1,,2.0\\n2,0.5,\\n'
    """
    cells = ([step, *(repr(float(rows[step][name])) if name in rows[step] else "" for name in columns)]
             for step in sorted(rows))  # fmt: skip
    return _lines([[_STEP, *columns], *cells])


def write_step_rows(path: Path, rows: StepRows, columns: Sequence[str]) -> None:
    """Replaces a metrics.csv and flushes it to the disk."""
    replace(path, lambda beside: beside.write_text(step_table(rows, columns), encoding="utf-8", newline=""))


def add_step_row(path: Path, step: int, row: Mapping[str, float], columns: Sequence[str]) -> None:
    """Appends a step to a metrics.csv that has these columns and all earlier steps."""
    with open(path, "a", newline="", encoding="utf-8") as file:
        file.write(step_table({step: row}, columns).partition("\n")[2])


def _lines(cells: Sequence[Sequence[object]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(cells)
    return file.getvalue()


def read_step_rows(path: Path) -> StepRows:
    """Reads a metrics.csv up to the first row that is not whole; none from a missing or another table.

    Of several rows at one step, the last counts.
    """
    rows: StepRows = {}
    try:
        text = path.read_text(encoding="utf-8")
        for row in csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1])):
            if None in row or None in row.values():
                break
            step = int(row.pop(_STEP))
            rows[step] = {name: float(cell) for name, cell in row.items() if cell}
    except (OSError, ValueError, KeyError, csv.Error):
        return rows
    return rows
