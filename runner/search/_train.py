"""Trains a search's runs: a suggestion for every free worker, an answer after every epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import Timeout
from rich.console import Console

from runner.execute import Job, Message, Request, prepare_data, say_notes
from runner.execute.crew import OpenCrew, measure, open_crew
from runner.expand import Run, Variant
from runner.files import lock
from runner.search._display import Display
from runner.search._record import Record
from runner.search._resolve import ResolvedSearch
from runner.spec import BASELINE, Kind, Problem, RequestError, after_start, own_code
from runner.store import FINISHED, PRUNED
from runner.summaries import write_columns
from runner.typed import command


def train(searches: Sequence[ResolvedSearch], request: Request, console: Console) -> None:
    """Trains the remaining runs of the searches, one search after the other.

    Raises RequestError, with nothing trained, where data are missing or another runner has the same search, and
    NoWorkers where workers die before they are ready. KeyboardInterrupt passes, with checkpoints written.
    """
    tried = [run for search in searches for run in Record(search, request.runs).tried]
    with open_crew(request, tried, searches[0].runs) as crew:
        data = _prepared(searches, request, console)
        start = searches[0].baseline
        own, fits_data = own_code(start), start.class_weights != "none" or start.warmup
        if (own or fits_data) and not own.keys() & searches[0].space.keys():  # it is tried before training
            measure([searches[0].run(Variant(BASELINE, start, {}))], data, crew.device)
        with _alone([search.name for search in searches], request.runs), after_start():
            for search in searches:
                record = Record(search, request.runs)
                record.write()
                write_columns(request.runs)
                _say_before(record, crew, data, console)
                _train(record, crew, data, console)


def _say_before(record: Record, crew: OpenCrew, data: Callable[[Run], Path], console: Console) -> None:
    """Prints what you should know before training begins."""
    search = record.search
    todo = f"{search.name}: {record.left} of {search.runs} runs to do"
    console.print(f"{todo}, {search.sampler}, with {crew.workers} workers on {crew.device}")
    if search.cells < search.runs:
        console.print(f"its space has only {search.cells:.0f} combinations")
    again = f"{command('prune', make='make prune')} removes them; then the same command reruns them."
    ended = [run for run, tried in record.tried.items() if tried.state in (FINISHED, PRUNED)]
    for note in crew.notes(ended, data, record.corrupt, again):
        console.print(note, soft_wrap=True)


def _prepared(searches: Sequence[ResolvedSearch], request: Request, console: Console) -> Callable[[Run], Path]:
    """Prepares the data; returns the function that gives a run's. For a range, only its bounds are prepared now."""
    probes = [run for search in searches for run in search.data_probes()]
    known = prepare_data(probes, request)
    say_notes(known, probes, console)

    def data(run: Run) -> Path:
        try:
            return known(run)
        except KeyError:
            return prepare_data([run], request)(run)

    return data


def _train(record: Record, crew: OpenCrew, data: Callable[[Run], Path], console: Console) -> None:
    display = Display(record, console)

    def jobs() -> Iterator[Job]:
        for run in record.ask():
            yield Job((run,), data(run), supervised=True)

    def on_message(_: Job, message: Message) -> str:
        answer = record.on_message(message)
        display.on_message(message)
        return answer

    with display.shown():
        crew.train(jobs(), on_message)


@contextmanager
def _alone(names: Sequence[str], runs: Path) -> Iterator[None]:
    """Locks each search for this runner, so that suggestions come one after the other.

    Raises RequestError where another runner has the lock.
    """
    with ExitStack() as locks:
        for name in names:
            try:
                locks.enter_context(lock(runs / name).acquire(blocking=False))
            except Timeout as error:
                what = "another runner is running this search; wait for it, or give another --runs."
                raise RequestError([Problem(Kind.BUSY, str(runs / name), what)]) from error
        yield
