"""The study.json of a command: the resolved request, every question ever declared, the planned seeds and looks."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pydantic

from runner.execute._dicts import declared_before, directories_of_dicts
from runner.expand import ResolvedStudy
from runner.measures import OURS, MetricSet
from runner.spec import Question, SeedPlan, recorded
from runner.store import (
    ENDED,
    EarlierSeeds,
    RunDir,
    RunJson,
    StudyFile,
    VariantEntry,
    as_declared,
    command,
    first_end,
    read_study,
)


def study_file(study: ResolvedStudy, runs: Path, data_notes: list[str]) -> StudyFile:
    """Returns the content of study.json, with what earlier commands wrote and must stay. Writes nothing."""
    folder = runs / study.name
    before = read_study(folder)
    now = present()
    kept, earlier = declared_before(study, before)
    plan = _kept_looks(study.seeds, before.plan if before else None)
    replaced = _replaced_plan(folder, before, plan, now) if before else []
    ended = {entry.directory: entry.first_end for entry in (before.variants.values() if before else ())}
    fresh = _is_fresh(before, plan)
    variants = {
        variant.name: VariantEntry.of(
            variant,
            # kept, so that retraining makes no question seem older than what it judges
            first_end=first_end(
                None if fresh else ended.get(variant.directory), _planned_runs(folder / variant.directory, plan)
            ),
        )
        for variant in study.variants
    }
    chosen = [variant.name for variant in study.selected]
    given: dict[str, Any] = {} if len(chosen) == len(variants | kept) else {"selected": chosen}
    given |= {"directories": directories} if (directories := directories_of_dicts(study, before)) else {}
    given |= {"earlier_seeds": replaced} if replaced else {}
    given |= {"metrics": dict(study.own.metrics), "monitor": study.own.monitor} if study.own else {}
    return StudyFile(
        name=study.name, file=recorded(study.file), doc=study.doc.strip(), command=command(), data_notes=data_notes,
        variants=variants | kept, questions=_questions(study, before, earlier, folder, now),
        seeds=plan.plain(),
        **given,
    )  # fmt: skip


def _planned_runs(variant: Path, plan: SeedPlan) -> list[RunJson | None]:
    """Returns what is known of a variant's runs with planned seeds."""
    names = {f"seed{seed}" for seed in plan.seeds}
    runs = [RunDir(path) for path in variant.glob("seed*") if path.name in names]
    return [run.own_run_json() for run in runs]


def present() -> str:
    """Returns the present time (UTC, ISO 8601)."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _kept_looks(plan: SeedPlan, before: SeedPlan | None) -> SeedPlan:
    """Returns the plan of before where it is for the same seeds: its looks stay, whatever rule made them."""
    if before and before.is_sequential and (before.seeds, before.first) == (plan.seeds, plan.first):
        return before
    return plan


def _replaced_plan(folder: Path, before: StudyFile, plan: SeedPlan, now: str) -> list[EarlierSeeds]:
    """Returns the plans before this one, the last one too if it is another and runs of it have ended."""
    known = before.plan
    if known == plan:
        return before.earlier_seeds
    ended = {entry.directory: _ended_seeds(folder / entry.directory) for entry in before.variants.values()}
    ended = {name: seeds for name, seeds in ended.items() if seeds}
    if not ended or (known is None and _may_be_unfinished(ended, plan)):
        return before.earlier_seeds
    return [*before.earlier_seeds, EarlierSeeds(seeds=before.seeds, until=now, ended=ended)]


def _ended_seeds(variant: Path) -> list[int]:
    runs = map(RunDir, variant.glob("seed*"))
    return sorted(known.seed for run in runs if (known := run.own_run_json()) and known.status in ENDED)


def _may_be_unfinished(ended: dict[str, list[int]], plan: SeedPlan) -> bool:
    """Whether a plan that was never written (by older code) may have been this one: some variant lacks runs of it."""
    found = {tuple(seeds) for seeds in ended.values()}
    return len(found) > 1 or found == {plan.seeds}


def _is_fresh(before: StudyFile | None, plan: SeedPlan) -> bool:
    """Whether a plan takes the place of another one, and has none of its seeds."""
    known = before.plan if before else None
    return known is not None and not set(known.seeds) & set(plan.seeds)


def _questions(
    study: ResolvedStudy,
    before: StudyFile | None,
    earlier: list[dict[str, Any]],
    folder: Path,
    now: str,
) -> list[dict[str, Any]]:
    """Returns every question ever declared, with the time of that; those that are no longer asked are marked."""
    written = before.questions if before else []
    metrics = study.own.measures if study.own else OURS
    first = {question_key(item, metrics): item.get("declared", now) for item in reversed(written)}
    asked = [
        question.model_dump(mode="json", exclude_none=True) | {"declared": first.get(question.key(), now)}
        for question in study.questions
    ]
    keys = {question_key(item, metrics) for item in asked}
    kept = [item for item in earlier if question_key(item, metrics) not in keys]
    keys |= {question_key(item, metrics) for item in kept}
    known = before.variants if before else {}
    gone = [_deleted(item, known, folder, now, metrics) for item in written if question_key(item, metrics) not in keys]
    return [*kept, *asked, *gone]


def _deleted(
    item: dict[str, Any], variants: dict[str, VariantEntry], folder: Path, now: str, metrics: MetricSet
) -> dict[str, Any]:
    """Marks a question that is no longer asked; `variants` are those of before."""
    if "deleted" in item:
        return item
    try:
        question = Question.model_validate(as_declared(item), context=metrics)
    except pydantic.ValidationError:
        return item | {"deleted": now, "after_runs": False}  # nothing could judge it
    names = question.variants() or [name for name, each in variants.items() if set(each.changes) <= {question.trend}]
    entries = [variants[name] for name in names if name in variants]
    ended = any(each.first_end or _ended_seeds(folder / each.directory) for each in entries)
    return item | {"deleted": now, "after_runs": ended}


def question_key(item: dict[str, Any], metrics: MetricSet = OURS) -> str:
    """Returns what identifies a question of study.json; of a malformed one all except its words.

    `metrics` are the study's.
    """
    own = as_declared(item)
    try:
        return Question.model_validate(own, context=metrics).key()
    except pydantic.ValidationError:
        words = ("ask", "claim", "claim_for")
        return json.dumps({key: value for key, value in own.items() if key not in words}, sort_keys=True)
