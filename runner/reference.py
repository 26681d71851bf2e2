"""Rewrites the tables of docs/settings.md from the tables in the code: `python -m runner.reference`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from typing_extensions import Doc

from runner.catalog import ACTIVATIONS, DATASETS, INITIALIZATIONS, LOSSES, MODELS, SCHEDULES, Entry
from runner.logs import RUN_PICTURES
from runner.metrics import CLASS_METRICS, CURVES, METRICS
from runner.spec import Settings, neutral_values
from runner.store import RESULT_TAGS
from runner.text import code, table

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
_PLACE = re.compile(r"(<!-- table: (\w+) -->\n).*?(\n<!-- end -->)", re.S)


def tables() -> dict[str, str]:
    """Returns every generated table in Markdown, by the name in its marker."""
    return {
        "settings": _settings(),
        "models": table(
            ["model", "meaning", "settings", "source"],
            [(code(m.name), m.meaning, _listed(sorted(m.reads)), m.source) for m in MODELS.values()],
            names=4,
        ),
        "activations": _entries("activation", ACTIVATIONS),
        "initializations": table(
            ["initialization", "meaning", "arguments", "source"],
            [(code(i.name), i.meaning, _listed(i.arguments), i.source) for i in INITIALIZATIONS.values()],
            names=4,
        ),
        "schedules": _entries("schedule", SCHEDULES),
        "losses": _entries("loss", LOSSES),
        "datasets": table(
            ["data set", "meaning", "source", "classes", "validation", "test"],
            [(code(d.name), d.meaning, d.source, d.classes, f"{d.val:,}", f"{d.test:,}") for d in DATASETS.values()],
            names=3,
        ),
        "metrics": _metrics(),
        "pictures": table(
            ["picture", "meaning", "when"], [(code(p.tag), p.meaning, p.when) for p in RUN_PICTURES], names=3
        ),
        "scalars": table(
            ["scalar", "meaning", "when"],
            [(code(name), curve.meaning, "every epoch") for name, curve in CURVES.items()]
            + [(code(tag), METRICS[name].meaning, "once, at the best epoch") for name, tag in RESULT_TAGS.items()],
            names=3,
        ),
    }


def rewritten(page: str) -> str:
    """Returns the page with each marked table rewritten. Raises KeyError where a marker names no table."""
    made = tables()
    return _PLACE.sub(lambda place: place[1] + made[place[2]] + place[3], page)


def main() -> None:
    """Rewrites docs/settings.md."""
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def _settings() -> str:
    neutral = {key: code(f'"{value}"' if isinstance(value, str) else value) for key, value in neutral_values().items()}
    rows = [
        (code(key), neutral.get(key, "(required)"), *(each.documentation for each in field.metadata if _is_doc(each)))
        for key, field in Settings.model_fields.items()
    ]
    return table(["setting", "neutral value", "meaning"], rows, names=3)


def _is_doc(metadata: object) -> bool:
    return isinstance(metadata, Doc)


def _metrics() -> str:
    every = {**METRICS, **CLASS_METRICS}
    rows = [(code(name), each.meaning, each.unit.value, each.better.name.lower()) for name, each in every.items()]
    return table(["metric", "meaning", "unit", "better"], rows, names=4)


def _entries(head: str, entries: Mapping[str, Entry]) -> str:
    rows = [(code(entry.name), entry.meaning, entry.source) for entry in entries.values()]
    return table([head, "meaning", "source"], rows, names=3)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))


if __name__ == "__main__":
    main()
