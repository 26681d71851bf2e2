"""Event files: reads their scalars, and writes scalars as events. Checksums are computed in C, records read once."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import google_crc32c
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.util.tensor_util import make_ndarray

from runner.adopt._runs import Steps

MARK = "events.out.tfevents"
_SCALARS = "scalars"  # the plugin that new-style scalars name
_HEAD, _TAIL = 12, 4  # bytes around a record: its length with a checksum, and its own checksum


@dataclass
class Scalars:
    """The scalars of the event files of one directory.

    doubled  whether a step was logged more than once, as by a resumed run: the value written last counts
    torn     how many files end in a corrupt record; the rest of such a file is skipped
    """

    values: dict[str, Steps] = field(default_factory=dict)
    walls: dict[int, float] = field(default_factory=dict)
    files: int = 0
    torn: int = 0
    doubled: bool = False
    started: float = 0.0
    ended: float = 0.0


def read_scalars(folder: Path) -> Scalars:
    """Reads the event files directly in a folder, oldest first. Raises OSError."""
    found, plugins = Scalars(), dict[str, str]()
    files = [path for path in folder.iterdir() if MARK in path.name and path.is_file()]
    for path in sorted(files, key=lambda path: (list(map(int, re.findall(r"\d+", path.name)))[:1], path.name)):
        found.files += 1
        try:
            for record in _records(path):
                _take(Event.FromString(record), found, plugins)
        except (DecodeError, EOFError):
            found.torn += 1
    return found


def _take(event: Event, found: Scalars, plugins: dict[str, str]) -> None:
    if event.HasField("session_log") and event.session_log.status == SessionLog.START:
        _purge(found, event.step)
    for value in event.summary.value:
        if value.HasField("metadata"):
            plugins[value.tag] = value.metadata.plugin_data.plugin_name
        kind = value.WhichOneof("value")
        if kind == "simple_value":
            number = value.simple_value
        elif kind == "tensor" and plugins.get(value.tag) == _SCALARS:
            number = float(make_ndarray(value.tensor).reshape(-1)[0])
        else:
            continue
        steps = found.values.setdefault(value.tag, {})
        found.doubled = found.doubled or event.step in steps
        steps[event.step] = number
        found.walls[event.step] = event.wall_time
        found.started = min(found.started or event.wall_time, event.wall_time)
        found.ended = max(found.ended, event.wall_time)


def _purge(found: Scalars, step: int) -> None:
    """Forgets what an earlier attempt logged from this step on, as TensorBoard does."""
    for steps in found.values.values():
        for each in [each for each in steps if each >= step]:
            del steps[each]
            found.doubled = True


def _records(path: Path) -> Iterator[bytes]:
    """Yields the file's records. Raises EOFError at one that is torn or corrupt."""
    with open(path, "rb") as file:
        while head := file.read(_HEAD):
            if len(head) < _HEAD or head[8:] != _checksum(head[:8]):
                raise EOFError
            (length,) = struct.unpack("<Q", head[:8])
            data, tail = file.read(length), file.read(_TAIL)
            if len(data) < length or tail != _checksum(data):
                raise EOFError
            yield data


def events_of(scalars: Mapping[str, Steps], walls: Mapping[int, float], started: float) -> bytes:
    """Returns the content of an event file with these scalars: one event a step, in order."""
    events = [Event(wall_time=started, file_version="brain.Event:2")]
    by_step: dict[int, list[Summary.Value]] = {}
    for tag, steps in scalars.items():
        for step, number in steps.items():
            by_step.setdefault(step, []).append(Summary.Value(tag=tag, simple_value=number))
    for step, values in sorted(by_step.items()):
        events.append(Event(wall_time=walls.get(step, started), step=step, summary=Summary(value=values)))
    return b"".join(_framed([event.SerializeToString() for event in events]))


def _framed(records: Sequence[bytes]) -> Iterator[bytes]:
    for data in records:
        length = struct.pack("<Q", len(data))
        yield length + _checksum(length) + data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    """Returns the masked CRC-32C of TensorFlow's record files."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
