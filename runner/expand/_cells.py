"""A study's cells: the baseline, the named variants, and the variants from its factors and its design."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from runner.spec import (
    BASELINE,
    Kind,
    Mistake,
    Problem,
    Settings,
    Study,
    check_name,
    neutral_values,
    parse_settings,
    shown,
    suggest,
)

_MOST_CELLS, _LONGEST_NAME = 10_000, 200
_IS_THE_BASELINE = Mistake(Kind.DUPLICATE, f'"{BASELINE}" is the name of the baseline; choose another name.')


def declared_cells(
    study: Study, forced: dict[str, Any], where: str
) -> tuple[list[tuple[str, dict[str, Any]]], list[Problem]]:
    """Returns each variant's name and its changes, and all problems. The baseline comes first, factors come last."""
    problems: list[Problem] = []
    declared: list[tuple[str, dict[str, Any]]] = [(BASELINE, {})]
    for name, changes in study.variants.items():
        wrong = _IS_THE_BASELINE if name == BASELINE else check_name(name)
        if wrong:
            problems.append(wrong.at(f"{where}: variants"))
        else:
            declared.append((name, changes))
    known = study.baseline if study.own else Settings.model_fields
    unknown = [key for key in study.factors if key not in known]
    problems += [
        Problem(
            Kind.UNKNOWN,
            f"{where}: factors: {shown(key)[1:-1]}",
            f"unknown setting. {suggest(key, known)}",
        )
        for key in unknown
    ]
    if (cells := _count(study)) > _MOST_CELLS:
        what = (
            f"got {cells:,} variants; expected at most {_MOST_CELLS:,}. Give fewer levels, or search (docs/search.md)."
        )
        problems.append(Problem(Kind.LIMIT, f"{where}: factors", what))
    elif not unknown:
        baseline = ({} if study.own else neutral_values()) | study.baseline | forced
        seen = {_canonical(study, baseline, changes) for _, changes in declared}
        for name, changes in _expanded(study, baseline):
            cell = _canonical(study, baseline, changes)
            if cell not in seen:  # no cell twice
                seen.add(cell)
                declared.append((name, changes))
    lowered = Counter(name.lower() for name, _ in declared)
    for name, _ in declared:
        if len(name) > _LONGEST_NAME:
            what = f"has {len(name)} characters; expected at most {_LONGEST_NAME}. Name such a variant under variants."
            problems.append(Problem(Kind.LIMIT, f"{where}: factors", f"the name {shown(name)} {what}"))
        if lowered[name.lower()] > 1:
            problems.append(
                Problem(
                    Kind.DUPLICATE,
                    f'{where}: variant "{name}"',
                    "another name differs only in upper or lower case, which some disks ignore; rename one of them.",
                )
            )
    return declared, problems


def _count(study: Study) -> int:
    """Returns how many variants the factors give at most."""
    if isinstance(study.factors, list):
        return len(study.factors)
    levels = [len(values) for values in study.factors.values()]
    return math.prod(count + 1 for count in levels) if study.design == "factorial" else sum(levels)


def _canonical(study: Study, baseline: dict[str, Any], changes: dict[str, Any]) -> str:
    """Returns a cell as text, so that cells can be compared before they are checked."""
    if study.own:
        return json.dumps(baseline | changes, sort_keys=True)
    settings, _ = parse_settings(baseline | changes, "")
    return settings.digest() if settings else repr(sorted((baseline | changes).items(), key=lambda pair: pair[0]))


def _expanded(study: Study, baseline: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the variants that the factors and the design give."""
    neutral = neutral_values()
    given = study.factors
    # A setting without levels goes back to its neutral value.
    factors = {key: [neutral.get(key)] for key in given} if isinstance(given, list) else given
    if study.design == "factorial":
        levels = [[(key, value) for value in [baseline.get(key), *values]] for key, values in factors.items()]
        for cell in itertools.product(*levels) if factors else ():
            changes = {key: value for key, value in cell if value != baseline.get(key)}
            yield cell_name(changes), changes
        return
    for key, values in factors.items():
        for value in values:
            alone = study.design == "leave_one_out" and len(values) == 1
            yield (f"without_{key}" if alone else cell_name({key: value})), {key: value}


def cell_name(changes: dict[str, Any]) -> str:
    """Returns the name of a combination of levels.

    >>> cell_name({"lr": 0.01, "batch_norm": True})
    'lr=0.01,batch_norm=True'
    """
    return ",".join(f"{key}={slug(value)}" for key, value in changes.items())


def slug(value: Any) -> str:
    """Returns a value as part of a directory's name; a list of transforms gives the transforms' names."""
    if isinstance(value, (list, tuple)) and value and all(isinstance(v, (str, dict)) for v in value):
        text = "+".join(v if isinstance(v, str) else "+".join(map(str, v)) for v in value)
    else:
        text = str(value) if isinstance(value, str) else json.dumps(value, separators=(",", ":"), default=repr)
        text = {"true": "True", "false": "False"}.get(text, text)
    return re.sub(r"[^A-Za-z0-9._+,\[\]-]+", "_", text)[:60]
