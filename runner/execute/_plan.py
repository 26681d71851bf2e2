"""The plan of a request: what is done and what remains, to be shown or trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import Timeout
from rich.console import Console

from runner.execute._claims import record_death
from runner.execute._durations import Durations
from runner.execute._longer import kept_states, shorter_runs
from runner.execute._messages import Job, Message
from runner.execute._policy import FailFast, NoWorkers
from runner.execute._progress import Progress
from runner.execute._request import Request
from runner.execute._schedule import Costs, Queue, finish_seconds, own_costs, split_jobs
from runner.expand import Run
from runner.spec import Kind, Problem, RequestError
from runner.store import CORRUPT, FAILED, FINISHED, NEW, STARTED, RunDir
from runner.text import about, counted

if TYPE_CHECKING:
    from runner.execute._opened import OpenCrew

_STATUS = {
    FINISHED: "done",
    FAILED: "to do, failed before",
    STARTED: "to do, resumes",
    CORRUPT: "to do, corrupt",
}
AGAIN = "--retrain reruns them."


class Plan:
    """The runs of a request, the remaining ones, their jobs and costs."""

    def __init__(self, runs: Sequence[Run], request: Request, costs: Costs | None = None) -> None:
        """`costs` are those that are known already."""
        self._request = request
        self.runs = list(runs)
        self.costs = costs or Costs({}, {}, {})
        self._durations = Durations()
        self.stopped = False  # before all its runs had ended
        self._reason = ""  # why every other run would fail too
        self._fitting: list[Run] = []  # into this machine's memory
        self._unfit: dict[Run, str] = {}
        self._notes: list[str] = []
        self._workers = 1
        self._status = {run: self._directory(run).own_status() for run in runs}
        self.left = [run for run in runs if request.retrain or self._status[run] != FINISHED]
        fresh = [] if request.retrain else [run for run in self.left if self._status[run] == NEW]
        kept = kept_states(request.runs) if fresh else {}
        self._continues = {run for run in fresh if shorter_runs(kept, run)}

    @property
    def to_do(self) -> int:
        """How many runs remain to be done."""
        return len(self.left)

    def schedule(self, crew: OpenCrew, data: Callable[[Run], Path]) -> None:
        """Measures what the remaining runs cost, and makes jobs of those that fit into this machine's memory.

        `data` gives a run's prepared data. Raises RequestError where a training step fails, or where no run fits.
        """
        self._crew, self._workers = crew, crew.workers
        own = [run for run in self.left if run.own]
        self._durations.read(self._request.runs, own, crew.device.type)
        self.costs |= own_costs(own, self._durations)
        self.costs |= crew.measure([run for run in self.left if run not in self.costs], data)
        unfit = {run: self.costs.unfit.get(run.variant.digest, "") for run in self.left}
        self._unfit = {run: cause for run, cause in unfit.items() if cause}
        if self._unfit and len(self._unfit) == len(self.runs):
            raise RequestError(Problem(Kind.MACHINE, *each) for each in self._unfit_variants())
        self._fitting = [run for run in self.left if run not in self._unfit]
        self._data = data
        done = [] if self._request.retrain else self.done
        corrupt = [run for run in self.left if self._status[run] == CORRUPT]
        files = [file for run in corrupt for file in self._directory(run).corrupt_files()]
        self._notes = crew.notes(done, data, files, AGAIN)

    @property
    def done(self) -> list[Run]:
        """The runs that are finished."""
        return [run for run in self.runs if self._status[run] == FINISHED]

    def say_first(self, note: str) -> None:
        """Adds what you should know before training, or before you read that nothing remains."""
        self._notes += [note] if note else []

    def _unfit_variants(self) -> list[tuple[str, str]]:
        """Returns each variant that this machine can't train, and why."""
        named = {f'{run.study}: variant "{run.variant.name}"': cause for run, cause in self._unfit.items()}
        return [(name, f"this machine can't train it: {cause}.") for name, cause in named.items()]

    def _directory(self, run: Run) -> RunDir:
        return RunDir(self._request.runs / run.folder)

    def show(self, console: Console) -> None:
        """Prints every variant with its changes and every run with its state, then the expected time and size."""
        for variant in dict.fromkeys(run.variant for run in self.runs):
            changes = ", ".join(f"{key}={value}" for key, value in variant.changes.items()) or "the baseline"
            console.print(f"{variant.name:<24}{changes}", overflow="ellipsis", no_wrap=True)
        for run in self.runs:
            shown = "to do, retrain" if self._request.retrain else _STATUS.get(self._status[run], "to do")
            shown = "to do, continues" if run in self._continues else shown
            shown = "does not fit" if run in self._unfit else shown
            console.print(f"{shown:<24}{self._request.runs / run.folder}", soft_wrap=True)
        self._say_before(console)
        stops = any(0 < run.variant.settings.patience < run.variant.settings.epochs for run in self.left)
        sooner = "early stopping may end it sooner, " if stops else ""
        ours = [run for run in self.left if not run.own]  # of own training only the code knows what it writes
        size = sum(self.costs.size[run.variant.digest] for run in ours) / 1e6
        console.print(
            f"{self._amount}: {about(self._seconds)} with "
            f"{counted(self._workers, 'worker')} ({sooner}other work on the machine may end it later)"
            f"{f', {size:.0f} MB' if ours else ''}. Nothing was trained.",
        )

    def seconds(self, runs: Sequence[Run]) -> float | None:
        """Returns the estimated seconds for runs whose variants are all in the plan; None where they are unknown."""
        parts = split_jobs([run for run in runs if run in self.costs], self.costs, self._workers)
        if any(run.variant.digest in self.costs.unknown for part in parts for run in part):
            return None
        return finish_seconds(parts, self.costs, self._workers)

    def train(self, console: Console) -> int:
        """Trains the remaining runs; returns how many failed. KeyboardInterrupt passes."""
        from runner.execute._summaries import Means
        from runner.summaries import write_columns  # with scipy, which a dry run need not wait for

        write_columns(self._request.runs)
        self._say_before(console)
        if not self.left:
            done = f"all {len(self.runs):,} runs are" if len(self.runs) > 1 else "the run is"
            console.print(f"{done} done already")
            return 0
        console.print(f"{self._amount}, {about(self._seconds)} with {self._crew.where}")
        pending = set(self.left)
        means = Means(self._request.runs, self.left, console)
        with Progress(self.left, self.costs, console, self._durations) as progress:

            def on_message(job: Job, message: Message) -> None:
                progress.on_message(job, message)
                if message.kind in (FINISHED, FAILED):
                    pending.remove(message.run)
                means.on_message(message)
                if message.kind == FAILED and (self._request.fail_fast or message.stops):
                    self._reason = message.cause if message.stops else ""
                    raise FailFast

            try:
                for run, cause in self._unfit.items():
                    with suppress(Timeout):  # another runner tries it
                        died = Message("died", run, cause=cause)
                        on_message(Job((run,), Path()), record_death(died, self._crew.command))
                self._crew.train(self._jobs(progress), on_message)
            except FailFast:
                self.stopped = True
                why = self._reason or "because of --fail-fast"
                console.print(f"stopped at the first failure, {why}", soft_wrap=True)
            except NoWorkers as error:
                self.stopped = True
                console.print(f"stopped: {error}", soft_wrap=True)
                return len(pending) + progress.failed
        return progress.failed

    def _jobs(self, progress: Progress) -> Iterator[Job]:
        """Yields jobs as workers become free: what would end late by then is split."""
        queue = Queue(self._fitting, self.costs, self._workers)
        while runs := queue.take(max(progress.seconds_left - queue.run_seconds, 0.0)):
            yield Job(tuple(runs), self._data(runs[0]))

    def _say_before(self, console: Console) -> None:
        """Prints what you should know before training begins."""
        longer = len(self._continues)
        said = [f"{counted(longer, 'run')} to continue from finished ones with fewer epochs"] if longer else []
        for note in self._notes + said + [f"{name}: {why}" for name, why in self._unfit_variants()]:
            console.print(note, soft_wrap=True)

    @property
    def _amount(self) -> str:
        return f"{len(self._fitting):,} of {counted(len(self.runs), 'run')} to do"

    @property
    def _seconds(self) -> float | None:
        return self.seconds(self._fitting)
