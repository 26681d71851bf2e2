"""Event files, read and rewritten: a resumed run keeps only the events of the epochs that it kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.hparams import metadata
from torch.utils.tensorboard import SummaryWriter

from runner.files import replace
from runner.store.tags import EPOCH_SCALARS, FINAL_PREFIXES

_AROUND = 16  # bytes: before a record its length and the length's checksum, after it its own


def event_files(folder: Path) -> list[Path]:
    """TensorBoard's files directly in a folder, the oldest first: their names hold seconds and a counter."""
    return sorted(folder.glob("events.out.tfevents.*"), key=lambda path: list(map(int, re.findall(r"\d+", path.name))))


def open_writer(folder: Path, **options: Any) -> SummaryWriter:
    """A SummaryWriter of a folder, with torch's own options.

    Its thread hands an error (a full disk) to the next call, which raises it; the thread itself reports nothing.
    """
    writer = SummaryWriter(str(folder), **options)
    thread = writer._get_file_writer().event_writer._async_writer._worker
    thread._invoke_excepthook = lambda *_: None
    return writer


def keep_epochs(folder: Path, epochs: int) -> bool:
    """Drops every event after `epochs`, and those of a run's end. Whether those epochs are then all there,
    once and in their order; if not, every event is dropped.

    A crash leaves points behind the checkpoint, which the resumed run writes again; `purge_step` alone
    zig-zags in some readers.
    """
    steps: list[int] = []
    for path in event_files(folder) if epochs else ():
        replace(path, lambda beside, path=path: steps.extend(_rewrite(path, beside, epochs)))  # type: ignore[misc]
    whole = epochs > 0 and steps == list(range(1, epochs + 1))
    if not whole:
        for path in event_files(folder):
            path.unlink()
    return whole


def _rewrite(path: Path, beside: Path, epochs: int) -> list[int]:
    """Writes what is kept, and returns the steps that end an epoch."""
    steps = []
    with open(beside, "wb") as file:
        for framed, event in _records(path):
            if event.step <= epochs and not any(_is_final(value.tag) for value in event.summary.value):
                file.write(framed)
                steps += [event.step for value in event.summary.value if value.tag == EPOCH_SCALARS[-1]]
    return steps


def _records(path: Path) -> Iterator[tuple[bytes, Event]]:
    """The file's whole records as they stand there, and what they say; a torn or spoilt end is left out."""
    try:
        with open(path, "rb") as file:
            for record in RawEventFileLoader(str(path)).Load():
                yield file.read(len(record) + _AROUND), Event.FromString(record)
    except Exception:  # the loader and protobuf have several; what follows is unreadable in any case
        return


def _is_final(tag: str) -> bool:
    return tag.startswith(FINAL_PREFIXES) or tag == metadata.SESSION_END_INFO_TAG or tag.startswith("failure")
