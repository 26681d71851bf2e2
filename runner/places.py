"""Checks, before anything is done, that a command can write its directories."""

from __future__ import annotations

import os
from pathlib import Path

from runner.spec import Kind, Problem, RequestError


def check_writable(*places: Path) -> None:
    """Raises RequestError for directories that can't be written."""
    if problems := unwritable(*places):
        raise RequestError(problems)


def unwritable(*places: Path) -> list[Problem]:
    """Returns problems with directories that can't be written, or whose lock belongs to another user.

    The directories need not exist yet.
    """
    problems: dict[Path, Problem] = {}
    for place in places:
        there = next(path for path in (place.absolute(), *place.absolute().parents) if _exists(path))
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            what = f"can't write to {there}; choose a directory that can be written."
            problems.setdefault(there, Problem(Kind.PATH, str(place), what))
        elif _exists(there / ".lock") and not os.access(there / ".lock", os.W_OK):
            what = f"can't write {there / '.lock'}, which belongs to another user; choose another directory."
            problems.setdefault(there, Problem(Kind.PATH, str(place), what))
    return list(problems.values())


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a directory above can't be read
        return False
