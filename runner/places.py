"""Directories that a command is to write: whether it can, before anything is done."""

from __future__ import annotations

import os
from pathlib import Path

from runner.spec import Kind, Problem, RequestError


def check_writable(*places: Path) -> None:
    """RequestError for directories that can't be written."""
    if problems := unwritable(*places):
        raise RequestError(problems)


def unwritable(*places: Path) -> list[Problem]:
    """Problems with directories that can't be written or whose lock is another user's. They need not exist yet."""
    problems: dict[Path, Problem] = {}
    for place in places:
        there = next(path for path in (place.absolute(), *place.absolute().parents) if _exists(path))
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            what = f"{there} is no directory that can be written; choose another."
            problems.setdefault(there, Problem(Kind.PATH, str(place), what))
        elif _exists(there / ".lock") and not os.access(there / ".lock", os.W_OK):
            what = f"{there / '.lock'} can't be written: another user made it; choose another directory."
            problems.setdefault(there, Problem(Kind.PATH, str(place), what))
    return list(problems.values())


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a directory that may not be searched
        return False
