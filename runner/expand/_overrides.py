"""What the command line changes in a study."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.spec import Kind, Problem, RequestError, plain, shown


@dataclass(frozen=True)
class Overrides:
    """What the command line changes in a study.

    first_seed  that of a number of seeds or of a sequential design
    """

    dataset: str | None = None
    seeds: str | int | Sequence[int] | Mapping[str, int] | None = None
    first_seed: int | None = None
    variants: str | Sequence[str] | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    def forced(self) -> dict[str, Any]:
        """Returns the settings that they change, with the data set. Raises RequestError for anything but plain data."""
        dataset = {} if self.dataset is None else {"dataset": self.dataset}
        given: dict[str, Any] = plain(self.settings | dataset, "command line")
        return given


def parse_set(pairs: Iterable[str]) -> dict[str, Any]:
    """Reads KEY=VALUE pairs; a value that is not Python is a string. Raises RequestError for other texts."""
    settings: dict[str, Any] = {}
    problems = []
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            what = f'got "{shown(pair)[1:-1]}"; expected KEY=VALUE, such as lr=0.01.'
            problems.append(Problem(Kind.VALUE, f"--set {pair}", what))
            continue
        try:
            settings[key.strip()] = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            settings[key.strip()] = text.strip()
    if problems:
        raise RequestError(problems)
    return settings
