"""Which variants a figure has room for, and words on those that it does not show."""

from __future__ import annotations

import math

from runner.spec import BASELINE
from runner.verdicts import EffectRow, EffectsTable, StudyRuns, best_variants_first

MOST_PANELS, MOST_ROWS = 24, 40


def panels(data: StudyRuns, effects: EffectsTable) -> list[str]:
    """Returns the variants that have curves, in the study's order: the baseline and the best others, at most 24."""
    if len(data.trained) <= MOST_PANELS:
        return data.trained
    best = best_variants_first(data, effects)
    chosen = set(sorted(best, key=lambda name: name != BASELINE)[:MOST_PANELS])  # stable: the baseline comes first
    return [name for name in data.trained if name in chosen]


def effect_rows(data: StudyRuns, effects: EffectsTable) -> list[EffectRow]:
    """Returns the effects that are drawn, in the study's order: the lowest and the highest, at most 40."""
    rows = _finite(data, effects)
    if len(rows) <= MOST_ROWS:
        return rows
    ranked = sorted(rows, key=lambda row: row.effect.estimate)
    ends = {row.variant for row in (*ranked[: MOST_ROWS // 2], *ranked[-MOST_ROWS // 2 :])}
    return [row for row in rows if row.variant in ends]


def _finite(data: StudyRuns, effects: EffectsTable) -> list[EffectRow]:
    return [row for row in effects.of(data.measures.main) if math.isfinite(row.effect.estimate)]


def not_shown(figure: str, data: StudyRuns, effects: EffectsTable) -> str:
    """Says which variants a figure of the report leaves out; empty where it has all."""
    trained, rows = len(data.trained), len(_finite(data, effects))
    if figure == "effects" and rows > MOST_ROWS:
        return f"Of {rows} effects, the {MOST_ROWS // 2} lowest and the {MOST_ROWS // 2} highest are shown."
    if figure not in ("curves", "losses", "classes") or trained <= MOST_PANELS or not data.measures.is_ours:
        return ""
    label = data.measures.table[data.measures.main].label
    return f"Of {trained} variants, the baseline and the {MOST_PANELS - 1} best others by {label} are shown."
