"""Reads the scalars that a study's own command has left."""

from __future__ import annotations

import csv
from contextlib import suppress
from pathlib import Path

from runner.events import MARK, is_event_file, read_scalars
from runner.store import StepRows


def event_files_below(folder: Path) -> frozenset[Path]:
    """Returns the event files in a folder and below."""
    return frozenset(path for path in folder.rglob(f"*{MARK}*") if is_event_file(path.name))


def left_scalars(folder: Path) -> StepRows:
    """Returns the scalars of all event files below a folder, or else of a metrics.csv with a column `step`.

    A tag of a subfolder begins with the folder's path. Where a step was logged twice, the later value counts.
    """
    found: StepRows = {}
    for place in sorted({path.parent for path in event_files_below(folder)}):
        prefix = "" if place == folder else place.relative_to(folder).as_posix() + "/"
        for tag, steps in read_scalars(place).values.items():
            for step, value in steps.items():
                found.setdefault(step, {})[prefix + tag] = value
    return found or _table(folder / "metrics.csv")


def _table(path: Path) -> StepRows:
    found: StepRows = {}
    with suppress(OSError, csv.Error), open(path, newline="", encoding="utf-8", errors="replace") as file:
        for number, row in enumerate(csv.DictReader(file)):
            numbers = {name: _number(text) for name, text in row.items() if name and isinstance(text, str)}
            step = numbers.pop("step", None)
            known = {name: value for name, value in numbers.items() if value is not None}
            found.setdefault(int(step) if step is not None else number, {}).update(known)
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
