"""Numbers as people read them."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from runner.stats import Effect


def counted(count: int, what: str) -> str:
    """1 seed, 5 seeds."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def percent(row: pd.Series[Any], metric: str) -> str:
    """A share with half its 95% interval, in percent."""
    return plus_minus(row[metric] * 100, row[f"{metric} low"] * 100, 2)


def plus_minus(estimate: float, low: float, digits: int) -> str:
    """A mean with half its 95% interval, as in 94.60 ± 0.41; the mean alone where there is none."""
    if math.isnan(estimate):
        return "-"
    half = f" ± {estimate - low:.{digits}f}" if math.isfinite(low) else ""
    return f"{estimate:z.{digits}f}{half}"


def effect_text(row: pd.Series[Any], metric: str) -> str:
    """A variant's effect in percentage points with its interval, as in +0.52 [+0.10, +0.94]; and how many pairs it
    is of where the baseline finished on fewer seeds."""
    text = points(*(row[f"effect {metric}{end}"] for end in ("", " low", " high")))
    count = int(row[f"effect {metric} n"])
    return f"{text} (n = {count})" if 0 < count < row["n"] else text


def effect_cell(effect: Effect) -> str:
    """An effect on an accuracy in percentage points with its interval."""
    return points(effect.interval.estimate, effect.interval.low, effect.interval.high)


def points(estimate: float, low: float, high: float) -> str:
    """A difference of shares in percentage points with its interval; the estimate alone where there is none."""
    if math.isnan(estimate):
        return "-"
    return f"{100 * estimate:+z.2f}" + (f" [{100 * low:+z.2f}, {100 * high:+z.2f}]" if math.isfinite(low) else "")


def p_text(p: float) -> str:
    """A p as papers print it, with a fourth digit around .05."""
    if math.isnan(p):
        return "-"
    if 0.0495 <= p < 0.0505:
        return f"{p:.4f}".replace("0.", ".", 1)
    return "< .001" if p < 0.001 else f"{p:.3f}".replace("0.", ".", 1)
