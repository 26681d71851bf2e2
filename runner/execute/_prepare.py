"""The data that runs need, prepared before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from runner.execute._request import Request
from runner.expand import ResolvedStudy, Run
from runner.metrics import OfClass
from runner.spec import Kind, Problem, RequestError, suggest


@dataclass(frozen=True)
class PreparedData:
    """A function from a run to the folder with its data. Raises KeyError for a run whose data were not prepared."""

    folders: Mapping[tuple[str, ...], Path]  # by a run's source_key

    def __call__(self, run: Run) -> Path:
        """Returns the folder with a run's data."""
        return Path() if run.own else self.folders[run.source_key]

    def notes_of(self, runs: Iterable[Run]) -> list[str]:
        """Returns notes on how these runs' files became images, each once."""
        from runner.data import load

        first = {run.source_key: run.variant.ours.dataset for run in runs if not run.own}
        return list(
            dict.fromkeys(
                f"{dataset}: {note}" for source, dataset in first.items() for note in load(self.folders[source]).notes
            )
        )


def prepare_data(runs: Sequence[Run], request: Request, check: bool = True) -> PreparedData:
    """Decodes and caches every data set that the runs need. Raises RequestError with every problem at once.

    `check`: the augmentation is tried. Runs that are finished have tried it.
    """
    from runner.data import load, prepare
    from runner.execute._own_check import own_problems

    folders: dict[tuple[str, ...], Path] = {}
    checked: set[tuple[str, ...]] = set()
    problems: list[Problem] = []
    for run in runs:
        source, data = run.source_key, run.data_key[:-1]
        if data in checked:
            continue
        checked.add(data)
        if run.own:
            problems += own_problems(run)
            continue
        try:
            if source not in folders:
                skip = request.skip_unreadable
                folders[source] = prepare(run.variant.ours, request.data, skip_unreadable=skip)
            if check:
                from runner.data import check_augmentation  # with torch

                check_augmentation(run.variant.ours, load(folders[source]))
        except RequestError as error:
            problems += error.problems
    if problems:
        raise RequestError(problems)
    return PreparedData(folders)


def check_classes(studies: Iterable[ResolvedStudy], data: PreparedData) -> None:
    """Raises RequestError for questions about a class that the study's data set does not have."""
    from runner.data import load

    problems = []
    for study in studies:
        for number, question in enumerate(study.questions, 1):
            source = question.measure.source
            if not isinstance(source, OfClass):
                continue
            for known in {load(data(run)).classes for run in study.runs()}:
                if source.name not in known:
                    what = f'there is no class "{source.name}". {suggest(source.name, known)}'
                    problems.append(Problem(Kind.UNKNOWN, f"{study.name}: question {number}: metric", what))
    if problems:
        raise RequestError(problems)


def say_notes(data: PreparedData, runs: Sequence[Run], console: Console) -> None:
    """Prints the notes on how these runs' files became images."""
    for note in data.notes_of(runs):
        console.print(note, soft_wrap=True, markup=False, highlight=False)
