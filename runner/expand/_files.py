"""Files that arguments name: their contents decide a run's numbers, so their hashes are part of its digest."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from runner.expand._runs import ResolvedStudy
from runner.files import expanded
from runner.spec import OWN_CODE, FreeSettings, Kind, Problem, RequestError, Settings, own_code


def with_files(study: ResolvedStudy) -> ResolvedStudy:
    """Returns the study with the present hashes of the files that each variant's arguments name.

    Raises RequestError for a file that can't be read.
    """
    files = file_hashes((variant.settings for variant in study.variants), str(study.file))
    variants = {each.name: replace(each, files=named_files(each.settings, files)) for each in study.variants}
    selected = tuple(variants[each.name] for each in study.selected)
    return replace(study, variants=tuple(variants.values()), selected=selected)


def file_hashes(those: Iterable[Settings | FreeSettings], where: str) -> dict[str, str]:
    """Returns the SHA-256 of every regular file that a text in the settings names, by that text.

    Raises RequestError for a file that can't be read.
    """
    hashes: dict[str, str] = {}
    problems = []
    for key, text in dict.fromkeys(pair for settings in those for pair in _named(settings)):
        try:
            found = file_hash(text)
        except OSError as error:
            what = f"{text} can't be read: {error.strerror or error}."
            problems.append(Problem(Kind.PATH, f"{where}: {key}", what))
            continue
        if found:
            hashes[text] = found
    if problems:
        raise RequestError(problems)
    return hashes


def named_files(settings: Settings | FreeSettings, hashes: Mapping[str, str]) -> dict[str, str]:
    """Returns the hashes of the files that the settings name."""
    return {text: hashes[text] for _, text in _named(settings) if text in hashes}


def file_hash(text: str) -> str | None:
    """Returns the SHA-256 of the regular file at this path; None where there is none. Raises OSError if unreadable."""
    path = expanded(Path(text))
    try:
        found = path.stat()
    except (OSError, ValueError):  # no file, or a text that is not a path
        return None
    if not stat.S_ISREG(found.st_mode):  # a device or a pipe may have no end
        return None
    return _sha256((str(path.absolute()), found.st_ino, found.st_size, found.st_mtime_ns))


@lru_cache(maxsize=1000)
def _sha256(state: tuple[str, int, int, int]) -> str:
    """Hashes a file once per process for each state: its path, inode, size and time of writing."""
    with open(state[0], "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _named(settings: Settings | FreeSettings) -> Iterator[tuple[str, str]]:
    """Yields every text that may name a file, with the setting that has it.

    Arguments of built-in code name no files, and own training reads files as it likes.
    """
    if isinstance(settings, FreeSettings):
        return
    yield from ((key, text) for key in ("weights", "groups") if (text := getattr(settings, key)) != "none")
    yield from (("dataset_args", text) for text in _texts(settings.dataset_args))
    for key in OWN_CODE:
        if key == "model" or key in own_code(settings):
            yield from ((f"{key}_args", text) for text in _texts(getattr(settings, f"{key}_args")))


def _texts(value: Any) -> Iterator[str]:
    """Yields every text in plain data, at any depth, except keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
