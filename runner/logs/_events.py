"""Reads and rewrites event files, so that a resumed run has only the events of the epochs that it resumes after."""

from __future__ import annotations

import re
import struct
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import google_crc32c
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.hparams import metadata
from tensorboard.summary.writer.event_file_writer import _AsyncWriterThread

from runner.files import replace
from runner.store import EPOCH_SCALARS, FINAL_PREFIXES

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

EVALUATION_SUFFIX = ".evaluation"
RUN_SUFFIX = ".run"  # of a run's event file; older versions wrote none, and other tags for final values
_BEGINNING = (metadata.SESSION_START_INFO_TAG, "settings/text_summary", "changes/text_summary")  # tags
_AROUND = 16  # bytes around a record: its length and the length's checksum before it, its own checksum after it


def event_files(folder: Path) -> list[Path]:
    """Returns the event files directly in a folder, oldest first: their names have seconds and a counter."""
    return sorted(folder.glob("events.out.tfevents.*"), key=lambda path: list(map(int, re.findall(r"\d+", path.name))))


def is_older_run(folder: Path) -> bool:
    """Whether only an older version wrote a run's events, so that its final values have other tags."""
    names = [path.name for path in event_files(folder) if not path.name.endswith(EVALUATION_SUFFIX)]
    return bool(names) and not any(name.endswith(RUN_SUFFIX) for name in names)


def open_writer(folder: Path, **options: Any) -> SummaryWriter:
    """Opens a SummaryWriter for a folder, with torch's own options.

    Checksums are computed in C: TensorBoard's own take 0.2 to 0.6 us a byte, which is 20 to 60 ms for a picture.
    The writer's thread hands an error, such as a full disk, to the next call, which raises it. So the thread prints no
    error of its own.
    """
    from torch.utils.tensorboard import SummaryWriter

    before = threading.excepthook

    def quiet(failure: threading.ExceptHookArgs) -> None:
        if not isinstance(failure.thread, _AsyncWriterThread):
            before(failure)

    threading.excepthook = quiet  # the thread writes at once, so it may fail before its own hook is replaced
    try:
        writer = SummaryWriter(str(folder), **options)
        events = writer._get_file_writer().event_writer._async_writer
        events._writer.write = partial(write_record, events._writer._writer)
        thread = events._worker
        thread._invoke_excepthook = lambda *_: None
    finally:
        threading.excepthook = before
    return writer


def write_record(file: Any, data: bytes) -> None:
    """Writes a record as `RecordWriter.write` does: length, its checksum, data, their checksum; little-endian."""
    length = struct.pack("<Q", len(data))
    file.write(length + _checksum(length) + data + _checksum(data))


def _checksum(data: bytes) -> bytes:
    """Returns the masked CRC-32C of TensorFlow's record files."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def keep_epochs(folder: Path, epochs: int) -> bool:
    """Drops the events after `epochs` and those of a run's end, and returns whether the remaining ones are complete.

    They are complete where each epoch is there once, in order. If they are not, it drops all events. A crash leaves
    events after the checkpoint, which the resumed run writes again. With `purge_step` instead, some readers draw
    zigzag curves.
    """
    steps: list[int] = []
    for path in event_files(folder) if epochs else ():
        replace(path, lambda beside, path=path: steps.extend(_rewrite(path, beside, epochs)))  # type: ignore[misc]
    whole = epochs > 0 and steps == list(range(1, epochs + 1))
    if not whole:
        for path in event_files(folder):
            path.unlink()
    return whole


def drop_from(folder: Path, step: int) -> None:
    """Drops the events from a step on, and those of a run's end. A run's beginning stays."""
    for path in event_files(folder):
        replace(path, lambda beside, path=path: _rewrite_before(path, beside, step))  # type: ignore[misc]


def _rewrite_before(path: Path, beside: Path, step: int) -> None:
    with open(beside, "wb") as file:
        for framed, event in _records(path):
            tags = [value.tag for value in event.summary.value]
            if not any(map(_is_final, tags)) and (event.step < step or any(tag in _BEGINNING for tag in tags)):
                file.write(framed)


def _rewrite(path: Path, beside: Path, epochs: int) -> list[int]:
    """Writes the events that are kept, and returns the steps that end an epoch."""
    steps = []
    with open(beside, "wb") as file:
        for framed, event in _records(path):
            if event.step <= epochs and not any(_is_final(value.tag) for value in event.summary.value):
                file.write(framed)
                steps += [event.step for value in event.summary.value if value.tag == EPOCH_SCALARS[-1]]
    return steps


def _records(path: Path) -> Iterator[tuple[bytes, Event]]:
    """Yields the file's whole records as bytes, with their events. It skips a torn or corrupt end."""
    try:
        with open(path, "rb") as file:
            for record in RawEventFileLoader(str(path)).Load():
                yield file.read(len(record) + _AROUND), Event.FromString(record)
    except Exception:  # the loader and protobuf raise several kinds; the rest of the file is unreadable
        return


def _is_final(tag: str) -> bool:
    return tag.startswith(FINAL_PREFIXES) or tag == metadata.SESSION_END_INFO_TAG or tag.startswith("failure")
