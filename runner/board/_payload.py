"""A study's tables, verdicts and comparisons as JSON: what the report shows, from the same code. It decides nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tensorboard.plugin_util import markdown_to_safe_html

from runner.board._library import Snapshot
from runner.board._seen import Seen
from runner.links import variant_links
from runner.metrics import Unit
from runner.report import (
    answer_line,
    confusions,
    contrasts,
    detail,
    lacks,
    level_lines,
    looks,
    notes,
    predicted,
    remarks,
    title,
)
from runner.spec import BASELINE
from runner.stats import Interval
from runner.verdicts import Verdict, best_variants_first, pairs, progress

_WAITING = "waiting"  # the answer of a question that has no finished runs to judge it by


def effects(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Returns the rows of summary.csv, by its columns."""
    rows = snapshot.effects.frame().to_dict(orient="records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def overview(snapshot: Snapshot) -> dict[str, Any]:
    """Returns everything of a study's page in the tab, except progress, effects and curves."""
    data = snapshot.data
    return {
        "name": snapshot.study.name,
        "title": title(data),
        "notes": [markdown_to_safe_html(text) for text in (*notes(data), *remarks(data))],
        "metrics": _metrics(snapshot),
        "main": _main(snapshot),
        "variants": _variants(snapshot),
        "order": best_variants_first(data, snapshot.effects) if len(data.runs) else [],
        "questions": [_question(verdict) for verdict in snapshot.verdicts],
        "looks": _looks(snapshot),
        "contrasts": [_contrast(each) for each in contrasts(data)] if data.trained else [],
        "levels": _levels(snapshot),
        "confusion": _confusion(snapshot),
    }


def _interval(found: Interval) -> dict[str, Any]:
    return {"estimate": found.estimate, "low": found.low, "high": found.high, "n": found.n}


def _metrics(snapshot: Snapshot) -> list[dict[str, Any]]:
    """The metrics that have effects, and each seed's difference."""
    found = []
    for name in dict.fromkeys(row.metric for row in snapshot.effects.rows if row.effect.n):
        rows = snapshot.effects.of(name)
        metric = snapshot.data.measures.table[name]
        points = {row.variant: _points(pairs(snapshot.data, row)) for row in rows}
        more = {"points": points, "better": int(metric.better)}
        found.append({"name": name, "label": metric.label, "meaning": metric.meaning, **_scale(metric.unit), **more})
    return found


def _main(snapshot: Snapshot) -> dict[str, Any]:
    """The metric of contrasts and levels."""
    measures = snapshot.data.measures
    metric = measures.table[measures.main]
    return {"label": metric.label, **_scale(metric.unit)}


def _points(differences: dict[int, float]) -> list[dict[str, Any]]:
    return [{"seed": seed, "difference": value} for seed, value in differences.items()]


def _scale(unit: Unit) -> dict[str, Any]:
    """How values are written: times `factor`, with the unit after them."""
    if unit is Unit.SHARE:
        return {"factor": 100, "unit": unit.value}
    return {"factor": 1, "unit": "" if unit in (Unit.NUMBER, Unit.COUNT) else unit.value}


def linked(content: dict[str, Any], snapshot: Snapshot, seen: Seen) -> dict[str, Any]:
    """Returns an overview with links to each variant's runs; `seen` are the pages that have something of them."""
    places = snapshot.folder.name, snapshot.study.variants[BASELINE].directory
    measures = snapshot.study.measures
    tags = () if measures.is_ours else tuple(measures.table)
    found = {
        name: [[link.shows, link.fragment] for link in variant_links(*places, entry.directory, tags, seen)]
        for name, entry in snapshot.study.variants.items()
    }
    return content | {"variants": [variant | {"links": found[variant["name"]]} for variant in content["variants"]]}


def _variants(snapshot: Snapshot) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "changes": {key: [snapshot.study.baseline.get(key), value] for key, value in entry.changes.items()},
            "settings": entry.settings if name == BASELINE else {},
        }
        for name, entry in snapshot.study.variants.items()
    ]


def _question(verdict: Verdict) -> dict[str, Any]:
    asked = {"ask": verdict.declared.ask, "exploratory": bool(verdict.exploratory)}
    if not verdict.judged:
        said = markdown_to_safe_html(f"No verdict yet: {lacks(verdict)}.")
        return asked | {"answer": _WAITING, "said": said, "comparisons": []}
    metric = verdict.question.measure
    return asked | {
        "answer": verdict.answer,
        "said": markdown_to_safe_html(answer_line(verdict)),
        "detail": markdown_to_safe_html(detail(verdict)),
        "metric": verdict.question.metric,
        "label": metric.label,
        **_scale(metric.unit),
        "smallest": verdict.question.smallest,
        "level": verdict.level,
        "comparisons": [{"label": each.label} | _interval(each.effect.interval) for each in verdict.comparisons],
    }


def _looks(snapshot: Snapshot) -> dict[str, Any] | None:
    """How far a sequential design is; None for a fixed one."""
    plan = snapshot.data.plan
    if plan is None or not plan.is_sequential:
        return None
    found = progress(snapshot.data)
    decided = sum(track.decided > 0 for track in found.tracks if not track.deleted)
    table = markdown_to_safe_html(looks(snapshot.data, snapshot.verdicts))
    return {"looks": list(plan.looks), "next": found.look, "open": len(found.open), "decided": decided, "table": table}


def _contrast(found: Any) -> dict[str, Any]:
    return {"label": found.label, "design": found.design, "p": found.effect.p} | _interval(found.effect.interval)


def _levels(snapshot: Snapshot) -> list[dict[str, Any]]:
    """The main metric over the levels of each numeric setting that has three; a level without limit is null."""
    found = []
    for key, lines in level_lines(snapshot.data).items():
        each = [{"label": line.label, "points": _values(snapshot, line.variants)} for line in lines]
        found.append({"setting": key, "lines": each})
    return found


def _values(snapshot: Snapshot, variants: dict[float, str]) -> list[dict[str, Any]]:
    main = snapshot.data.measures.main
    rows = {level: snapshot.effects.row(name, main) for level, name in variants.items()}
    levels = {level: level if math.isfinite(level) else None for level in variants}
    return [{"level": levels[at], "variant": row.variant} | _interval(row.mean) for at, row in rows.items()]


def _confusion(snapshot: Snapshot) -> dict[str, Any] | None:
    """The baseline's confusion on test, and how the most accurate variant's differs, in shares of each true class."""
    data = snapshot.data
    if not data.trained:
        return None
    best: Sequence[str] = best_variants_first(data, snapshot.effects)
    found = confusions(predicted(data), best[0], data.classes)
    if found is None or found.difference is None:
        return None
    matrices = {"shares": found.shares.tolist(), "difference": found.difference.tolist()}
    return {"classes": list(found.classes), "other": found.other} | matrices
