"""A data set's cache on its way to a node: it is sent once, and all workers of the node map the node's own copy."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ray

from runner.data import is_whole
from runner.files import lock

_CHUNK = 16 << 20  # bytes: what a node holds in memory besides, however large the data set is
Sent = Mapping[str, Sequence[Any]]  # a file's name -> references to its chunks in Ray's object store


def send(folder: Path) -> Sent:
    """Puts a cache into Ray's object store, from which each node fetches it once."""
    return {path.name: [ray.put(chunk) for chunk in _chunks(path)] for path in sorted(folder.iterdir())}


def _chunks(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def receive(sent: Sent, folder: Path) -> Path:
    """Returns the folder with the node's copy. The first worker that needs it writes it for all workers."""
    if is_whole(folder):
        return folder
    with lock(folder.parent):
        if is_whole(folder):
            return folder
        beside = folder.with_name(f"{folder.name}.tmp")
        for old in (beside, folder):
            shutil.rmtree(old, ignore_errors=True)
        beside.mkdir()
        for name, chunks in sent.items():
            with open(beside / name, "wb") as file:
                for chunk in chunks:
                    file.write(ray.get(chunk))
        os.replace(beside, folder)
    return folder
