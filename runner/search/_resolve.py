"""Turns a search's dict and the command line into a checked baseline and spaces; reports all problems at once."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from runner.expand import (
    DATA_SETTINGS,
    Overrides,
    Run,
    Variant,
    effective,
    file_hashes,
    ignored_settings,
    named_files,
    run_name,
)
from runner.spec import (
    BASELINE,
    OWN_CODE,
    Kind,
    Mistake,
    Problem,
    RequestError,
    Search,
    Settings,
    Space,
    parse_search,
    parse_settings,
    parse_spaces,
    problems_of,
    read_file,
)
from runner.store import TWIN

_MOST_DATA_CASES = 1000
Values = dict[str, Any]  # a value for each searched setting, as plain data


@dataclass(frozen=True)
class ResolvedSearch:
    """A search as a command asks for it: where it starts, what it may change, and how."""

    name: str
    file: Path
    doc: str
    baseline: Settings
    space: dict[str, Space] = field(hash=False)
    runs: int
    seed: int
    fresh_seeds: int
    sampler: str
    pruner: str
    random_on: tuple[str, ...]
    claim: Values = field(hash=False)
    files: dict[str, str] = field(default_factory=dict, hash=False)  # named by arguments: path to SHA-256

    def digest(self) -> str:
        """Returns eight hex digits that identify what decides the suggestions, such as baseline and spaces.

        The number of runs is not part of it, so a search can be extended.
        """
        spaces = {key: (space.kind, space.values) for key, space in self.space.items()}
        deciding = (self.baseline.digest(self.files), spaces, self.seed, self.sampler, self.pruner)
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:8]

    @property
    def cells(self) -> float:
        """How many combinations of values there are; infinity where a space is continuous."""
        return math.prod(space.cells for space in self.space.values())

    def start(self) -> Values | None:
        """Returns the baseline's values of the searched settings; None where they are outside the spaces."""
        values = {key: self.baseline.plain()[key] for key in self.space}
        return values if all(space.has(values[key]) for key, space in self.space.items()) else None

    def epochs(self, values: Values) -> int:
        """Returns the maximum number of epochs of a run with these values."""
        return int(values.get("epochs", self.baseline.epochs))

    def settings(self, values: Values) -> Settings:
        """Returns the baseline with these values, except values that the chosen model ignores."""
        chosen = Settings.model_validate(self.baseline.plain() | values)
        idle = ignored_settings(chosen, values)
        read = {key: value for key, value in values.items() if key not in idle}
        return Settings.model_validate(self.baseline.plain() | read) if idle else chosen

    def variant(self, number: int, values: Values) -> Variant:
        """Returns the variant with these values, named by its number."""
        settings = self.settings(values)
        files = named_files(settings, self.files)
        return Variant(f"{number:04d}", settings, settings.differences(self.baseline), files)

    def run(self, variant: Variant) -> Run:
        """Returns a variant's run with the search's seed."""
        return Run(self.name, variant, self.seed)

    def claimed(self) -> Settings | None:
        """Returns the settings that are claimed elsewhere to be the best; None where there are none."""
        return Settings.model_validate(self.baseline.plain() | self.claim) if self.claim else None

    def random_twin(self) -> ResolvedSearch:
        """Returns the random search to compare with: the same spaces, as many runs."""
        return replace(self, name=f"{self.name}{TWIN}", sampler="random", random_on=())

    def plain(self) -> dict[str, Any]:
        """Returns what study.json records of the search, as plain data."""
        named = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("name", "file", "doc")}
        spaces = {key: {space.kind: list(space.values)} for key, space in self.space.items()}
        return named | {"baseline": self.baseline.plain(), "space": spaces, "random_on": list(self.random_on)}

    @classmethod
    def from_plain(cls, name: str, file: str, doc: str, data: dict[str, Any]) -> ResolvedSearch:
        """Returns the search that `plain` recorded. Raises ValueError or TypeError where it recorded none."""
        Search.model_validate({key: value for key, value in data.items() if key != "files"})
        spaces = {
            key: Space.recorded(kind, values) for key, each in data["space"].items() for kind, values in each.items()
        }
        files = {str(path): str(known) for path, known in data.get("files", {}).items()}
        checked = {"baseline": Settings.model_validate(data["baseline"]), "space": spaces, "files": files}
        return cls(name=name, file=Path(file), doc=doc, **data | checked | {"random_on": tuple(data["random_on"])})

    def data_probes(self) -> Iterator[Run]:
        """Yields a run of each combination of data settings that the search may suggest; of ranges, the bounds."""
        keys = _data_keys(self.space)
        for number, values in enumerate(itertools.product(*(self.space[key].values for key in keys))):
            yield self.run(self.variant(number, dict(zip(keys, values, strict=True))))


def _choices(spaces: Mapping[str, Space], key: str) -> tuple[Any, ...]:
    return spaces[key].values if key in spaces else ()


def _data_keys(spaces: Iterable[str]) -> list[str]:
    return [key for key in spaces if key in DATA_SETTINGS and key not in ("batch_size", "sampler", "stream")]


def resolve_search(name: str, overrides: Overrides) -> ResolvedSearch:
    """Resolves a search in ablations/ by name or path. Raises RequestError with every problem."""
    file, data, doc = read_file(name, constant="SEARCH")
    where = str(file)
    search = parse_search(data, where)
    forced = overrides.forced()
    spaces, problems = parse_spaces(search, where)
    problems += [
        Problem(Kind.CONFLICT, f"--set {key}", "the search itself chooses this setting; change its space.")
        for key in forced
        if key in search.space
    ]
    baseline, wrong = parse_settings(search.baseline | forced, f"{where}: {BASELINE}")
    known = problems_of(baseline) if baseline else {}
    if baseline and "model" not in spaces:
        known |= ignored_settings(baseline, effective(baseline, search.baseline, forced))
    problems += wrong + [mistake.at(f"{where}: {BASELINE}: {key}") for key, mistake in known.items()]
    if "monitor" in spaces or (baseline and baseline.monitor != "val/loss"):
        what = 'a search compares the lowest validation losses; remove "monitor".'
        problems.append(Problem(Kind.CONFLICT, f"{where}: monitor", what))
    for key, space in spaces.items():
        problems += _check_values(search.baseline | forced, key, space, known, "model" in spaces, where)
    for dataset in search.random_on:
        problems += parse_settings(search.baseline | {"dataset": dataset}, f"{where}: random_on")[1]
    claim, wrong = _claim(search, forced, known, f"{where}: claim")
    problems += wrong
    if problems or baseline is None:
        raise RequestError(problems)
    if (cases := math.prod(len(spaces[key].values) for key in _data_keys(spaces))) > _MOST_DATA_CASES:
        what = f"got {cases:,} combinations of data settings, which all need preparation; "
        what += f"expected at most {_MOST_DATA_CASES:,}."
        raise RequestError([Problem(Kind.LIMIT, f"{where}: space", what)])
    exact = {key: _plain(baseline, key, space) for key, space in spaces.items()}
    arguments = [f"{key}_args" for key in OWN_CODE]
    chosen = [baseline.model_copy(update={key: value}) for key in arguments for value in _choices(exact, key)]
    return ResolvedSearch(
        run_name(file, baseline, search.baseline, forced), file, doc, baseline, exact,
        search.runs, search.seed, search.fresh_seeds, search.sampler, search.pruner, search.random_on, claim,
        file_hashes([baseline, *chosen], where),
    )  # fmt: skip


def _claim(search: Search, forced: Values, known: Mapping[str, Mistake], where: str) -> tuple[Values, list[Problem]]:
    """Returns the claim as plain data, without what the command line sets, and its problems."""
    said = {key: value for key, value in search.claim.items() if key not in forced}
    if "dataset" in said:
        return {}, [Problem(Kind.CONFLICT, f"{where}: dataset", "a claim is about the search's data set; remove it.")]
    settings, problems = parse_settings(search.baseline | forced | said, where)
    problems = [problem for problem in problems if any(problem.where == f"{where}: {key}" for key in said)]
    if settings is None:
        return {}, problems
    found = {key: mistake for key, mistake in problems_of(settings).items() if key not in known} if said else {}
    problems += [mistake.at(f"{where}: {key}") for key, mistake in (found | ignored_settings(settings, said)).items()]
    return {key: settings.plain()[key] for key in said}, problems


def _check_values(
    baseline: Values, key: str, space: Space, known: dict[str, Mistake], any_model: bool, where: str
) -> list[Problem]:
    """Returns the problems of every choice, or of both bounds, found by the setting's type and by libraries."""
    place = f"{where}: space"
    problems: list[Problem] = []
    for value in space.values:
        settings, wrong = parse_settings(baseline | {key: value}, place)
        problems += [problem for problem in wrong if problem.where == f"{place}: {key}"]
        if settings is None:
            continue
        found = problems_of(settings) | ({} if any_model else ignored_settings(settings, {key: value}))
        problems += [mistake.at(f"{place}: {key}: {value!r}") for other, mistake in found.items() if other not in known]
    return problems


def _plain(baseline: Settings, key: str, space: Space) -> Space:
    """Returns the same space with its values as plain data, the form in which runs record them."""
    if space.kind == "integer":  # also for a setting that may be any number
        return space
    values = (Settings.model_validate(baseline.plain() | {key: value}).plain()[key] for value in space.values)
    return replace(space, values=tuple(values))
