"""Reads and writes metrics.csv, which has one row for each epoch of a run."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from runner.files import replace
from runner.store._tags import EPOCH_SCALARS, MONITORED_SCALARS

Row = dict[str, float]  # `epoch`, EPOCH_SCALARS, and of MONITORED_SCALARS what the run has
_COLUMNS = ("epoch", *EPOCH_SCALARS)


def read_rows(path: Path) -> list[Row]:
    """Reads the rows of a metrics.csv up to the first incomplete one; none from a table with other columns."""
    rows: list[Row] = []
    if not path.is_file():
        return rows
    with open(path, newline="", errors="replace") as file, suppress(TypeError, ValueError, csv.Error):
        for row in csv.DictReader(file):
            values = {key: float(value) for key, value in row.items()}
            if not values.keys() >= set(_COLUMNS):
                break
            rows.append(values)
    return rows


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Replaces a metrics.csv and flushes it to the disk. All rows have the same columns."""

    def write(beside: Path) -> None:
        with open(beside, "w", newline="") as file:
            writer = csv.DictWriter(file, _columns(rows[0] if rows else {}))
            writer.writeheader()
            writer.writerows(rows)

    replace(path, write)


def add_row(path: Path, row: Row) -> None:
    """Appends an epoch to a metrics.csv that has all earlier epochs; the first one decides the columns."""
    if row["epoch"] == 1:
        write_rows(path, [row])
        return
    with open(path, "a", newline="") as file:
        csv.DictWriter(file, _columns(row)).writerow(row)


def _columns(row: Row) -> tuple[str, ...]:
    return (*_COLUMNS, *(name for name in MONITORED_SCALARS if name in row))
