"""What each variant and each stream of batches costs, tried in a child process: whatever a model does there, the
runner lives. The training step that is measured is also the check of your own model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch

from runner.data import Dataset, Stream, load
from runner.execute.memory import free_memory, training_memory
from runner.execute.processes import context, how, settle_in
from runner.execute.schedule import Costs
from runner.execute.script import UNGUARDED, unguarded
from runner.expand import Run
from runner.logs.pictures import confusion, encoded, has_pictures
from runner.logs.rundir import is_memory
from runner.spec import Problem, RequestError
from runner.spec.problems import words
from runner.train import Learner

_SECONDS = 0.3  # for each thing that is measured
_MOST_STEPS = 2
_MOST_DEATHS = 2  # of children over one model: the first may be anybody's doing
_FEW = 40  # classes whose picture takes milliseconds
_EVENTS_PER_RUN, _EVENTS_PER_TENSOR = 250_000, 1_150  # bytes: galleries and curves; a histogram


@dataclass(frozen=True)
class _Tried:
    """What came of a trial: seconds an epoch and bytes of a finished run, or why it can't be trained here or at all."""

    seconds: float = 0.0
    size: int = 0
    unfit: str = ""
    wrong: str = ""


@dataclass(frozen=True)
class _Trial:
    """A run's stream of batches, or its model: what the child is to try."""

    run: Run
    data: Path
    device: torch.device
    stream: bool

    def result(self) -> _Tried:
        """Tries it. Only what ends the process raises nothing here."""
        settings = self.run.variant.settings
        try:
            dataset = _loaded(self.data)
            if not self.stream and self.device.type == "cpu" and (unfit := _too_large(self.run, dataset)):
                return _Tried(unfit=unfit)
            stream = Stream(dataset, settings, self.run.seed, self.device)
            return _Tried(_stream_seconds(stream)) if self.stream else _model_cost(self.run, dataset, stream)
        except (Exception, SystemExit) as error:  # your own model may raise anything
            return _Tried(unfit=words(error)) if is_memory(error) else _Tried(wrong=words(error))


def measure(runs: Iterable[Run], data: Callable[[Run], Path], device: torch.device) -> Costs:
    """Times some steps and batches of each variant and stream, on one thread as workers have it.

    RequestError names every variant whose training step fails.
    """
    trials: dict[tuple[str, ...], _Trial] = {}
    for run in runs:
        trials.setdefault(run.data_key[:-1], _Trial(run, data(run), device, stream=True))
        trials.setdefault((run.variant.settings.identity(),), _Trial(run, data(run), device, stream=False))
    tried = dict(zip(trials, _try_apart(list(trials.values())), strict=True))
    if wrong := [(trials[key].run, each.wrong) for key, each in tried.items() if each.wrong]:
        raise RequestError(
            Problem(f'{run.study}: variant "{run.variant.name}"', f"its training step fails: {what}")
            for run, what in wrong
        )
    streams = {key: each.seconds for key, each in tried.items() if trials[key].stream}
    variants = {key[0]: each for key, each in tried.items() if not trials[key].stream}
    return Costs(
        {key: each.seconds for key, each in variants.items()},
        streams,
        {key: each.size for key, each in variants.items()},
        {key: each.unfit for key, each in variants.items() if each.unfit},
    )


def _try_apart(left: list[_Trial]) -> list[_Tried]:
    """The trials' results, in their order, from a child process that is replaced whenever it dies."""
    results: list[_Tried] = []
    deaths = 0
    while left:
        ours, theirs = context().Pipe(duplex=False)
        process = context().Process(target=_try_each, args=(theirs, left), daemon=True)
        process.start()
        theirs.close()  # so that the child's death is the end of the pipe
        try:
            while left:
                results.append(ours.recv())
                left, deaths = left[1:], 0
        except (EOFError, OSError):
            process.join()
            if process.exitcode == UNGUARDED:
                raise unguarded() from None
            deaths += 1
            if deaths == _MOST_DEATHS:
                results.append(_Tried(unfit=f"its training step ended the process {how(process.exitcode)}"))
                left, deaths = left[1:], 0
        finally:
            process.kill()
            process.join()
            ours.close()
    return results


def _try_each(pipe: Connection, trials: list[_Trial]) -> None:
    """The child's life."""
    settle_in()
    for trial in trials:
        pipe.send(trial.result())


_loaded = cache(load)


def _too_large(run: Run, dataset: Dataset) -> str:
    parameters, needed = training_memory(run.variant.settings, dataset.shape, len(dataset.classes))
    if needed <= (free := free_memory()):
        return ""
    return f"{parameters:,} parameters need at least {needed / 1e9:.1f} GB to train; {free / 1e9:.1f} GB are free"


def _stream_seconds(stream: Stream) -> float:
    batches = len(stream.order(1))
    evaluated = (len(stream.train_eval) + len(stream.dataset.val)) / len(stream.dataset.train)
    iterator = stream.train(1)
    plain = _mean_seconds(lambda: next(iterator), min(batches - 1, _MOST_STEPS))
    return plain * batches * (1 if stream.augments else 1 + evaluated)


def _model_cost(run: Run, dataset: Dataset, stream: Stream) -> _Tried:
    settings = run.variant.settings
    learner = Learner(settings, dataset, run.seed, stream.device)
    images, labels = next(stream.train(1))
    batches = len(stream.order(1))
    learner.model.train()
    step = _mean_seconds(lambda: learner.step(images, labels), _MOST_STEPS)
    learner.evaluated.eval()
    forward = _mean_seconds(lambda: learner.logits(images), _MOST_STEPS)
    evaluated = (len(stream.train_eval) + len(dataset.val)) / len(dataset.train)
    weights = list(learner.model.parameters())
    parameters = sum(weight.numel() for weight in weights)
    events = _EVENTS_PER_RUN + _EVENTS_PER_TENSOR * 2 * len(weights) * settings.epochs
    predictions = (len(dataset.val) + len(dataset.test)) * (4 * len(dataset.classes) + 8)
    seconds, picture = _picture_cost(len(dataset.classes))
    pictures = 2 + sum(map(has_pictures, range(1, settings.epochs + 1)))
    epoch = (step + forward * evaluated) * batches + seconds * pictures / settings.epochs
    return _Tried(epoch, 4 * parameters + events + predictions + picture * pictures)


@cache
def _picture_cost(classes: int) -> tuple[float, int]:
    """Seconds and bytes of a confusion matrix's picture: with many classes they count."""
    if classes <= _FEW:
        return 0.0, 25_000
    matrix = np.random.default_rng(0).integers(0, 9, (classes, classes))
    began = time.perf_counter()
    picture = encoded(confusion(matrix, [str(number) for number in range(classes)], ""))
    return time.perf_counter() - began, len(picture)


def _mean_seconds(action: Callable[[], object], most: int) -> float:
    """The mean time of a few repetitions after one that warms up; of that one where it was slow already."""
    began = time.perf_counter()
    action()
    first = time.perf_counter() - began
    if first > _SECONDS or most < 1:
        return first
    began, count = time.perf_counter(), 0
    while count < most and time.perf_counter() - began < _SECONDS:
        action()
        count += 1
    return (time.perf_counter() - began) / count
