"""Files that are there whole or not at all: written beside, flushed to the disk, renamed."""

from __future__ import annotations

import errno
import json
import math
import os
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock


def replace(path: Path, write: Callable[[Path], object]) -> None:
    """Has `write` make a file beside `path`, then puts it in `path`'s place; a crash leaves the old one.

    Flushed before and after, so that a power cut finds either the old file or the new one, whole.
    """
    with naming(path):
        _replace(path, write)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """A full disk's error names no file: within it, it names this one."""
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


def sync(path: Path) -> None:
    """Has the disk keep a file's bytes, or a directory's names (which Windows does by itself)."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Removes what a killed process left of `replace` in a folder that nobody else is writing."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def crc(path: Path) -> int | None:
    """The CRC-32 of a file's bytes, or None where there is no such file or it can't be read.

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
    """The folder's lock, one process at a time; the system frees it when its holder dies, however it dies."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".lock")


def write_text(path: Path, text: str) -> None:
    """Replaces a file by a text, UTF-8; what UTF-8 can't say (half a surrogate pair) is escaped."""
    replace(path, lambda beside: beside.write_text(text, encoding="utf-8", errors="backslashreplace"))


def write_json(path: Path, data: Any) -> None:
    """JSON that every reader takes: numbers that are none become null."""
    write_text(path, json.dumps(finite(data), indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None where there is none that can be read. Raises OSError as `crc`.

    A number that `write_json` never writes (NaN, infinity, more than 64 bits) makes the file another program's.
    """
    try:
        if not path.is_file():  # a pipe would be waited for
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
    """That too many files are open says nothing about this one: a finished run must not pass for spoilt."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        raise error


def finite(data: Any) -> Any:
    """Plain data with None for each number that is none."""
    if isinstance(data, dict):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
