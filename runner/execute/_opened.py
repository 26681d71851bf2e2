"""The crew of one command, for studies and searches: what the command decides, its workers, notes before it trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from runner.execute._claims import ended_attempts, record_death
from runner.execute._engine import Executor
from runner.execute._foreign import others_note
from runner.execute._gpus import tried_on, worker_gpus
from runner.execute._local import LocalEngine
from runner.execute._measure import measure
from runner.execute._messages import Command, Job, Message
from runner.execute._policy import Crew, OnMessage
from runner.execute._request import RAY, Request
from runner.execute._schedule import Costs
from runner.execute._script import script
from runner.execute.cluster import connected
from runner.expand import Run
from runner.machine import caution, cores, pick_device
from runner.spec import Kind, Problem, RequestError, after_start
from runner.store import commit, present_provenance
from runner.text import counted


@dataclass(frozen=True)
class OpenCrew:
    """A crew whose workers have been started, and what its command has decided."""

    command: Command
    workers: int
    _executor: Executor
    _crew: Crew

    @property
    def device(self) -> torch.device:
        """The workers' device."""
        return torch.device(self._executor.device)

    @property
    def where(self) -> str:
        """How many workers there are, and where, in words."""
        return f"{counted(self.workers, 'worker')} on {self._executor.device}{self._executor.place}"

    def measure(self, runs: Iterable[Run], data: Callable[[Run], Path]) -> Costs:
        """Measures what runs cost, as `measure` does: on this machine, also where the workers are elsewhere.

        What does not fit into this machine's memory may fit into theirs.
        """
        executor = self._executor
        device = torch.device("cpu" if executor.elsewhere and not torch.cuda.is_available() else executor.device)
        costs = measure(runs, data, device)
        return replace(costs, unfit={}) if executor.elsewhere else costs

    def notes(self, done: Iterable[Run], data: Callable[[Run], Path], corrupt: Iterable[Path], again: str) -> list[str]:
        """Returns what you should know before training.

        done     runs that ended before and are not retrained: those of other code, data or versions are named
        data     gives a run's prepared data
        corrupt  files of finished runs that are not what was written
        again    says how runs of other code, data or versions are retrained
        """
        here = [] if self._executor.elsewhere else [crowded(self.workers), caution(self.device)]
        notes = [others_note(done, self.command, data, again), *here, self._executor.note]
        if files := ", ".join(map(str, corrupt)):
            notes.append(f"these files of finished runs are corrupt, so the runs are retrained: {files}")
        return [note for note in notes if note]

    def train(self, jobs: Iterable[Job], on_message: OnMessage) -> None:
        """Trains every job, as `Crew.train` does. `on_message` gets a death as a failure, once it is recorded."""

        def recorded(job: Job, message: Message) -> str | None:
            return on_message(job, record_death(message, self.command) if message.kind == "died" else message)

        with after_start():
            self._crew.train(jobs, recorded)


@contextmanager
def open_crew(request: Request, runs: Iterable[Run], to_do: int) -> Iterator[OpenCrew]:
    """Starts the workers for a command, and ends them when it leaves. With `dry_run` there are none.

    `runs` are all runs that the command may find ended, `to_do` is how many it trains at most.
    On GPUs each worker has one of its own. Raises RequestError where there is no such device, where it lacks a
    variant's precision, where other commands have every GPU, where workers can't import your script, or where there
    is no such cluster.
    """
    runs = list(runs)
    elsewhere = request.executor == RAY and to_do > 0
    with connected(request) if elsewhere else _this_machine(request, runs, to_do) as executor:
        device = torch.device(executor.device)
        _check_precision(runs, device)
        made_by = present_provenance(device.type).having(commit=commit())
        command = Command(request.runs, str(device), made_by, ended_attempts(runs, request.runs), request.retrain)
        workers = worker_count(request.workers, executor.room, to_do)
        with Crew(executor.engine(command), 0 if request.dry_run else min(workers, to_do)) as crew:
            if script() and not executor.elsewhere:
                crew.await_one()
            yield OpenCrew(command, workers, executor, crew)


@contextmanager
def _this_machine(request: Request, runs: Iterable[Run], to_do: int) -> Iterator[Executor]:
    """The local executor. Raises RequestError where there is no such device, or none that is free."""
    # Where a cluster has nothing to do, this machine need not have its device.
    device = pick_device(request.device if request.executor != RAY else "auto")
    with ExitStack() as claims:
        gpus = None
        if device.type == "cuda" or any(run.own for run in runs):
            most = min(request.workers or to_do, to_do)
            gpus = worker_gpus(request.device, device, most, claims if to_do and not request.dry_run else None)
        if gpus and device.type == "cuda":  # a cohort in lockstep fills one by itself
            device, room = tried_on(gpus[0]), len(gpus)
        else:
            room = cores() if device.type == "cpu" else 1
        yield Executor(str(device), room, lambda command: LocalEngine(command, gpus))


def _check_precision(runs: Iterable[Run], device: torch.device) -> None:
    ours = {run.variant.name: run for run in runs if not run.own}
    wrong = {name: run for name, run in ours.items() if run.variant.ours.precision == "tf32"}
    if device.type != "cuda" and wrong:
        raise RequestError(
            Problem(
                Kind.MACHINE,
                f'{run.study}: variant "{name}"',
                f'precision "tf32" needs an NVIDIA GPU, and this command uses the device "{device.type}".',
            )
            for name, run in wrong.items()
        )


def worker_count(asked: int | None, room: int, most: int) -> int:
    """Returns the number of workers asked for, or that there is room for: at least 1, at most `most` (runs)."""
    return min(asked or room, max(most, 1))


def crowded(workers: int) -> str:
    """Returns a hint where there are more workers than cores; else an empty text."""
    if workers <= cores():
        return ""
    return f"{workers} workers share {cores()} cores; more workers than cores train no faster and take more memory."
