"""Reads and writes metrics.csv, which has one row for each epoch of a run."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from runner.files import replace
from runner.store._tags import EPOCH_SCALARS

Row = dict[str, float]  # `epoch` and EPOCH_SCALARS
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
    """Replaces a metrics.csv and flushes it to the disk."""

    def write(beside: Path) -> None:
        with open(beside, "w", newline="") as file:
            writer = csv.DictWriter(file, _COLUMNS)
            writer.writeheader()
            writer.writerows(rows)

    replace(path, write)


def add_row(path: Path, row: Row) -> None:
    """Appends an epoch to a metrics.csv that has all earlier epochs."""
    with open(path, "a", newline="") as file:
        csv.DictWriter(file, _COLUMNS).writerow(row)
