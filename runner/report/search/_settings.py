"""A search's settings in words: the best of them side by side, and where they lie in their spaces."""

from __future__ import annotations

import json
import math
from typing import Any

from runner.expand import ignored_settings
from runner.report.search._runs import SearchRuns
from runner.spec import Settings, Space
from runner.text import table

_NEAR = 0.05  # of a space, at either end: there the best may lie beyond


def text_of(value: Any) -> str:
    """A setting's value as a cell: numbers short, transforms by their names and arguments."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if value == []:
        return "none"
    if isinstance(value, list) and isinstance(value[0], dict):
        calls = ((name, args) for item in value for name, args in item.items())
        return ", ".join(f"{name}({', '.join(f'{key}={args[key]}' for key in args)})" for name, args in calls)
    return value if isinstance(value, str) else json.dumps(value)


def best_settings(data: SearchRuns) -> str:
    """A table: a row a setting, a column a winner, and a column of the settings that are claimed elsewhere."""
    search, ranked = data.record.search, data.record.ranked()
    columns: dict[str, dict[str, Any]] = {"start": search.baseline.plain()}
    for title, (run, _) in zip(("winner", "runner-up"), ranked, strict=False):
        columns[f"{title} ({run.variant.name})"] = run.variant.ours.plain()
    if data.twin and (best := data.twin.record.ranked()):
        columns[f"random search's ({best[0][0].variant.name})"] = best[0][0].variant.ours.plain()
    keys = [*search.space, *(key for key in search.claim if key not in search.space)]
    heads = [*columns, *(["claimed elsewhere"] if search.claim else [])]
    rows = []
    for key in keys:
        space = search.space.get(key)
        values = [text_of(settings[key]) if key in Settings.model_fields else "" for settings in columns.values()]
        said = [text_of(search.claim[key]) if key in search.claim else ""] if search.claim else []
        rows.append([key, _space(space) if space else "", *values, *said])
    return table(["setting", "space", *heads], rows, names=2 + len(heads))


def at_bounds(data: SearchRuns) -> str:
    """Which of the winner's numbers are at an end of their space, as a list in Markdown."""
    (run, winner), lines = data.record.ranked()[0], []
    idle = ignored_settings(run.variant.ours, winner.values)
    for key, space in data.record.search.space.items():
        if space.kind == "categorical" or key in idle:
            continue
        scale = math.log if space.kind == "log_uniform" else float
        low, high, value = (scale(number) for number in (*space.values, winner.values[key]))
        part = (value - low) / (high - low)
        if not _NEAR < part < 1 - _NEAR:
            end = text_of(space.values[part > 0.5])
            lines.append(
                f"- {key} = {text_of(winner.values[key])} is at the end of its space ({end}). "
                "Better values may lie beyond it."
            )
    return "\n".join(lines)


def _space(space: Space) -> str:
    if space.kind == "categorical":
        return " / ".join(text_of(value) for value in space.values)
    low, high = map(text_of, space.values)
    return f"{low} to {high}" + (", log" if space.kind == "log_uniform" else "")
