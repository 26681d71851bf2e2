"""Writes and reads weights and checkpoints with torch. A file is written whole; a corrupt one is recognized."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import torch

from runner.files import replace
from runner.spec import describe

State = dict[str, Any]  # tensors and plain data, by name


def save(path: Path, state: State) -> None:
    """Replaces a file by a state.

    The state is serialized in memory first. On a full disk torch would report a position only, and would keep the
    half-written file open, so that no space is free to record the failure. Raises OSError where it can't be written.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    replace(path, lambda beside: beside.write_bytes(buffer.getbuffer()))


def load(path: Path) -> State | None:
    """Reads the state in a file to the CPU; None where the file is missing or corrupt. No code in it is run.

    Raises OSError and errors about memory, such as MemoryError: the machine causes them, not the file.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if archive.testzip():  # torch writes checksums but does not check them
                return None
            if any(part.file_size != part.compress_size for part in archive.infolist()):
                return None  # torch does not compress; a corrupt size may ask for more memory than there is
        file = io.BytesIO(data)  # in memory, so that an OSError can't come from a corrupt file
        state = torch.load(file, weights_only=True, map_location="cpu")
    except Exception as error:  # a corrupt file may raise any error
        if is_machines(error):
            raise
        return None
    return state if isinstance(state, dict) else None


def is_machines(error: BaseException) -> bool:
    """Whether the machine (disk, memory, GPU) caused an error, not the run or its files."""
    return isinstance(error, (OSError, torch.AcceleratorError)) or is_memory(error)


def is_memory(error: BaseException) -> bool:
    """Whether an error says that the machine or its GPU ran out of memory."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return type(error) is RuntimeError and "DefaultCPUAllocator" in describe(error)  # torch's error on a CPU
