"""Studies declared as dicts, in a notebook or a script: several may share a name, if they share the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pydantic

from runner.expand import ResolvedStudy
from runner.measures import MetricSet
from runner.spec import BASELINE, FreeSettings, Kind, Problem, Question, RequestError, Settings, shown
from runner.store import StudyFile, VariantEntry, as_declared, read_study


def refuse_other_baselines(studies: Iterable[ResolvedStudy], runs: Path) -> None:
    """Raises RequestError for a dict whose name a study with another baseline has: it would replace that report."""
    problems = []
    for study in studies:
        before = read_study(runs / study.name) if study.is_dict else None
        if before and (why := _other_baseline(study, before)):
            what = f'has a study with another baseline ({why}); give this one its own name: run(study, name="...").'
            problems.append(Problem(Kind.CONFLICT, str(runs / study.name), what))
    if problems:
        raise RequestError(problems)


def _other_baseline(study: ResolvedStudy, before: StudyFile) -> str:
    """Returns the differences from the baseline in study.json as text; empty where there are none."""
    baseline = next(variant.settings for variant in study.variants if variant.name == BASELINE)
    if isinstance(baseline, FreeSettings):
        was = before.baseline
        changes = baseline.differences(FreeSettings(was, baseline.training))
        changes |= {key: None for key in was if key not in baseline.values}
    else:
        try:
            known = Settings.model_validate(before.baseline)
        except pydantic.ValidationError:
            return "one that can't be read, or a search's"
        if known.digest() == baseline.digest():
            return ""
        was, changes = known.plain(), baseline.differences(known)
    changed = changes.items()
    return ", ".join(f"{key}: {shown(was.get(key), 30)} there, {shown(value, 30)} here" for key, value in changed)


def declared_before(
    study: ResolvedStudy, before: StudyFile | None
) -> tuple[dict[str, VariantEntry], list[dict[str, Any]]]:
    """Returns the variants in study.json that a dict does not declare itself, and the questions about them.

    Both are kept, because an earlier dict of this name declared them. What the dict declares again is replaced.
    """
    if not study.is_dict or not before:  # a file says everything
        return {}, []
    names = {variant.name for variant in study.variants}
    kept = {name: entry for name, entry in before.variants.items() if name not in names}
    return kept, [question for question in before.questions if _is_about(question, kept, before.measures)]


def _is_about(question: dict[str, Any], kept: Mapping[str, VariantEntry], metrics: MetricSet) -> bool:
    try:
        asked = Question.model_validate(as_declared(question), context=metrics)
    except pydantic.ValidationError:
        return False
    over_levels = asked.trend is not None and any(set(entry.changes) == {asked.trend} for entry in kept.values())
    return over_levels or any(name in kept for name in asked.variants())


def directories_of_dicts(study: ResolvedStudy, before: StudyFile | None) -> list[str]:
    """Returns the directories of all variants that dicts of this name have declared. `prune` keeps all of them."""
    found = set(before.directories if before else ())
    if before and not before.file.endswith(".py"):
        found |= {entry.directory for entry in before.variants.values()}
    if study.is_dict:
        found |= {variant.directory for variant in study.variants}
    return sorted(found)
