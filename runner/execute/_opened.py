"""The crew of one command, for studies and searches: what the command decides, its workers, notes before it trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from runner.execute._claims import ended_attempts, record_death
from runner.execute._foreign import others_note
from runner.execute._gpus import worker_gpus
from runner.execute._local import LocalEngine
from runner.execute._messages import Command, Job, Message
from runner.execute._policy import Crew, OnMessage
from runner.execute._request import Request
from runner.execute._script import script
from runner.expand import Run
from runner.machine import caution, cores, pick_device
from runner.spec import Kind, Problem, RequestError
from runner.store import commit, present_provenance


@dataclass(frozen=True)
class OpenCrew:
    """A crew whose workers have been started, and what its command has decided."""

    command: Command
    device: torch.device
    workers: int
    _crew: Crew

    def notes(self, done: Iterable[Run], data: Callable[[Run], Path], corrupt: Iterable[Path], again: str) -> list[str]:
        """Returns what you should know before training.

        done     runs that ended before and are not retrained: those of other code, data or versions are named
        data     gives a run's prepared data
        corrupt  files of finished runs that are not what was written
        again    says how runs of other code, data or versions are retrained
        """
        notes = [others_note(done, self.command, data, again), crowded(self.workers), caution(self.device)]
        if files := ", ".join(map(str, corrupt)):
            notes.append(f"these files of finished runs are corrupt, so the runs are retrained: {files}")
        return [note for note in notes if note]

    def train(self, jobs: Iterable[Job], on_message: OnMessage) -> None:
        """Trains every job, as `Crew.train` does. `on_message` gets a death as a failure, once it is recorded."""

        def recorded(job: Job, message: Message) -> str | None:
            return on_message(job, record_death(message, self.command) if message.kind == "died" else message)

        self._crew.train(jobs, recorded)


@contextmanager
def open_crew(request: Request, runs: Iterable[Run], to_do: int) -> Iterator[OpenCrew]:
    """Starts the workers for a command, and ends them when it leaves. With `dry_run` there are none.

    `runs` are all runs that the command may find ended, `to_do` is how many it trains at most.
    Where a study trains its runs itself, each worker has one GPU. Raises RequestError where there is no such device,
    where it lacks a variant's precision, where other commands have every GPU, or where workers can't import your
    script.
    """
    device = pick_device(request.device)
    runs = list(runs)
    _check_precision(runs, device)
    made_by = present_provenance(device.type).having(commit=commit())
    command = Command(request.runs, str(device), made_by, ended_attempts(runs, request.runs), request.retrain)
    with ExitStack() as claims:
        gpus = None
        if any(run.own for run in runs):
            most = min(request.workers or to_do, to_do)
            gpus = worker_gpus(request.device, device, most, None if request.dry_run else claims)
        one_each = len(gpus) if gpus and device.type == "cuda" else None
        workers = worker_count(request.workers or one_each, device, to_do)
        engine = LocalEngine(command, gpus)
        with Crew(engine, 0 if request.dry_run else min(workers, to_do)) as crew:
            if script():
                crew.await_one()
            yield OpenCrew(command, device, workers, crew)


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


def worker_count(asked: int | None, device: torch.device, most: int) -> int:
    """Returns the number of workers asked for, or that suits the device: at least 1, at most `most` (runs)."""
    # A cohort in lockstep fills a GPU by itself.
    return min(asked or (cores() if device.type == "cpu" else 1), max(most, 1))


def crowded(workers: int) -> str:
    """Returns a hint where there are more workers than cores; else an empty text."""
    if workers <= cores():
        return ""
    return f"{workers} workers share {cores()} cores; more workers than cores train no faster and take more memory."
