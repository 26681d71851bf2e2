"""Metrics and questions of adopted runs: what a study file says, and what names of tags say."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydantic

from runner.adopt._runs import Found
from runner.adopt._settings import changes_of
from runner.board.anyruns import is_lower_better, sorted_tags, useful_tags
from runner.measures import TAKEN, own_metrics
from runner.spec import (
    Kind,
    Problem,
    Question,
    RequestError,
    available,
    from_pydantic,
    plain,
    read_file,
    suggest,
)
from runner.store import StudyFile, as_declared

_MOST_METRICS = 12
_LEAST_LEVELS = 2  # of a trend


@dataclass(frozen=True)
class Declared:
    """What a study file declares; all of it empty without a file."""

    file: str = ""
    doc: str = ""
    metrics: dict[str, str] = field(default_factory=dict)
    monitor: str = ""
    questions: list[dict[str, Any]] = field(default_factory=list)


def declared(file: Path | None, name: str) -> Declared:
    """Reads the given file, or else the study of this name in ablations/, if there is one. Raises RequestError."""
    if file is None and name not in available():
        return Declared()
    path, data, doc = read_file(str(file) if file else name)
    data = plain(data, str(path))
    if not isinstance(data, dict):
        raise RequestError([Problem(Kind.VALUE, str(path), 'STUDY is no dict; expected {"questions": [...]}.')])
    metrics, questions, monitor = data.get("metrics", {}), data.get("questions", []), data.get("monitor", "")
    problems = []
    if not isinstance(metrics, dict) or not all(way in ("more", "less") for way in metrics.values()):
        what = 'expected a dict from a metric to "more" or "less", which way is better.'
        problems.append(Problem(Kind.VALUE, f"{path}: metrics", what))
    elif taken := TAKEN & set(metrics):
        what = f'"{min(taken)}" is a column of every table of runs; log the metric under another name.'
        problems.append(Problem(Kind.CONFLICT, f"{path}: metrics", what))
    if not isinstance(questions, list) or not all(isinstance(each, dict) for each in questions):
        problems.append(Problem(Kind.VALUE, f"{path}: questions", "expected a list of dicts."))
    if not isinstance(monitor, str):
        problems.append(Problem(Kind.VALUE, f"{path}: monitor", "expected the name of a metric."))
    if problems:
        raise RequestError(problems)
    return Declared(str(path), doc.strip(), metrics, monitor, questions)


def metrics_of(found: Found, asked: Declared, before: StudyFile | None) -> dict[str, Any]:
    """Returns each metric and which way is better: those that were declared, or else those that names of tags tell.

    Raises RequestError where a declared metric is in no run.
    """
    tags = found.tags
    problems = [
        Problem(Kind.UNKNOWN, f"{asked.file}: metrics", f'no run has "{name}". {suggest(name, tags)}')
        for name in asked.metrics
        if name not in tags
    ]
    metrics = asked.metrics or (before.metrics if before else {})
    if not metrics:
        chosen = useful_tags(sorted_tags(tags))[:_MOST_METRICS]
        metrics = {tag: "less" if is_lower_better(tag) else "more" for tag in chosen}
    if not metrics:
        problems.append(Problem(Kind.MISSING, "the runs", "have no scalars; expected metrics such as val/loss."))
    if asked.monitor and asked.monitor not in metrics:
        what = f'"{asked.monitor}" is none of the metrics. {suggest(asked.monitor, metrics)}'
        problems.append(Problem(Kind.UNKNOWN, f"{asked.file}: monitor", what))
    if problems:
        raise RequestError(problems)
    return dict(metrics)


def questions_of(
    asked: Declared,
    metrics: Mapping[str, str],
    names: Mapping[str, str],
    settings: Mapping[str, Mapping[str, Any]],
    before: StudyFile | None,
) -> list[dict[str, Any]]:
    """Returns the questions as study.json has them, with the time at which each was declared first.

    `names` are those of the study by those in the logs: a question may use either. `settings` are those of each variant
    of the study. Raises RequestError.
    """
    if not asked.file:
        return before.questions if before else []
    measures, problems = own_metrics(metrics, asked.monitor), []
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    known = {_key(item): item.get("declared", now) for item in (before.questions if before else [])}
    found = []
    for number, given in enumerate(asked.questions, start=1):
        where = f"{asked.file}: question {number}"
        try:
            question = Question.model_validate(_renamed(given, names), context=measures)
        except pydantic.ValidationError as error:
            problems += from_pydantic(error, where, Question)
            continue
        problems += [
            Problem(
                Kind.UNKNOWN, where, f'there is no variant "{name}". {suggest(name, set(names) | set(names.values()))}'
            )
            for name in question.variants()
            if name not in names.values()
        ]
        if question.images == "new":
            what = '"images": "new" needs the predictions of each image, which logs do not have; remove it.'
            problems.append(Problem(Kind.CONFLICT, where, what))
        if question.trend and len(levels := _levels(question.trend, settings)) < _LEAST_LEVELS:
            what = f'got the trend "{question.trend}"; expected an hparam whose numbers alone tell variants apart. '
            problems.append(Problem(Kind.CONFLICT, where, f"{what}The logs have {len(levels)}; compare variants."))
        item = question.model_dump(mode="json", exclude_none=True)
        found.append(item | {"declared": known.get(_key(item), now)})
    if problems:
        raise RequestError(problems)
    return found


def _levels(trend: str, settings: Mapping[str, Mapping[str, Any]]) -> set[float]:
    """Returns the numbers of a setting in the baseline and in the variants that change it alone."""
    values = [own.get(trend) for name, own in settings.items() if set(changes_of(settings, name)) <= {trend}]
    return {float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)}


def _key(item: Mapping[str, Any]) -> str:
    return repr(sorted((key, value) for key, value in as_declared(item).items() if key not in ("ask", "claim")))


def _renamed(given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Replaces names of the logs by those of the study, in the keys that name variants."""

    def rename(value: Any, names_of: Collection[str]) -> Any:
        if isinstance(value, list):
            return [rename(each, names_of) for each in value]
        return names[value] if isinstance(value, str) and value in names_of else value

    others = {name for name in names if name not in names.values()}  # a name of the study means that variant
    keys = ("compare", "interaction", "best_of", "value")
    return {key: rename(value, others) if key in keys else value for key, value in given.items()}
