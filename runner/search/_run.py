"""Carries out a search, from its request to its winners on fresh seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rich.console import Console

from runner.execute import Request, check_places, check_script, execute
from runner.expand import Overrides
from runner.search._resolve import resolve_search
from runner.spec import after_start
from runner.stop import STOP


@dataclass(frozen=True)
class SearchOutcome:
    """The outcome of a search.

    name     the search's name
    winners  the name of the study that retrains its winners; None without a winner
    failed   how many of the winners' runs failed
    """

    name: str
    winners: str | None
    failed: int


def search(request: Request, console: Console) -> SearchOutcome:
    """Runs the search that the request names, and its random twin if it has one; retrains the winners on fresh seeds.

    Raises RequestError where the request is wrong. Nothing was trained or written then, unless its `after_start` is
    True.
    """
    (name,) = request.studies
    check_script()
    resolved = resolve_search(str(name), request.overrides)
    check_places(request, [resolved.name])
    searches = [resolved]
    if resolved.baseline.dataset in resolved.random_on and resolved.sampler != "random":
        searches.append(resolved.random_twin())
    # These import torch and Optuna, which takes seconds, so the request is checked first.
    with STOP.at_once():
        from runner.execute.crew import NoWorkers
        from runner.search._record import Record
        from runner.search._train import train
        from runner.search._winners import winners_study

    records = [Record(each, request.runs) for each in searches]
    if any(record.left for record in records):
        try:
            train(searches, request, console)
        except NoWorkers as error:
            console.print(f"stopped: {error}", soft_wrap=True)
            return SearchOutcome(resolved.name, None, resolved.runs)
        records = [Record(each, request.runs) for each in searches]
    with after_start():
        study = winners_study(records[0], records[1] if len(records) > 1 else None)
        if study is None:
            console.print("no run finished, so there is no winner")
            return SearchOutcome(resolved.name, None, 0)
        outcome = execute(replace(request, studies=(study,), overrides=Overrides()), console)
    return SearchOutcome(resolved.name, study.name, outcome.failed)
