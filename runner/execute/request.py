"""A request, from its words to its report: plan, train, tell."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from runner.execute.dicts import declared_before, directories_of_dicts, refuse_other_baselines
from runner.execute.processes import start_server
from runner.execute.script import check_script
from runner.expand import Overrides, ResolvedStudy, Run, resolve_studies
from runner.files import lock, write_json
from runner.spec import Kind, Problem, RequestError
from runner.store.provenance import command
from runner.text import one_line


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line or in a notebook."""

    studies: Sequence[str | dict[str, Any] | ResolvedStudy] = ("mlp",)
    overrides: Overrides = field(default_factory=Overrides)
    data: Path = Path("data")
    runs: Path = Path("runs")
    reports: Path = Path("reports")
    workers: int | None = None
    device: str = "auto"
    retrain: bool = False
    fail_fast: bool = False
    dry_run: bool = False
    skip_unreadable: bool = False
    name: str | None = None  # of a study that is a dict


@dataclass(frozen=True)
class Outcome:
    """The names of the studies that ran, and how many of their runs failed."""

    names: tuple[str, ...]
    failed: int


def execute(request: Request, console: Console) -> Outcome:
    """Does what was asked. RequestError, with nothing trained or written, where the request is wrong."""
    check_script()
    start_server()
    studies = resolve_studies(request.studies, request.overrides, request.name)
    check_places(request, [study.name for study in studies])
    refuse_other_baselines(studies, request.runs)
    runs = [run for study in studies for run in study.runs()]
    names = tuple(study.name for study in studies)
    from runner.execute.plan import Plan  # torch comes with it: not before the request is known to be right

    plan = Plan(runs, request)
    if request.dry_run:
        data = prepare_data(runs, request)
        plan.schedule(data)
        say_notes(data, runs, console)
        plan.show(console)
        return Outcome(names, 0)
    with plan.crew() as crew:
        crew.check()
        data = prepare_data(runs, request)
        plan.schedule(data)
        say_notes(data, runs, console)
        with lock(request.runs):
            refuse_other_baselines(studies, request.runs)  # another notebook may have taken the name meanwhile
            for study in studies:
                _write_study(study, request, data.notes_of(study.runs()))
        return Outcome(names, plan.train(crew, console))


def say_notes(data: PreparedData, runs: Sequence[Run], console: Console) -> None:
    """Tells what a person must know about the data before training."""
    for note in data.notes_of(runs):
        console.print(note, soft_wrap=True, markup=False, highlight=False)


def check_places(request: Request, names: Sequence[str]) -> None:
    """What is wrong with where it is to be done, before anything is trained; `names` are the studies' directories."""
    places = (request.runs, request.reports)
    problems = unwritable(*places, *(place / name for place in places for name in names))
    if request.workers is not None and request.workers < 1:
        problems.append(Problem(Kind.VALUE, "--workers", f"got {request.workers}; expected a number from 1."))
    if problems:
        raise RequestError(problems)


def check_writable(*places: Path) -> None:
    """RequestError for directories that can't be written."""
    if problems := unwritable(*places):
        raise RequestError(problems)


def unwritable(*places: Path) -> list[Problem]:
    """The directories, there or yet to be made, that can't be written, or whose lock is another user's."""
    problems: dict[Path, Problem] = {}
    for place in places:
        there = next(path for path in (place.absolute(), *place.absolute().parents) if _exists(path))
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            what = f"{there} is no directory that can be written; choose another."
            problems.setdefault(there, Problem(Kind.PATH, str(place), what))
        elif _exists(there / ".lock") and not os.access(there / ".lock", os.W_OK):
            what = f"{there / '.lock'} can't be written: another user made it; choose another directory."
            problems.setdefault(there, Problem(Kind.PATH, str(place), what))
    return list(problems.values())


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a directory that may not be searched
        return False


@dataclass(frozen=True)
class PreparedData:
    """The folder with each run's data: a function of the run. `notes_of` says how files became images."""

    folders: Mapping[tuple[str, ...], Path]  # by a run's source_key

    def __call__(self, run: Run) -> Path:
        return self.folders[run.source_key]

    def notes_of(self, runs: Iterable[Run]) -> list[str]:
        """What a person must know about these runs' data, each note once."""
        from runner.data import load

        first = {run.source_key: run.variant.settings.dataset for run in runs}
        return list(
            dict.fromkeys(
                f"{dataset}: {note}" for source, dataset in first.items() for note in load(self.folders[source]).notes
            )
        )


def prepare_data(runs: Sequence[Run], request: Request) -> PreparedData:
    """Every data set that the runs need, decoded and cached; every problem with them at once."""
    from runner.data import check_augmentation, load, prepare

    folders: dict[tuple[str, ...], Path] = {}
    checked: set[tuple[str, ...]] = set()
    problems: list[Problem] = []
    for run in runs:
        source, data = run.source_key, run.data_key[:-1]
        if data in checked:
            continue
        checked.add(data)
        try:
            if source not in folders:
                skip = request.skip_unreadable
                folders[source] = prepare(run.variant.settings, request.data, skip_unreadable=skip)
            check_augmentation(run.variant.settings, load(folders[source]))
        except RequestError as error:
            problems += error.problems
    if problems:
        raise RequestError(problems)
    return PreparedData(folders)


def _write_study(study: ResolvedStudy, request: Request, data_notes: list[str]) -> None:
    """study.json: the resolved request, with the time at which each question was first declared."""
    from runner.store.study import first_end, read_study

    path = request.runs / study.name / "study.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    before = read_study(path.parent) or {}
    kept, earlier = declared_before(study, before)
    declared = {_question_key(item): item.get("declared", now) for item in before.get("questions", [])}
    ended = {variant["directory"]: variant.get("first_end") for variant in before.get("variants", {}).values()}
    questions = [question.model_dump(mode="json", exclude_none=True) for question in study.questions]
    write_json(
        path,
        {
            "name": study.name,
            "file": str(study.file),
            "doc": study.doc.strip(),
            "command": command(),
            "data_notes": data_notes,
            "variants": {
                variant.name: {
                    "directory": variant.directory,
                    "changes": variant.changes,
                    "settings": variant.settings.plain(),
                    **({"files": variant.files} if variant.files else {}),
                    # kept, so that training runs anew makes no question seem older than what it judges
                    "first_end": first_end(path.parent / variant.directory, ended.get(variant.directory)),
                }
                for variant in study.variants
            }
            | kept,
            **({"directories": directories} if (directories := directories_of_dicts(study, before)) else {}),
            "questions": [item for item in earlier if _question_key(item) not in map(_question_key, questions)]
            + [item | {"declared": declared.get(_question_key(item), now)} for item in questions],
        },
    )


def _question_key(question: dict[str, Any]) -> str:
    """What makes a question the one that was declared: what it asks of the runs, not what is quoted beside it."""
    own = {key: value for key, value in question.items() if key not in ("declared", "claim", "claim_for")}
    return json.dumps(own | {"ask": one_line(str(question.get("ask")))}, sort_keys=True)
