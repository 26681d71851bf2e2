"""What the command line changes in a study."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.spec import Kind, Problem, RequestError, check_seeds, plain, shown


@dataclass(frozen=True)
class Overrides:
    """What the command line changes in a study."""

    dataset: str | None = None
    seeds: str | int | Sequence[int] | None = None
    variants: str | Sequence[str] | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    def forced(self) -> dict[str, Any]:
        """Returns the settings that they change, with the data set. Raises RequestError for anything but plain data."""
        dataset = {} if self.dataset is None else {"dataset": self.dataset}
        given: dict[str, Any] = plain(self.settings | dataset, "command line")
        return given


def parse_seeds(given: str | int | Sequence[int]) -> tuple[int, ...]:
    """Returns the seeds: 5 or "5" gives 0 to 4, "0,3,7" or [0, 3, 7] gives these, "7," gives 7 alone.

    Raises ValueError for anything else.
    """
    if isinstance(given, str):
        parts = [part.strip() for part in given.removesuffix(",").split(",")]
        if not all(part.isascii() and part.isdigit() and len(part) <= 10 for part in parts):
            raise ValueError(f'got "{shown(given)[1:-1]}"; expected a number such as 5, or a list such as 0,3,7.')
        numbers = [int(part) for part in parts]
        given = numbers[0] if "," not in given else numbers
    return check_seeds(range(given) if isinstance(given, int) and given <= 1000 else given)


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
