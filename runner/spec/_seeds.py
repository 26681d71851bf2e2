"""A study's seeds: a fixed design, or a sequential one that adds seeds where questions are still open."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from runner.spec._problems import Kind, Refusal, shown, suggest

MOST_SEEDS = 1000
_LARGEST = 2**32
_GROWTH, _LEAST_STEP = 1.5, 1.25  # from one look to the next
_KEYS = ("first", "most", "from")
_NUMBER = "a number of seeds from 1 to 1000"
_EXPECTED = f"{_NUMBER}, different seeds from 0, or at least and at most, such as 5..27."


@dataclass(frozen=True)
class SeedPlan:
    """The seeds of a study, in the order in which it takes them, and its looks.

    looks  after how many seeds the questions are judged, ascending. A fixed design has one look: after all seeds.
    """

    seeds: tuple[int, ...]
    looks: tuple[int, ...]

    @property
    def is_sequential(self) -> bool:
        """Whether seeds are added only where a question is still open."""
        return len(self.looks) > 1

    @property
    def first(self) -> tuple[int, ...]:
        """The seeds until the first look."""
        return self.seeds[: self.looks[0]]

    @property
    def weights(self) -> tuple[float, ...]:
        """Each look's share of alpha: the share of its new seeds among all. They add up to 1.

        Spending in proportion to the information: Lan & DeMets 1983, Biometrika 70:659 (their alpha*_3).
        """
        return tuple((n - before) / self.looks[-1] for n, before in zip(self.looks, (0, *self.looks), strict=False))

    def plain(self) -> Any:
        """The plan as study.json has it: a list of seeds, or first, most, looks, and from unless it is 0."""
        if not self.is_sequential:
            return list(self.seeds)
        start = {"from": self.seeds[0]} if self.seeds[0] else {}
        return {"first": self.looks[0], "most": self.looks[-1], **start, "looks": list(self.looks)}


def planned_looks(first: int, most: int) -> tuple[int, ...]:
    """Returns the looks from `first` to `most` seeds: each is half as large again as the last one, rounded up.

    The last step is at least a quarter.

    >>> planned_looks(5, 27), planned_looks(5, 20), planned_looks(2, 4)
    ((5, 8, 12, 18, 27), (5, 8, 12, 20), (2, 3, 4))
    """
    looks = [first]
    while looks[-1] < most:
        following = ceil(_GROWTH * looks[-1])
        looks.append(following if most == following or most >= _LEAST_STEP * following else most)
    return tuple(looks)


def read_plan(plain: Any) -> SeedPlan | None:
    """Returns the plan that `SeedPlan.plain` gave, with the looks that were planned then; None for anything else."""
    try:
        if isinstance(plain, list):
            return plan_seeds(plain)
        looks: list[int] = plain["looks"]
        plan = plan_seeds({key: value for key, value in plain.items() if key != "looks"})
        whole = all(type(n) is int for n in looks) and sorted(set(looks)) == looks
        sound = whole and [looks[0], looks[-1]] == [plan.looks[0], plan.looks[-1]]
    except (ValueError, AttributeError, IndexError, KeyError, TypeError):
        return None
    return replace(plan, looks=tuple(looks)) if sound else None


def plan_seeds(given: Any, start: int | None = None) -> SeedPlan:
    """Returns the plan for what a study or a command gives.

    given  5 or "5" (seeds 0 to 4), [0, 3, 7] or "0,3,7" (these), "7," (7 alone), {"first": 5, "most": 27} or "5..27"
    start  the first seed; by default 0, or the "from" of a dict

    Raises ValueError for anything else.
    """
    if isinstance(given, str):
        given = _read(given)
    if isinstance(given, Mapping):
        return _sequential(given, start)
    if isinstance(given, Sequence) and start is not None:
        raise Refusal(Kind.CONFLICT, f"got a list of seeds and --from {start}; give a number of seeds, or no --from.")
    begin = 0 if start is None else _whole("from", start, 0, _LARGEST - MOST_SEEDS)
    seeds = check_seeds(range(begin, begin + given) if type(given) is int and given <= MOST_SEEDS else given)
    return SeedPlan(seeds, (len(seeds),))


def _read(text: str) -> Any:
    """Reads the text after --seeds; ValueError where it has another form."""
    if found := re.fullmatch(r"\s*(\d{1,10})\s*\.\.\s*(\d{1,10})\s*", text, re.ASCII):
        return dict(zip(_KEYS, map(int, found.groups()), strict=False))
    parts = [part.strip() for part in text.removesuffix(",").split(",")]
    if not all(re.fullmatch(r"\d{1,10}", part, re.ASCII) for part in parts):
        raise ValueError(
            f'got "{shown(text)[1:-1]}"; expected a number such as 5, a list such as 0,3,7, or 5..27 (at least 5, at '
            "most 27)."
        )
    numbers = [int(part) for part in parts]
    return numbers if "," in text else numbers[0]


def _sequential(given: Mapping[Any, Any], start: int | None) -> SeedPlan:
    for key in given:
        if key not in _KEYS:
            raise Refusal(Kind.UNKNOWN, f"unknown key {shown(key)}. {suggest(str(key), _KEYS)}")
    if missing := [key for key in _KEYS[:2] if key not in given]:
        what = f'"{missing[0]}" is missing; give at least and at most, such as {{"first": 5, "most": 27}}.'
        raise Refusal(Kind.MISSING, what)
    first = _whole("first", given["first"], 2, MOST_SEEDS)
    most = _whole("most", given["most"], first, MOST_SEEDS)
    begin = _whole("from", given.get("from", 0) if start is None else start, 0, _LARGEST - MOST_SEEDS)
    return SeedPlan(tuple(range(begin, begin + most)), planned_looks(first, most))


def _whole(key: str, value: Any, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f'"{key}" is {shown(value)}; expected a whole number from {least} to {most}.')
    return value


def check_seeds(seeds: Any) -> tuple[int, ...]:
    """Returns the seeds as a tuple. Raises ValueError where there are none, too many, or duplicates."""
    numbers = tuple(seeds) if not isinstance(seeds, int) else ()
    possible = all(type(seed) is int and 0 <= seed < _LARGEST for seed in numbers)
    if not possible or not 1 <= len(numbers) <= MOST_SEEDS:
        raise ValueError(f"got {shown(seeds)}; expected {_EXPECTED}")
    if len(set(numbers)) < len(numbers):
        raise Refusal(Kind.DUPLICATE, f"got {shown(seeds)}; expected different seeds.")
    return numbers
