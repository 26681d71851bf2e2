"""Files that are there whole or not at all: written beside, flushed to the disk, renamed."""

from __future__ import annotations

import json
import math
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock


def replace(path: Path, write: Callable[[Path], object]) -> None:
    """Has `write` make a file beside `path`, then puts it in `path`'s place; a crash leaves the old one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:6]}.tmp")
    try:
        write(beside)
        with open(beside, "rb") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def lock(folder: Path) -> BaseFileLock:
    """The folder's lock, one process at a time; the system frees it when its holder dies, however it dies."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".lock")


def write_text(path: Path, text: str) -> None:
    """Replaces a file by a text, UTF-8."""
    replace(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def write_json(path: Path, data: Any) -> None:
    """JSON that every reader takes: numbers that are none become null."""
    write_text(path, json.dumps(_finite(data), indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None where there is none that can be read."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
