"""A search: one Python dict in `ablations/`. Its shape and its spaces are checked and frozen."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Literal

import pydantic
from pydantic import Field

from runner.spec._plain import plain
from runner.spec._problems import Kind, Problem, Refusal, RequestError, from_pydantic, mistake_of, shown, suggest
from runner.spec._settings import Settings

SpaceKind = Literal["categorical", "integer", "uniform", "log_uniform"]
_BOUNDED: tuple[SpaceKind, ...] = ("integer", "uniform", "log_uniform")
_FORMS = 'a list of choices, or {"integer": [1, 9]}, {"uniform": [0.1, 0.7]} or {"log_uniform": [1e-4, 0.1]}'
LARGEST_GRID = 100_000  # cells; Optuna lists all of them in memory
MOST_RUNS = 100_000


@dataclass(frozen=True)
class Space:
    """The values that a search may give to a setting: a list of choices, or (low, high) with both included."""

    kind: SpaceKind
    values: tuple[Any, ...]

    @classmethod
    def recorded(cls, kind: Any, values: Any) -> Space:
        """Returns the space that a search's record holds. Raises ValueError where it holds none."""
        bounds = kind in _BOUNDED and [type(value) in (int, float) for value in values] == [True, True]
        if not bounds and not (kind == "categorical" and isinstance(values, list) and values):
            raise ValueError(f"{shown(kind)}: {shown(values)} is not a space")
        return cls(kind, tuple(values))

    @property
    def cells(self) -> float:
        """How many different values there are; infinity where the space is continuous."""
        if self.kind == "integer":
            return float(self.values[1] - self.values[0] + 1)
        return float(len(self.values)) if self.kind == "categorical" else math.inf

    def has(self, value: Any) -> bool:
        """Whether the search may give the setting this value."""
        if self.kind == "categorical":
            return value in self.values
        low, high = self.values
        between = type(value) in (int, float) and bool(low <= value <= high)
        return between and (self.kind != "integer" or value == int(value))


class Search(pydantic.BaseModel):
    """The dict as written, with its shape checked. `runner.search` checks the settings in it."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=True)

    baseline: dict[str, Any] = Field(description="a dict: the settings from which the search starts")
    space: dict[str, Any] = Field(min_length=1, description=f"a dict from a setting to its values: {_FORMS}")
    runs: int = Field(default=40, ge=2, le=MOST_RUNS, description="a whole number from 2, such as 40")
    seed: int = Field(default=0, ge=0, lt=2**31, description="a whole number from 0: the sampler's and the runs' seed")
    fresh_seeds: int = Field(default=5, ge=2, le=100, description="a number of seeds from 2, such as 5")
    sampler: Literal["tpe", "random", "grid"] = Field(default="tpe", description="one of tpe, random, grid")
    pruner: Literal["median", "none"] = Field(default="median", description="one of median, none")
    random_on: tuple[str, ...] = Field(
        default=(), strict=False, description="a list of data sets on which a random search of as many runs is added"
    )
    claim: dict[str, Any] = Field(
        default_factory=dict, description="a dict of settings that are claimed elsewhere to be the best"
    )


def parse_search(data: Any, where: str) -> Search:
    """Returns the dict as a Search. Raises RequestError with every problem of its outer shape."""
    data = plain(data, where)
    if not isinstance(data, dict):
        raise RequestError([Problem(Kind.VALUE, where, f"SEARCH is {shown(data)}; expected a dict.")])
    try:
        return Search.model_validate(data)
    except pydantic.ValidationError as error:
        raise RequestError(from_pydantic(error, where, Search)) from error


def parse_spaces(search: Search, where: str) -> tuple[dict[str, Space], list[Problem]]:
    """Returns each setting's space, and the problems of the spaces that can't be read."""
    spaces: dict[str, Space] = {}
    problems: list[Problem] = []
    for key, given in search.space.items():
        place = f"{where}: space: {shown(key)[1:-1]}"
        try:
            spaces[key] = _space(key, given)
        except ValueError as error:
            problems.append(mistake_of(error).at(place))
    if search.sampler == "grid":
        problems += [
            Problem(
                Kind.CONFLICT,
                f"{where}: space: {key}",
                f"got {space.kind}; expected a list or integer bounds in a grid.",
            )
            for key, space in spaces.items()
            if space.cells == math.inf
        ]
        cells = math.prod(space.cells for space in spaces.values())
        if LARGEST_GRID < cells < math.inf:
            what = f'got a grid of {cells:,.0f} cells; expected at most {LARGEST_GRID:,}. Or use "sampler": "tpe".'
            problems.append(Problem(Kind.LIMIT, f"{where}: space", what))
    return spaces, problems


def _space(key: str, given: Any) -> Space:
    """Reads one space. Raises ValueError where there is no such setting or its values can't be read."""
    if key not in Settings.model_fields:
        raise Refusal(Kind.UNKNOWN, f"unknown setting. {suggest(key, Settings.model_fields)}")
    if key == "dataset":
        what = "all runs of a search use the same data set; give it in the baseline, not in the space."
        raise Refusal(Kind.CONFLICT, what)
    if isinstance(given, (list, tuple)):
        if len(given) < 2:
            raise ValueError(f"got {shown(given)}; expected at least two choices (one value belongs in the baseline).")
        texts = [json.dumps(choice, sort_keys=True, default=repr) for choice in given]
        if len(set(texts)) < len(texts):
            raise Refusal(Kind.DUPLICATE, f"got {shown(given)}; expected different choices.")
        return Space("categorical", tuple(given))
    if not isinstance(given, dict) or len(given) != 1:
        raise ValueError(f"got {shown(given)}; expected {_FORMS}.")
    ((kind, bounds),) = given.items()
    if kind not in _BOUNDED:
        raise Refusal(Kind.UNKNOWN, f'unknown kind of space "{kind}". {suggest(str(kind), _BOUNDED)}')
    return Space(kind, _bounds(kind, bounds))


def _bounds(kind: SpaceKind, bounds: Any) -> tuple[float, float]:
    numbers = (int,) if kind == "integer" else (int, float)
    pair = bounds if isinstance(bounds, (list, tuple)) and len(bounds) == 2 else ()
    if not pair or any(type(bound) not in numbers or not math.isfinite(bound) for bound in pair):
        what = "two whole numbers, [low, high]" if kind == "integer" else "two numbers, [low, high]"
        raise ValueError(f"got {shown(bounds)}; expected {what}.")
    low, high = pair
    if not low < high:
        raise ValueError(f"got {shown(bounds)}; expected [low, high] with low below high.")
    if kind == "log_uniform" and low <= 0:
        raise ValueError(f"got {shown(bounds)}; expected bounds above 0 for log_uniform.")
    return (low, high) if kind == "integer" else (float(low), float(high))
