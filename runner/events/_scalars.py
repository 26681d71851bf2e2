"""Reads the scalars and hparams of event files, each record once."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.plugins.hparams import metadata
from tensorboard.util.tensor_util import make_ndarray

from runner.events._hparams import SessionStart, read_session_start
from runner.events._records import Torn, event_files, records

Steps = dict[int, float]  # step to value, in no order
_SCALARS = "scalars"  # the plugin that new-style scalars name


@dataclass
class Scalars:
    """The scalars of the event files of one directory, and its last hparams.

    values   tag to its steps. Where a step was logged more than once, the value written last counts
    walls    step to when its last value was written (seconds since 1970), as `started` and `ended`
    doubled  whether a step was logged more than once, as by a resumed run
    torn     how many files end in a corrupt record; the rest of such a file is skipped
    """

    values: dict[str, Steps] = field(default_factory=dict)
    walls: dict[int, float] = field(default_factory=dict)
    session: SessionStart | None = None
    files: int = 0
    torn: int = 0
    doubled: bool = False
    started: float = 0.0
    ended: float = 0.0


def read_scalars(folder: Path) -> Scalars:
    """Reads the event files directly in a folder. Raises OSError."""
    reader = _Reader()
    for path in event_files(folder):
        reader.found.files += 1
        try:
            for record in records(path):
                reader.take(Event.FromString(record))
        except (DecodeError, Torn):
            reader.found.torn += 1
    return reader.found


class _Reader:
    """Collects the scalars of events, file by file."""

    def __init__(self) -> None:
        self.found = Scalars()
        self._plugins: dict[str, str] = {}  # of tags; only a tag's first value names its plugin
        self._walls: dict[str, dict[int, float]] = {}

    def take(self, event: Event) -> None:
        if event.HasField("session_log") and event.session_log.status == SessionLog.START:
            self._purge(event.step)
        for value in event.summary.value:
            if value.HasField("metadata"):
                plugin = value.metadata.plugin_data
                self._plugins[value.tag] = plugin.plugin_name
                if plugin.plugin_name == metadata.PLUGIN_NAME:
                    self.found.session = read_session_start(plugin.content) or self.found.session
            kind = value.WhichOneof("value")
            if kind == "simple_value":
                self._add(value.tag, event, value.simple_value)
            elif kind == "tensor" and self._plugins.get(value.tag) == _SCALARS:
                array = make_ndarray(value.tensor)
                if array.size == 1 and array.dtype.kind in "iuf":
                    self._add(value.tag, event, float(array.reshape(-1)[0]))

    def _add(self, tag: str, event: Event, number: float) -> None:
        found, step, wall = self.found, event.step, event.wall_time
        steps, walls = found.values.setdefault(tag, {}), self._walls.setdefault(tag, {})
        found.doubled = found.doubled or step in steps
        if wall >= walls.get(step, -math.inf):  # of two files that were written at a time, the names tell no order
            steps[step], walls[step] = number, wall
        found.walls[step] = max(wall, found.walls.get(step, wall))
        found.started = min(found.started or wall, wall)
        found.ended = max(found.ended, wall)

    def _purge(self, step: int) -> None:
        """Forgets what an earlier attempt logged from this step on, as TensorBoard does."""
        for tag, steps in self.found.values.items():
            for each in [each for each in steps if each >= step]:
                del steps[each], self._walls[tag][each]
                self.found.doubled = True
