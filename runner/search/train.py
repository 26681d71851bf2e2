"""A search's runs in training: a suggestion for every worker that is free, a verdict after every epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import Timeout
from rich.console import Console

from runner.execute.foreign import others_note
from runner.execute.measure import measure
from runner.execute.messages import Message, Place, Share
from runner.execute.plan import crowded, ended_attempts, pick_device, record_death, worker_count, write_columns
from runner.execute.request import Request, prepare_data, say_notes
from runner.execute.workers import Workers
from runner.expand import Run, Variant
from runner.files import lock
from runner.search.display import Display
from runner.search.record import Record
from runner.search.resolve import ResolvedSearch
from runner.search.suggest import FINISHED, PRUNED
from runner.spec import BASELINE, Kind, Problem, RequestError, is_reference
from runner.spec.problems import late
from runner.store.provenance import commit, present_provenance


def train(searches: Sequence[ResolvedSearch], request: Request, console: Console) -> None:
    """Trains what is left of the searches, one search after the other.

    RequestError, with nothing trained, where data are missing or another runner is at it; NoWorkers where no
    worker can live; KeyboardInterrupt passes, cleanly stopped.
    """
    device = pick_device(request.device)
    made_by = present_provenance(str(device)).having(commit=commit())
    tried = [run for search in searches for run in Record(search, request.runs).tried]
    place = Place(request.runs, str(device), made_by, ended_attempts(tried, request.runs))
    count = worker_count(request.workers, device, searches[0].runs)
    with Workers(place, count) as crew:
        data = _prepared(searches, request, console)
        start = searches[0].baseline
        if is_reference(start.model) and "model" not in searches[0].space:  # your own model is tried before training
            measure([searches[0].run(Variant(BASELINE, start, {}))], data, device)
        with _alone([search.name for search in searches], request.runs), late():
            for search in searches:
                record = Record(search, request.runs)
                record.write()
                write_columns(request.runs)
                todo = f"{search.name}: {record.left} of {search.runs} runs to do"
                console.print(f"{todo}, {search.sampler}, with {count} workers on {device}")
                if hint := crowded(count):
                    console.print(hint)
                if search.cells < search.runs:
                    console.print(f"its space has {search.cells:.0f} combinations, no more")
                if record.spoilt:
                    files = ", ".join(map(str, record.spoilt))
                    console.print(f"made anew, because spoilt: {files}", soft_wrap=True)
                if note := _others(record, place, data):
                    console.print(note)
                _train(record, crew, place, data, console)


def _prepared(searches: Sequence[ResolvedSearch], request: Request, console: Console) -> Callable[[Run], Path]:
    """A run's data: prepared beforehand, but for values inside a range, of which the bounds were."""
    probes = [run for search in searches for run in search.data_probes()]
    known = prepare_data(probes, request)
    say_notes(known, probes, console)

    def data(run: Run) -> Path:
        try:
            return known(run)
        except KeyError:
            return prepare_data([run], request)(run)

    return data


def _others(record: Record, place: Place, data: Callable[[Run], Path]) -> str:
    ended = [run for run, tried in record.tried.items() if tried.state in (FINISHED, PRUNED)]
    again = "make prune and then the same command make them anew."
    return others_note(ended, place, data, again)


def _train(record: Record, crew: Workers, place: Place, data: Callable[[Run], Path], console: Console) -> None:
    display = Display(record, console)

    def shares() -> Iterator[Share]:
        for run in record.ask():
            yield Share((run,), data(run), supervised=True)

    def on_message(_: Share, message: Message) -> str:
        if message.kind == "died":
            message = record_death(message, place)
        answer = record.on_message(message)
        display.on_message(message)
        return answer

    with display.shown():
        crew.train(shares(), on_message)


@contextmanager
def _alone(names: Sequence[str], runs: Path) -> Iterator[None]:
    """Holds each search for this runner: suggestions are made one after the other."""
    with ExitStack() as locks:
        for name in names:
            try:
                locks.enter_context(lock(runs / name).acquire(blocking=False))
            except Timeout as error:
                what = "another runner is making this search; wait for it, or give another --runs."
                raise RequestError([Problem(Kind.BUSY, str(runs / name), what)]) from error
        yield
