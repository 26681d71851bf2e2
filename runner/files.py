"""Writes files whole or not at all: under a temporary name, flushed to the disk, then renamed."""

from __future__ import annotations

import errno
import json
import math
import os
import stat
import tempfile
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from filelock import BaseFileLock


def replace(path: Path, write: Callable[[Path], object]) -> None:
    """Calls `write` with a temporary path beside `path`, then renames that file to `path`.

    After a crash or a power cut, either the old file or the new one is there, whole. Raises OSError with the file's
    name where the disk is full.
    """
    with naming(path):
        _replace(path, write)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Adds the name of a file to an OSError that names none, such as that of a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno and error.filename is None:
            error.filename = str(path)
        raise


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:6]}.tmp")
    try:
        write(beside)
        sync(beside)
        os.replace(beside, path)
        sync(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def is_within(path: Path, folder: Path) -> bool:
    """Whether a path is in a folder once its links are followed; `folder` has no links itself."""
    try:
        return path.resolve().is_relative_to(folder)
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        return False


def is_plain_file(state: os.stat_result, most: int) -> bool:
    """Whether `lstat` found a regular file of at most `most` bytes: no link, pipe, device or directory."""
    return stat.S_ISREG(state.st_mode) and state.st_size <= most


def expanded(path: Path) -> Path:
    """Returns the path with ~ as the home directory; unchanged where no home directory is known."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def shared_temporary() -> Path:
    """Returns the path of a directory of this machine that all commands of this user share, in the temporary one."""
    return Path(tempfile.gettempdir()) / f"ablations-{os.getuid() if hasattr(os, 'getuid') else ''}"


def sync(path: Path) -> None:
    """Flushes a file's bytes, or a directory's names, to the disk; Windows flushes directories by itself."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Removes the temporary files of killed processes; no process may be writing to the folder."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def crc(path: Path) -> int | None:
    """Returns the CRC-32 of a file's bytes, or None where the file is missing or can't be read.

    Raises OSError where too many files are open.
    """
    try:
        if not path.is_file():
            return None
        with open(path, "rb") as file:
            value = 0
            while block := file.read(1 << 20):
                value = zlib.crc32(block, value)
            return value
    except OSError as error:
        _raise_if_too_many(error)
        return None


def lock(folder: Path) -> BaseFileLock:
    """Returns the folder's lock, which one process holds at a time. The system frees it when the process ends."""
    from filelock import FileLock  # with asyncio, which listings need not wait for

    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".lock")


def write_text(path: Path, text: str) -> None:
    """Replaces a file by a text in UTF-8; characters that UTF-8 can't encode (lone surrogates) are escaped."""
    replace(path, lambda beside: beside.write_text(text, encoding="utf-8", errors="backslashreplace"))


def write_json(path: Path, data: Any) -> None:
    """Replaces a file by JSON that every reader accepts: nan and infinity become null."""
    write_text(path, json.dumps(finite(data), indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """Reads the object in a JSON file; None where the file is missing, corrupt or has no object.

    A file with numbers that `write_json` never writes (NaN, infinity, more than 64 bits) counts as corrupt. Raises
    OSError where too many files are open.
    """
    try:
        if not path.is_file():  # reading a pipe would wait for its writer
            return None
        text = path.read_text(encoding="utf-8")
        data = json.loads(text, parse_int=_integer, parse_float=_float, parse_constant=_float)
    except (ValueError, RecursionError):
        return None
    except OSError as error:
        _raise_if_too_many(error)
        return None
    return data if isinstance(data, dict) else None


def _integer(text: str) -> int:
    if not -(2**63) <= (number := int(text)) < 2**64:
        raise ValueError(f"{text[:20]}... has more than 64 bits")
    return number


def _float(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text[:20]} is no number")
    return number


def _raise_if_too_many(error: OSError) -> None:
    """Raises the error where too many files are open: the file itself may be good, and its run finished."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        raise error


def finite(data: Any) -> Any:
    """Returns plain data with None in place of nan and infinity.

    >>> finite({"loss": float("nan"), "epochs": [1, 2.5]})
    {'loss': None, 'epochs': [1, 2.5]}
    """
    if isinstance(data, dict):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
