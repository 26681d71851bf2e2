"""Rewrites event files, so that a resumed run has only the events of the epochs that it resumes after."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.hparams import metadata
from tensorboard.summary.writer.event_file_writer import _AsyncWriterThread
from torch.utils.tensorboard import SummaryWriter

from runner.events import MARK, Torn, event_files, framed, records
from runner.files import replace
from runner.store import EPOCH_SCALARS, FINAL_PREFIXES, RUN_SUFFIX

_BEGINNING = (metadata.SESSION_START_INFO_TAG, "settings/text_summary", "changes/text_summary")  # tags


def open_writer(folder: Path, **options: Any) -> SummaryWriter:
    """Opens a SummaryWriter for a folder, with torch's own options.

    Checksums are computed in C: TensorBoard's own take 20 to 60 ms for a picture. The writer's thread hands an error,
    such as a full disk, to the next call, which raises it. So the thread prints no error of its own.
    """
    before = threading.excepthook

    def quiet(failure: threading.ExceptHookArgs) -> None:
        if not isinstance(failure.thread, _AsyncWriterThread):
            before(failure)

    threading.excepthook = quiet  # the thread writes at once, so it may fail before its own hook is replaced
    try:
        writer = SummaryWriter(str(folder), **options)
        events = writer._get_file_writer().event_writer._async_writer
        file = events._writer._writer
        events._writer.write = lambda data: file.write(framed(data))
        thread = events._worker
        thread._invoke_excepthook = lambda *_: None
    finally:
        threading.excepthook = before
    return writer


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


def await_new_second(folder: Path) -> None:
    """Waits until the name of a new event file sorts after those in the folder.

    TensorBoard reads files in the order of their names. These have the second, and then a number that it compares as
    text: of one second, the tenth file of a process would come before the ninth.
    """
    names = [path.name for path in event_files(folder)]
    while any(name.startswith(f"{MARK}.{int(time.time()):010d}.") for name in names):
        time.sleep(0.02)


def copy_epochs(source: Path, folder: Path, epochs: int) -> None:
    """Gives a folder the events of the first `epochs` epochs of a run in another one, without its beginning and end.

    Event files that are there already go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in event_files(folder):
        path.unlink()
    for path in event_files(source):
        if path.name.endswith(RUN_SUFFIX):
            replace(folder / path.name, lambda beside, path=path: _copy(path, beside, epochs))  # type: ignore[misc]


def _copy(path: Path, beside: Path, epochs: int) -> None:
    with open(beside, "wb") as file:
        for record, event in _events(path):
            tags = [value.tag for value in event.summary.value]
            if event.HasField("file_version") or (0 < event.step <= epochs and not any(map(_is_final, tags))):
                file.write(framed(record))


def drop_from(folder: Path, step: int) -> None:
    """Drops the events from a step on, and those of a run's end. A run's beginning stays."""
    for path in event_files(folder):
        replace(path, lambda beside, path=path: _rewrite_before(path, beside, step))  # type: ignore[misc]


def _rewrite_before(path: Path, beside: Path, step: int) -> None:
    with open(beside, "wb") as file:
        for record, event in _events(path):
            tags = [value.tag for value in event.summary.value]
            if not any(map(_is_final, tags)) and (event.step < step or any(tag in _BEGINNING for tag in tags)):
                file.write(framed(record))


def _rewrite(path: Path, beside: Path, epochs: int) -> list[int]:
    """Writes the events that are kept, and returns the steps that end an epoch."""
    steps = []
    with open(beside, "wb") as file:
        for record, event in _events(path):
            if event.step <= epochs and not any(_is_final(value.tag) for value in event.summary.value):
                file.write(framed(record))
                steps += [event.step for value in event.summary.value if value.tag == EPOCH_SCALARS[-1]]
    return steps


def _events(path: Path) -> Iterator[tuple[bytes, Event]]:
    """Yields the file's whole records with their events. It skips a torn, corrupt or unreadable end."""
    try:
        for record in records(path):
            yield record, Event.FromString(record)
    except (DecodeError, Torn, OSError):
        return


def _is_final(tag: str) -> bool:
    return tag.startswith(FINAL_PREFIXES) or tag == metadata.SESSION_END_INFO_TAG or tag.startswith("failure")
