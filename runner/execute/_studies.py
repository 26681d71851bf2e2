"""Carries out a request for studies, from their names to finished runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from runner.execute._dicts import refuse_other_baselines
from runner.execute._foreign import made_by_others
from runner.execute._plan import AGAIN, Plan
from runner.execute._prepare import PreparedData, check_classes, prepare_data, say_notes
from runner.execute._processes import start_server
from runner.execute._request import EXECUTORS, RAY, Outcome, Request
from runner.execute._rounds import Rounds
from runner.execute._script import check_script
from runner.execute._study_file import study_file
from runner.execute.cluster import ray_problems
from runner.expand import ResolvedStudy, resolve_studies
from runner.files import lock
from runner.places import unwritable
from runner.spec import Kind, Problem, RequestError
from runner.stop import STOP
from runner.store import has_finished, write_study


def execute(request: Request, console: Console) -> Outcome:
    """Trains the remaining runs, or shows them with `dry_run`.

    Raises RequestError where the request is wrong. Then nothing was trained or written.
    """
    check_script()
    studies = resolve_studies(request.studies, request.overrides, request.name, _trained(request.runs))
    check_places(request, [study.name for study in studies])
    refuse_other_baselines(studies, request.runs)
    names = tuple(study.name for study in studies)
    rounds = Rounds(studies, request)
    plan = Plan(rounds.remaining(), request)
    most = rounds.most
    if not plan.left:  # looks ask for runs only once others have ended
        data = prepare_data(most, request, check=False)
        check_classes(studies, data)
        plan.say_first(made_by_others(plan.done, request, data, AGAIN))
        if _began(studies, request, plan, rounds, data, console):
            plan.train(console)
            rounds.following(plan.runs, console)
        return Outcome(names, 0)
    start_server()
    with STOP.at_once():  # nothing is trained or written yet
        from runner.execute._opened import open_crew  # with torch, which takes seconds

    with open_crew(request, most, plan.to_do if rounds.is_last else len(most)) as crew:
        data = prepare_data(most, request)
        check_classes(studies, data)
        plan.schedule(crew, data)
        if not _began(studies, request, plan, rounds, data, console):
            return Outcome(names, 0)
        failed = plan.train(console)
        while not plan.stopped and (runs := rounds.following(plan.runs, console)):
            plan = Plan(runs, request, plan.costs)
            plan.schedule(crew, data)
            failed += plan.train(console)
        return Outcome(names, failed)


def _trained(runs: Path) -> Callable[[str], bool]:
    """Returns a function that says whether a run in a variant's directory has finished.

    At the first one without, the server of the workers starts: it imports while the request is checked.
    """

    def trained(directory: str) -> bool:
        found = has_finished(runs, directory)
        if not found:
            start_server()
        return found

    return trained


def _began(
    studies: Sequence[ResolvedStudy],
    request: Request,
    plan: Plan,
    rounds: Rounds,
    data: PreparedData,
    console: Console,
) -> bool:
    """Says what is known of the data and writes each study.json; a dry run shows the plan instead, and ends here."""
    say_notes(data, plan.runs, console)
    if request.dry_run:
        plan.show(console)
        rounds.show(plan, console)
        return False
    with lock(request.runs):
        refuse_other_baselines(studies, request.runs)  # another notebook may have taken the name meanwhile
        for study in studies:
            content = study_file(study, request.runs, data.notes_of(study.runs()))
            write_study(request.runs / study.name, content)
    return True


def check_places(request: Request, names: Sequence[str]) -> None:
    """Raises RequestError where a study's directory can't be written, or where workers can't be as asked for."""
    places = (request.runs, request.reports)
    problems = unwritable(*places, *(place / name for place in places for name in names))
    if request.workers is not None and request.workers < 1:
        problems.append(Problem(Kind.VALUE, "--workers", f"got {request.workers}; expected a number from 1."))
    if request.executor not in EXECUTORS:
        what = f'got "{request.executor}"; expected {" or ".join(EXECUTORS)}.'
        problems.append(Problem(Kind.UNKNOWN, "--executor", what))
    elif request.executor == RAY:
        problems += ray_problems(request)
    elif request.address is not None:
        problems.append(Problem(Kind.CONFLICT, "--address", "it is a Ray cluster's; give --executor ray too."))
    if problems:
        raise RequestError(problems)
