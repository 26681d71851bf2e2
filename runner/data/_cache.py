"""Chooses where prepared data sets are kept: in the first folder that can be written."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

from runner.spec import Kind, Problem, RequestError

CACHE_TAG = "CACHEDIR.TAG"  # marks a folder as a cache for backups and for our listing (bford.info/cachedir)
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Prepared data sets. The runner rebuilds missing ones.\n"
_DEFAULT = Path("data") / "cache"
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


def cache_places(location: Path) -> list[Path]:
    """Returns the folders that may hold caches, best first: beside the data (--data), data/, your account's cache."""
    beside = [] if location.is_file() else [location / "cache"]
    return list(dict.fromkeys([*beside, _DEFAULT, _of_account()]))


def first_writable(places: list[Path], write: Callable[[Path], Path]) -> Path:
    """Calls `write` with the first place that can be written, and returns its result.

    Raises RequestError where no place can be written, or where writing fails for another reason, such as a full disk.
    """
    failures: list[Problem] = []
    for place in places:
        try:
            return write(place)
        except OSError as error:
            failures.append(
                Problem(Kind.PATH, str(place), f"can't keep the data set there: {error}; give another --data folder.")
            )
            if error.errno not in _READ_ONLY:
                break
    raise RequestError(failures)


def tag_as_cache(folder: Path) -> None:
    """Marks a folder as a cache, so that nobody mistakes it for data."""
    if not (folder / CACHE_TAG).exists():
        (folder / CACHE_TAG).write_text(_TAG, encoding="utf-8")


def _of_account() -> Path:
    """Returns the platform's usual folder for caches."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 (Path.expanduser raises where there is no home)
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "ablations"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "ablations" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "ablations"
