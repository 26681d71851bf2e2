"""Reads the scalars that other programs have logged."""

from __future__ import annotations

import csv
from contextlib import suppress
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

Logged = dict[int, dict[str, float]]  # step -> scalars


def read_scalars(folder: Path) -> Logged:
    """Reads the scalars of all event files below a folder, or else of a metrics.csv with a column `step`.

    A tag of a subfolder begins with the folder's path. Where a step was logged twice, the later value counts.
    """
    found: Logged = {}
    for place in sorted({path.parent for path in folder.rglob("events.out.tfevents.*")}):
        prefix = "" if place == folder else place.relative_to(folder).as_posix() + "/"
        events = EventAccumulator(str(place), size_guidance={"scalars": 0, "tensors": 0})
        events.Reload()
        for tag in events.Tags()["scalars"]:
            for event in sorted(events.Scalars(tag), key=lambda event: event.wall_time):
                found.setdefault(event.step, {})[prefix + tag] = float(event.value)
        for tag in events.Tags()["tensors"]:  # as TensorFlow 2 and add_scalar(new_style=True) write scalars
            for each in sorted(events.Tensors(tag), key=lambda event: event.wall_time):
                if not each.tensor_proto.tensor_shape.dim and each.tensor_proto.float_val:
                    found.setdefault(each.step, {})[prefix + tag] = float(each.tensor_proto.float_val[0])
    return found or _table(folder / "metrics.csv")


def _table(path: Path) -> Logged:
    found: Logged = {}
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
