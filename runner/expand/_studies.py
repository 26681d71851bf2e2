"""Resolves the studies that a request names: files in ablations/, paths, dicts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from runner.expand._files import with_files
from runner.expand._overrides import Overrides
from runner.expand._resolve import resolve
from runner.expand._runs import ResolvedStudy
from runner.spec import Kind, Problem, RequestError, read_file, shown

_NAME_OF_DICT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


def resolve_studies(
    names: Sequence[str | dict[str, Any] | ResolvedStudy],
    overrides: Overrides,
    name_of_dict: str | None = None,
    trained: Callable[[str], bool] = lambda _: False,
) -> list[ResolvedStudy]:
    """Returns every study asked for. Raises RequestError with the problems of all.

    `name_of_dict` names a dict; `trained` is as in `resolve`.
    """
    resolved: list[ResolvedStudy] = []
    if problems := _check_name_of_dict(names, name_of_dict):
        raise RequestError(problems)
    for name in names:
        if isinstance(name, ResolvedStudy):  # made by a search from its winners
            resolved.append(with_files(name))
            continue
        try:
            file, data, doc = read_file(name) if isinstance(name, str) else (Path(name_of_dict or "study"), name, "")
            resolved.append(with_files(resolve(file, data, doc, overrides, trained)))
        except RequestError as error:
            problems += error.problems
    counts = Counter(study.name for study in resolved)
    problems += [
        Problem(
            Kind.DUPLICATE,
            name,
            f"{count} of these studies have this name; give each study once, and give files different names.",
        )
        for name, count in counts.items()
        if count > 1
    ]
    if problems:
        raise RequestError(problems)
    return resolved


def _check_name_of_dict(names: Sequence[Any], given: str | None) -> list[Problem]:
    if given is None:
        return []
    if all(isinstance(name, str) for name in names):
        return [Problem(Kind.CONFLICT, "name", "a study in a file takes the file's name; remove name, or give a dict.")]
    if not isinstance(given, str) or not _NAME_OF_DICT.fullmatch(given):
        return [
            Problem(
                Kind.VALUE, "name", f'got {shown(given)}; expected up to 80 letters, digits, _ and -, such as "widths".'
            )
        ]
    return []
