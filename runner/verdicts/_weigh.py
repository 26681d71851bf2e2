"""Effects to the two p-values of a question: that there is a difference, and that none matters."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from runner.stats import Effect, equivalence_p, outside_p

SUPPORTED, REFUTED, UNDECIDED, EQUIVALENT = "supported", "refuted", "undecided", "practically equivalent"


def weigh(effects: Sequence[Effect], expect: str, smallest: float | None) -> tuple[str, float]:
    """Returns which way a question leans, and the p of that.

    The claim holds if every comparison is significant, so its p is the largest of their p-values (intersection-union
    test, Berger 1982). It is refuted if any comparison is significant in the other direction (Bonferroni-corrected).
    The claim "different" can't be refuted: the claim "equal" tests that. "equal" can only be refuted here, by a
    difference beyond the margin; `weigh_equivalence` supports it.
    """
    if not effects or any(math.isnan(effect.interval.estimate) for effect in effects):
        return SUPPORTED, math.nan
    if expect == "equal":
        return REFUTED, _any([outside_p(effect, smallest or 0.0) for effect in effects], len(effects))
    if expect == "different":
        return SUPPORTED, _all([effect.p for effect in effects])
    sign = 1 if expect == "more" else -1
    opposite = [effect.p for effect in effects if sign * effect.interval.estimate <= 0]
    if not opposite:
        return SUPPORTED, _all([effect.p for effect in effects])
    return REFUTED, _any(opposite, len(effects))


def weigh_best(effects: Sequence[Effect]) -> tuple[str, float]:
    """Returns the same for "which is best": `effects` are the best variant minus each other one."""
    return SUPPORTED, _all([effect.p for effect in effects]) if effects else math.nan


def weigh_equivalence(effects: Sequence[Effect], smallest: float | None) -> float:
    """Returns the p that every difference is within `smallest`: the largest of theirs; nan without a margin."""
    if not smallest or not effects:
        return math.nan
    return _all([equivalence_p(effect, smallest) for effect in effects])


def _all(p_values: Sequence[float]) -> float:
    """That all hold: the largest p; nan where one can't be tested."""
    return float(np.max(p_values))


def _any(p_values: Sequence[float], count: int) -> float:
    """That one of `count` holds: the smallest p times the count; nan where none can be tested."""
    known = [p for p in p_values if not math.isnan(p)]
    return min(1.0, count * min(known)) if known else math.nan
