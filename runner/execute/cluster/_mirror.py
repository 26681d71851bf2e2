"""A run directory that grows on another machine: what has changed there, and the same changes here."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.files import replace, sync

_LAST = "result.json"  # where it is, the run is finished
_GROWING = ("events.out.tfevents.", "metrics.csv", "output.txt")  # beginnings of names: mostly appended to
_TAIL = 64  # bytes before the new ones that must be as they were
_TICK = 20_000_000  # ns: a file system may give two changes within this time the same time


@dataclass(frozen=True)
class Change:
    """A file of a run directory, by its path in it: its bytes from `start` on, or None where it was removed."""

    path: str
    start: int
    data: bytes | None


@dataclass(frozen=True)
class _State:
    """What the other side has of a file."""

    inode: int
    size: int
    time: int  # of its last change, in ns; 0 where it may have changed since within the same tick
    tail: bytes


class Mirror:
    """One directory, and what the other side has of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sent: dict[str, _State] = {}

    def changes(self) -> list[Change]:
        """Returns what has changed since the last call, in an order in which a reader may stop anywhere.

        A file that promises something of others (result.json; checkpoints, which promise events) is read before them
        and comes after them.
        """
        found: list[Change] = []
        here = sorted(_files(self._folder), key=_promises)
        gone = self._sent.keys() - set(here)
        for path in here:
            with suppress(FileNotFoundError):  # removed this moment: the next call says so
                found += self._change(path)
        for path in gone:
            del self._sent[path]
        removed = [Change(path, 0, None) for path in sorted(gone)]
        unfinished = [change for change in removed if change.path == _LAST]
        return [*unfinished, *reversed(found), *(change for change in removed if change.path != _LAST)]

    def _change(self, path: str) -> list[Change]:
        before = self._sent.get(path)
        state = (self._folder / path).stat()
        if before and (before.inode, before.size, before.time) == (state.st_ino, state.st_size, state.st_mtime_ns):
            return []
        with open(self._folder / path, "rb") as file:
            state = os.fstat(file.fileno())
            start = _common(file.fileno(), before) if before and path.startswith(_GROWING) else 0
            file.seek(start)
            data = file.read()
        settled = time.time_ns() - state.st_mtime_ns > _TICK
        tail = ((before.tail if before and start else b"") + data)[-_TAIL:]
        self._sent[path] = _State(state.st_ino, start + len(data), state.st_mtime_ns if settled else 0, tail)
        return [] if start and not data else [Change(path, start, data)]


def _common(file: int, before: _State) -> int:
    """Returns how many of the bytes at the file's beginning the other side has: all that it has, or none."""
    start = max(before.size - len(before.tail), 0)
    os.lseek(file, start, os.SEEK_SET)
    return before.size if os.read(file, len(before.tail)) == before.tail else 0


def apply(folder: Path, changes: Sequence[Change]) -> None:
    """Makes the changes in a directory. A file that is replaced is whole at every moment.

    Raises OSError where the directory can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for change in changes:
        path = folder / change.path
        if change.data is None:
            path.unlink(missing_ok=True)
        elif change.start:
            if path.stat().st_size >= change.start:  # a second Ctrl-C may have lost what comes before it
                with open(path, "r+b") as file:
                    file.seek(change.start)
                    file.write(change.data)
        else:
            _write(path, change.data, safely=not change.path.startswith(_GROWING))


def _write(path: Path, data: bytes, safely: bool) -> None:
    """Replaces a file; `safely` flushes what the directory's other files promise to it before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if safely:
        for name in _GROWING:
            for grown in path.parent.glob(f"{name}*"):
                sync(grown)
    replace(path, lambda beside: beside.write_bytes(data))


def snapshot(folder: Path) -> list[Change]:
    """Returns all files of a directory: what a worker elsewhere resumes from. Empty where there is none."""
    return Mirror(folder).changes() if folder.is_dir() else []


def _files(folder: Path) -> list[str]:
    """Returns the files of a run directory, by their paths in it, without locks, links and half-written files."""
    found = [path for path in folder.rglob("*") if path.name != ".lock" and path.is_file() and not path.is_symlink()]
    return [
        path.relative_to(folder).as_posix()
        for path in found
        if not (path.name.startswith(".") and path.name.endswith(".tmp"))
    ]


def _promises(path: str) -> tuple[int, str]:
    return (0 if path == _LAST else 2 if path.startswith(_GROWING) else 1), path
