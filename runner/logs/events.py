"""Event files, read and rewritten: a resumed run keeps only the events of the epochs that it kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.hparams import metadata
from tensorboard.summary.writer.record_writer import RecordWriter

from runner.files import replace
from runner.logs.tags import FINAL_PREFIXES


def event_files(folder: Path) -> list[Path]:
    """TensorBoard's files directly in a folder, the oldest first."""
    return sorted(folder.glob("events.out.tfevents.*"))


def keep_epochs(folder: Path, epochs: int) -> None:
    """Drops every event after `epochs`, and those of a run's end; all events where `epochs` is 0.

    A crash leaves points behind the checkpoint, which the resumed run writes again; `purge_step` alone
    zig-zags in some readers.
    """
    for path in event_files(folder):
        if epochs == 0:
            path.unlink()
        else:
            replace(path, lambda beside, path=path: _rewrite(path, beside, epochs))  # type: ignore[misc]


def _rewrite(path: Path, beside: Path, epochs: int) -> None:
    with open(beside, "wb") as file:
        writer = RecordWriter(file)
        for record, event in _records(path):
            if event.step <= epochs and not any(_is_final(value.tag) for value in event.summary.value):
                writer.write(record)
        writer.flush()


def _records(path: Path) -> Iterator[tuple[bytes, Event]]:
    """The file's whole records; a torn or spoilt end is left out."""
    try:
        for record in RawEventFileLoader(str(path)).Load():
            yield record, Event.FromString(record)
    except Exception:  # the loader and protobuf have several; what follows is unreadable in any case
        return


def _is_final(tag: str) -> bool:
    return tag.startswith(FINAL_PREFIXES) or tag == metadata.SESSION_END_INFO_TAG or tag.startswith("failure")
