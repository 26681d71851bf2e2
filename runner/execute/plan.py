"""What is done and what is left of a request; shown, or trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from filelock import Timeout
from rich.console import Console

from runner.execute.foreign import others_note
from runner.execute.measure import measure
from runner.execute.messages import Message, Place, Share
from runner.execute.progress import Progress
from runner.execute.record import record_failure
from runner.execute.schedule import finish_seconds, shares
from runner.execute.share import settled
from runner.execute.workers import FailFast, NoWorkers, Workers
from runner.expand import Run
from runner.files import lock
from runner.logs.hparams import hparams, search_sessions
from runner.logs.summary import write_mean, write_root
from runner.machine import cores
from runner.spec import Kind, Problem, RequestError
from runner.spec.plain import is_plain
from runner.spec.search import MOST_RUNS
from runner.store.provenance import Provenance, commit, present_provenance, same_provenance
from runner.store.rundir import RunDir
from runner.store.study import read_study
from runner.text import duration

if TYPE_CHECKING:
    from runner.execute.request import Request

_STATUS = {
    "finished": "done",
    "failed": "to do, failed before",
    "started": "to do, goes on",
    "corrupt": "to do, corrupt",
}
_AGAIN = "--retrain makes them anew."
_NO_WORKERS = 'Is there memory enough (fewer --workers)? Is a script\'s call of run() below if __name__ == "__main__"?'


class Plan:
    """The runs of a request, the ones that are left, their shares and costs."""

    def __init__(self, runs: Sequence[Run], request: Request) -> None:
        self._request = request
        self._runs = list(runs)
        ended = ended_attempts(runs, request.runs)
        self._device = pick_device(request.device)
        self._status = {run: self._directory(run).own_status() for run in runs}
        self._left = [run for run in runs if request.retrain or self._status[run] != "finished"]
        made_by = present_provenance(str(self._device)).having(commit=commit())
        self._place = Place(request.runs, str(self._device), made_by, ended, request.retrain)
        self._workers = worker_count(request.workers, self._device, len(self._left))

    def crew(self) -> Workers:
        """The processes that will train."""
        return Workers(self._place, self._workers if self._left else 0)

    def schedule(self, data: Callable[[Run], Path]) -> None:
        """Measures what the runs that are left cost, and shares out those that fit into this machine's memory.

        RequestError where a training step fails, or where no run fits."""
        self._costs = measure(self._left, data, self._device)
        unfit = {run: self._costs.unfit.get(run.variant.settings.identity(), "") for run in self._left}
        self._unfit = {run: cause for run, cause in unfit.items() if cause}
        if self._unfit and len(self._unfit) == len(self._runs):
            raise RequestError(Problem(Kind.MACHINE, *each) for each in self._unfit_variants())
        parts = shares([run for run in self._left if run not in self._unfit], self._costs, self._workers)
        self._shares = [Share(tuple(part), data(part[0])) for part in parts]
        done = [] if self._request.retrain else [run for run in self._runs if self._status[run] == "finished"]
        self._others = others_note(done, self._place, data, _AGAIN)

    def _unfit_variants(self) -> list[tuple[str, str]]:
        """Each variant that can't be trained on this machine, and why."""
        named = {f'{run.study}: variant "{run.variant.name}"': cause for run, cause in self._unfit.items()}
        return [(name, f"can't be trained on this machine: {cause}.") for name, cause in named.items()]

    def _directory(self, run: Run) -> RunDir:
        return RunDir(self._request.runs / run.folder)

    def show(self, console: Console) -> None:
        """Every run with its directory, what it changes, done or to do; then what it would take."""
        for variant in dict.fromkeys(run.variant for run in self._runs):
            changes = ", ".join(f"{key}={value}" for key, value in variant.changes.items()) or "the baseline"
            console.print(f"{variant.name:<24}{changes}", overflow="ellipsis", no_wrap=True)
        for run in self._runs:
            shown = "to do, again" if self._request.retrain else _STATUS.get(self._status[run], "to do")
            shown = "does not fit" if run in self._unfit else shown
            console.print(f"{shown:<24}{self._request.runs / run.folder}", soft_wrap=True)
        self._say_before(console)
        stops = any(0 < run.variant.settings.patience < run.variant.settings.epochs for run in self._left)
        sooner = "early stopping may end it sooner, " if stops else ""
        size = sum(self._costs.size[run.variant.settings.identity()] for run in self._left)
        console.print(
            f"{self._fitting} of {len(self._runs)} runs to do: about {duration(self._seconds)} with "
            f"{self._workers} workers ({sooner}other work on the machine may end it later), "
            f"{size / 1e6:.0f} MB. Nothing was trained.",
        )

    def train(self, crew: Workers, console: Console) -> int:
        """Trains what is left; returns how many runs failed. KeyboardInterrupt passes, cleanly stopped."""
        write_columns(self._request.runs)
        self._say_before(console)
        if not self._left:
            console.print(f"all {len(self._runs)} runs are done already")
            return 0
        console.print(
            f"{self._fitting} of {len(self._runs)} runs to do, about {duration(self._seconds)} with "
            f"{self._workers} workers on {self._device}",
        )
        if corrupt := [run for run in self._left if self._status[run] == "corrupt"]:
            console.print(
                f"{len(corrupt)} finished runs have corrupt files and are retrained: "
                + ", ".join(str(file) for run in corrupt for file in self._directory(run).corrupt_files()),
                soft_wrap=True,
            )  # fmt: skip
        pending = list(self._left)
        with Progress(self._left, self._costs, console) as progress:

            def on_message(share: Share, message: Message) -> None:
                if message.kind == "died":
                    message = record_death(message, self._place)
                progress.on_message(share, message)
                if message.kind in ("finished", "failed"):
                    pending.remove(message.run)
                    if not any(
                        run.variant == message.run.variant and run.study == message.run.study for run in pending
                    ):
                        self._write_mean(message.run, console)
                if message.kind == "failed" and self._request.fail_fast:
                    raise FailFast

            try:
                for run, cause in self._unfit.items():
                    with suppress(Timeout):  # another runner tries it
                        on_message(Share((run,), Path()), Message("died", run, cause=cause))
                crew.train(self._shares, on_message)
            except FailFast:
                console.print("stopped at the first failure, as told")
            except NoWorkers as error:
                console.print(f"stopped: workers die before they can begin: {error}. {_NO_WORKERS}")
                return len(pending) + progress.failed
        return progress.failed

    def _say_before(self, console: Console) -> None:
        """What a person should know before training begins."""
        for note in filter(None, (self._others, crowded(self._workers))):
            console.print(note)
        for name, why in self._unfit_variants():
            console.print(f"{name}: {why}", soft_wrap=True)

    @property
    def _fitting(self) -> int:
        return len(self._left) - len(self._unfit)

    @property
    def _seconds(self) -> float:
        return finish_seconds([share.runs for share in self._shares], self._costs, self._workers)

    def _write_mean(self, run: Run, console: Console) -> None:
        folder = self._request.runs / run.folder.parent
        try:
            with lock(self._request.runs):
                write_mean(folder / "mean", [path / "metrics.csv" for path in _of_its_makers(folder, run)])
        except OSError as error:  # a picture of the runs, not a run
            console.print(f"{folder / 'mean'} can't be written: {error}")


def _of_its_makers(folder: Path, run: Run) -> list[Path]:
    """The directories of a variant's seeds that the run's own makers finished: a mean mixes no others with them."""
    known = {path: RunDir(path).run_json() for path in sorted(folder.glob("seed*"))}
    made = {path: each.provenance for path, each in known.items() if each}
    mine = made.get(folder / run.folder.name, Provenance())
    mates = [path for path, provenance in made.items() if same_provenance(provenance, mine)]
    return [path for path in mates if RunDir(path).own_status() == "finished"]


def write_columns(runs: Path) -> None:
    """The root's columns: the union over every run that is there, or that some runner is about to make."""
    with lock(runs):
        sessions, ranges = [], None
        for path in runs.glob("*/study.json"):
            study, name = read_study(path.parent) or {"variants": {}}, path.parent.name
            variants = {key: each["settings"] for key, each in study["variants"].items() if is_plain(each["settings"])}
            sessions += [hparams(settings, name, variant) for variant, settings in variants.items()]
            with suppress(AttributeError, LookupError, TypeError, ValueError):  # no search that the runner recorded
                search = study["search"]
                sessions += search_sessions(search, name, len(variants) + min(search["runs"], MOST_RUNS))
                continuous = {key for key, space in search["space"].items() if "categorical" not in space}
                ranges = continuous | (ranges or set())
        for path in runs.glob("*/*/seed*/run.json"):
            directory = RunDir(path.parent)
            if (known := directory.run_json()) and not directory.misplaced():
                sessions.append(hparams(known.settings, known.study, known.variant))
        write_root(runs, sessions, ranges)


def ended_attempts(those: Iterable[Run], runs: Path) -> frozenset[str]:
    """What a command notes at its beginning: whatever ends under another id ends while it is at work."""
    attempts = (RunDir(runs / run.folder).ended_attempt() for run in those)
    return frozenset(filter(None, attempts))


def record_death(message: Message, place: Place) -> Message:
    """A worker can't write its own end: its run failed, unless another runner ended it.

    Timeout where another runner has it: then its end is yet to come.
    """
    try:
        with lock(place.runs / message.run.folder).acquire(blocking=False):
            if ended := settled(message.run, place):
                return ended
            record_failure(message.run, place, message.cause, machines=True)
    except Timeout:
        raise
    except OSError:  # nobody can
        pass
    return Message("failed", message.run, cause=message.cause)


def pick_device(name: str) -> torch.device:
    """auto: the GPU that there is, else the CPU. RequestError for one that there is not."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if there[kind])
    if name not in there:
        raise RequestError([Problem(Kind.UNKNOWN, "--device", f'got "{name}"; expected one of auto, cpu, cuda, mps.')])
    if not there[name]:
        raise RequestError([Problem(Kind.MACHINE, "--device", f'this machine or its torch has no "{name}".')])
    return torch.device(name)


def worker_count(asked: int | None, device: torch.device, most: int) -> int:
    """As many worker processes as asked for, or as the device takes; never more than there are runs."""
    # A cohort in lockstep fills a GPU by itself.
    return min(asked or (cores() if device.type == "cpu" else 1), max(most, 1))


def crowded(workers: int) -> str:
    """A hint where workers wait for each other; else nothing."""
    if workers <= cores():
        return ""
    return f"{workers} workers share {cores()} cores; more workers than cores train no faster and take more memory."
