"""Weights and checkpoints as torch saves them: written whole, read with distrust."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import torch

from runner.files import replace
from runner.spec.problems import words

State = dict[str, Any]  # tensors and plain data, by name


def save(path: Path, state: State) -> None:
    """Replaces a file by a state.

    The state goes through memory: on a full disk torch reports a position, and keeps the half-written file open, so
    that its room is not free for the message that reports the full disk.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    replace(path, lambda beside: beside.write_bytes(buffer.getbuffer()))


def load(path: Path) -> State | None:
    """The state in a file, on the CPU; None where there is no file or it is corrupt. No code in it is run.

    Raises the machine's errors (too many open files, no memory): they say nothing about the file.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if archive.testzip():  # torch writes checksums and never checks them
                return None
            if any(part.file_size != part.compress_size for part in archive.infolist()):
                return None  # torch compresses nothing; a corrupt size may ask for more memory than there is
        file = io.BytesIO(data)  # from memory, where a corrupt file can't be mistaken for a failing disk
        state = torch.load(file, weights_only=True, map_location="cpu")
    except Exception as error:  # a corrupt file raises whatever its bytes lead to
        if is_machines(error):
            raise
        return None
    return state if isinstance(state, dict) else None


def is_machines(error: BaseException) -> bool:
    """Whether an error is the machine's (disk, memory, GPU) and says nothing about the run or its files."""
    return isinstance(error, (OSError, torch.AcceleratorError)) or is_memory(error)


def is_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, the machine's or its GPU's."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return type(error) is RuntimeError and "DefaultCPUAllocator" in words(error)  # torch's on a CPU
