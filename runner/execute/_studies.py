"""Carries out a request for studies, from their names to finished runs."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from runner.execute._dicts import declared_before, directories_of_dicts, refuse_other_baselines
from runner.execute._prepare import prepare_data, say_notes
from runner.execute._processes import start_server
from runner.execute._request import Outcome, Request
from runner.execute._script import check_script
from runner.expand import ResolvedStudy, resolve_studies
from runner.files import lock
from runner.places import unwritable
from runner.spec import Kind, Problem, RequestError
from runner.store import StudyFile, VariantEntry, command, first_end, read_study, write_study
from runner.text import one_line


def execute(request: Request, console: Console) -> Outcome:
    """Trains the remaining runs, or shows them with `dry_run`.

    Raises RequestError where the request is wrong. Then nothing was trained or written.
    """
    check_script()
    start_server()
    studies = resolve_studies(request.studies, request.overrides, request.name)
    check_places(request, [study.name for study in studies])
    refuse_other_baselines(studies, request.runs)
    runs = [run for study in studies for run in study.runs()]
    names = tuple(study.name for study in studies)
    # These import torch, which takes seconds, so the request is checked first.
    from runner.execute._opened import open_crew
    from runner.execute._plan import Plan

    plan = Plan(runs, request)
    with open_crew(request, runs, plan.to_do) as crew:
        data = prepare_data(runs, request)
        plan.schedule(crew, data)
        say_notes(data, runs, console)
        if request.dry_run:
            plan.show(console)
            return Outcome(names, 0)
        with lock(request.runs):
            refuse_other_baselines(studies, request.runs)  # another notebook may have taken the name meanwhile
            for study in studies:
                _write_study(study, request, data.notes_of(study.runs()))
        return Outcome(names, plan.train(console))


def check_places(request: Request, names: Sequence[str]) -> None:
    """Raises RequestError where a study's directory can't be written, or where the number of workers is wrong."""
    places = (request.runs, request.reports)
    problems = unwritable(*places, *(place / name for place in places for name in names))
    if request.workers is not None and request.workers < 1:
        problems.append(Problem(Kind.VALUE, "--workers", f"got {request.workers}; expected a number from 1."))
    if problems:
        raise RequestError(problems)


def _write_study(study: ResolvedStudy, request: Request, data_notes: list[str]) -> None:
    """Writes study.json: the resolved request, with the time at which each question was first declared."""
    folder = request.runs / study.name
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    before = read_study(folder)
    kept, earlier = declared_before(study, before)
    declared = {_question_key(item): item.get("declared", now) for item in (before.questions if before else [])}
    ended = {entry.directory: entry.first_end for entry in (before.variants.values() if before else ())}
    questions = [question.model_dump(mode="json", exclude_none=True) for question in study.questions]
    variants = {
        variant.name: VariantEntry.of(
            variant,
            # kept, so that retraining makes no question seem older than what it judges
            first_end=first_end(folder / variant.directory, ended.get(variant.directory)),
        )
        for variant in study.variants
    }
    directories = directories_of_dicts(study, before)
    given: dict[str, Any] = {"directories": directories} if directories else {}
    content = StudyFile(
        name=study.name, file=str(study.file), doc=study.doc.strip(), command=command(), data_notes=data_notes,
        variants=variants | kept,
        questions=[item for item in earlier if _question_key(item) not in map(_question_key, questions)]
        + [item | {"declared": declared.get(_question_key(item), now)} for item in questions],
        **given,
    )  # fmt: skip
    write_study(folder, content)


def _question_key(question: dict[str, Any]) -> str:
    """Returns what identifies a declared question: all of it except the claim that is quoted beside it."""
    own = {key: value for key, value in question.items() if key not in ("declared", "claim", "claim_for")}
    return json.dumps(own | {"ask": one_line(str(question.get("ask")))}, sort_keys=True)
