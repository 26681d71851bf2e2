"""Numeric settings, level by level: which variants differ in one setting alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from runner.expand import cell_name
from runner.verdicts import StudyRuns

LEAST, MOST_LINES = 3, 6  # levels that make a curve, and lines that a reader can distinguish
BASELINES = "as the baseline"
_NAMES = {"stream"}  # numbers that name something


@dataclass(frozen=True)
class LevelLine:
    """Variants that differ in one numeric setting alone: its level to the variant, levels ascending."""

    label: str  # what they have in common that the baseline has not
    variants: dict[float, str]


def level_lines(data: StudyRuns) -> dict[str, list[LevelLine]]:
    """Lines by numeric setting, in the study's order, where at least one has three levels.

    A 0 that means no limit is the level infinity; a level that is no number, as `native`, is on no line. Of more
    than six lines, too many to distinguish, only the first with three levels is kept.
    """
    settings = {name: data.study.variants[name].settings for name in data.trained}
    changed = sorted({key for name in settings for key in data.study.variants[name].changes} - _NAMES)
    found = {}
    for key in changed:
        groups: dict[str, dict[float, str]] = {}
        for name, own in settings.items():
            if (level := data.level(key, name)) is not None:
                rest = json.dumps({other: own[other] for other in own if other != key}, sort_keys=True)
                groups.setdefault(rest, {}).setdefault(level, name)
        lines = _labelled(data, key, [dict(sorted(group.items())) for group in groups.values() if len(group) > 1])
        curves = [line for line in lines if len(line.variants) >= LEAST]
        if curves:
            found[key] = lines if len(lines) <= MOST_LINES else curves[:1]
    return found


def _labelled(data: StudyRuns, key: str, groups: Sequence[dict[float, str]]) -> list[LevelLine]:
    """Each group by what it changes beside the setting, as in batch_norm=True; by its first variant too where several
    would have the same text, since that names transforms without their arguments."""
    firsts = [next(iter(group.values())) for group in groups]
    changes = [data.study.variants[first].changes for first in firsts]
    labels = [cell_name({k: v for k, v in own.items() if k != key}) or BASELINES for own in changes]
    return [
        LevelLine(label if labels.count(label) == 1 else f"{label} ({first})", group)
        for label, first, group in zip(labels, firsts, groups, strict=True)
    ]
