"""Reads when each run started and ended its epochs, and its validation accuracy, from event files of any tool."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event

from runner.events import event_files, records

TAG = "val/accuracy"


@dataclass(frozen=True)
class Logged:
    """One run in the words of its event files.

    started   when its first event file was opened (seconds since 1970)
    ends      when its epochs ended
    accuracy  of validation after the last epoch
    """

    started: float
    ends: tuple[float, ...]
    accuracy: float


def read(folder: Path) -> Logged:
    """Reads the event files of a run's folder. Raises ValueError where none has a validation accuracy."""
    events = [Event.FromString(record) for path in event_files(folder) for record in records(path)]
    points = [
        (event.wall_time, value.simple_value)
        for event in events
        for value in event.summary.value
        if value.tag in (TAG, f"ray/tune/{TAG}")
    ]
    if not points:
        raise ValueError(f"{folder} has no scalar {TAG}")
    return Logged(min(event.wall_time for event in events), tuple(wall for wall, _ in points), points[-1][1])


def steady_seconds(runs: Sequence[Logged]) -> float:
    """Returns the seconds for one epoch of one run, from each run's second epoch on.

    Each moment is divided equally among the runs that train at it, whether in turn, side by side or in lockstep. The
    shares of first epochs are then left out.

    >>> steady_seconds([Logged(0, (2, 3, 4), 0.5), Logged(4, (6, 7, 8), 0.5)])  # in turn: 1 s an epoch
    1.0
    >>> steady_seconds([Logged(0, (2, 3, 4), 0.5), Logged(0, (2, 3, 4), 0.5)])  # side by side
    0.5
    """
    moments = sorted({moment for run in runs for moment in (run.started, *run.ends)})
    total = 0.0
    for began, ended in itertools.pairwise(moments):
        active = [run for run in runs if run.started <= began and ended <= run.ends[-1]]
        steady = [run for run in active if run.ends[0] <= began]
        total += (ended - began) * len(steady) / len(active) if active else 0.0
    return total / sum(len(run.ends) - 1 for run in runs)
