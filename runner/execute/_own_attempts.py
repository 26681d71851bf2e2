"""Finds a study's metrics in folders that a program names itself: a new one for each time that it starts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from runner.events import MARK
from runner.execute._own_scalars import event_files_below, left_scalars
from runner.store import StepRows


def left_metrics(folder: Path, names: Iterable[str], before: Collection[Path]) -> StepRows:
    """Returns the scalars that a program has left below a folder, by step.

    Scalars of a subfolder have the folder's path before their tag, except where the metrics `names` are only there:
    Lightning logs to lightning_logs/version_0 and, started again, to version_1. The folder with event files that were
    not there `before` the program's last start then counts, after what earlier attempts had logged before its first
    step. Where there are several such folders, none is chosen.
    """
    found = left_scalars(folder)
    known = {tag for row in found.values() for tag in row}
    missing = [name for name in names if name not in known]
    files = {
        place: those for place, those in _by_place(folder).items() if any(place + name in known for name in missing)
    }
    new = [place for place, those in files.items() if not those <= set(before)]
    if len(new) != 1:
        return found
    earlier = sorted(files.keys() - {*new}, key=lambda place: max(map(_begun, files[place])))
    places = [*earlier, *new]
    merged = {
        step: {tag: value for tag, value in row.items() if not tag.startswith(tuple(places))}
        for step, row in found.items()
    }
    for place in places:
        _take_over(merged, _below(found, place))
    return {step: row for step, row in merged.items() if row}


def _by_place(folder: Path) -> dict[str, set[Path]]:
    """Returns each subfolder's event files, by the subfolder's path with a slash after it."""
    found: dict[str, set[Path]] = {}
    for path in event_files_below(folder):
        if path.parent != folder:
            found.setdefault(path.parent.relative_to(folder).as_posix() + "/", set()).add(path)
    return found


def _begun(file: Path) -> float:
    """Returns when an event file was begun, in seconds since 1970, as its name says."""
    seconds = file.name.partition(f"{MARK}.")[2].partition(".")[0]
    return float(seconds) if seconds.isdecimal() else 0.0


def _below(found: Mapping[int, Mapping[str, float]], place: str) -> StepRows:
    """Returns the scalars of one folder by their tags alone."""
    return {
        step: {tag.removeprefix(place): value for tag, value in row.items() if tag.startswith(place)}
        for step, row in found.items()
    }


def _take_over(merged: StepRows, later: Mapping[int, Mapping[str, float]]) -> None:
    """Lets a later attempt replace what earlier ones logged from its first step on, tag by tag."""
    first: dict[str, int] = {}
    for step, row in later.items():
        for tag in row:
            first[tag] = min(first.get(tag, step), step)
    for step, row in merged.items():
        for tag in [tag for tag in row if step >= first.get(tag, step + 1)]:
            del row[tag]
    for step, new in later.items():
        merged[step].update(new)
