"""Main effects and interactions, where variants are the full product of some settings' levels."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from runner.expand import slug
from runner.spec import BASELINE
from runner.stats import Effect, contrast_effect
from runner.verdicts import StudyRuns

Level = tuple[str, str]  # a setting and its value, as JSON
Cell = tuple[Level, ...]
_MOST_SETTINGS = 10  # whose subsets are looked through


@dataclass(frozen=True)
class Contrast:
    """A main effect (one setting) or an interaction (two), averaged over the product's other settings."""

    label: str
    design: str  # the product: its settings with the number of their levels
    effect: Effect


def contrasts(data: StudyRuns) -> list[Contrast]:
    """Every main effect and two-way interaction against the baseline's levels; none without a full product.

    They are effects on the study's main metric.
    """
    baseline, metric = data.study.baseline, data.measures.main
    found = []
    for cells in _products(data):
        values = np.column_stack(data.paired(list(cells.values()), metric))
        levels = _levels(list(cells))
        own = {key: json.dumps(baseline.get(key)) for key in levels}
        design = " x ".join(f"{key} ({len(found_levels)})" for key, found_levels in levels.items())
        mains = [(key, level) for key, levels_of in levels.items() for level in levels_of if level != own[key]]
        both = [pair for pair in itertools.combinations(mains, 2) if pair[0][0] != pair[1][0]]
        for chosen in [*((main,) for main in mains), *both]:
            label = " x ".join(f"{key}={slug(json.loads(level))}" for key, level in chosen)
            effect = contrast_effect(values, _weights(list(cells), chosen, own))
            found.append(Contrast(label, design, data.over_splits(effect, metric, list(cells.values()))))
    return found


def _products(data: StudyRuns) -> Iterator[dict[Cell, str]]:
    """The largest sets of settings whose levels the finished variants combine in full: cell to variant."""
    variants = {name: data.study.variants[name] for name in data.trained}
    keys = sorted({key for variant in variants.values() for key in variant.changes})
    covered: list[set[str]] = []
    if BASELINE not in variants or len(keys) > _MOST_SETTINGS:
        return
    for size in range(len(keys), 1, -1):
        for chosen in itertools.combinations(keys, size):
            if any(set(chosen) <= known for known in covered):
                continue
            within = {name: v.settings for name, v in variants.items() if set(v.changes) <= set(chosen)}
            cells = {tuple((key, json.dumps(s.get(key))) for key in chosen): name for name, s in within.items()}
            counts = [len(levels) for levels in _levels(list(cells)).values()]
            if min(counts) > 1 and len(cells) == np.prod(counts):
                covered.append(set(chosen))
                yield cells


def _levels(cells: list[Cell]) -> dict[str, list[str]]:
    levels: dict[str, list[str]] = {}
    for key, level in itertools.chain.from_iterable(cells):
        if level not in levels.setdefault(key, []):
            levels[key].append(level)
    return levels


def _weights(cells: list[Cell], chosen: tuple[Level, ...], own: dict[str, str]) -> list[float]:
    """+1 for cells at the chosen level, -1 at the baseline's, 0 else (products of these for an
    interaction), scaled so that each side is a mean over the other settings' levels."""
    signs = []
    for cell in map(dict, cells):
        sides = [1 if cell[key] == level else -1 if cell[key] == own[key] else 0 for key, level in chosen]
        signs.append(float(np.prod(sides)))
    size = sum(map(abs, signs)) / 2 ** len(chosen)
    return [sign / size for sign in signs]
