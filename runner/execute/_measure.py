"""Measures what each variant and each stream of batches costs.

Models are tried in a child process, so no model can end the runner. The measured step also checks your own model.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch

from runner.checkpoints import is_memory
from runner.data import Dataset, Stream, load
from runner.execute._longer import keeps_state
from runner.execute._memory import free_memory, training_memory
from runner.execute._processes import context, exit_reason, settle_in
from runner.execute._schedule import Costs
from runner.execute._script import UNGUARDED, unguarded
from runner.expand import Run
from runner.logs import confusion, encoded, has_pictures
from runner.spec import Kind, Problem, RequestError, describe, own_code
from runner.train import Learner, abreast

_SECONDS = 0.3  # for each thing that is measured
_UNRECORDED = 3  # steps before a GPU replays them
_MOST_STEPS = 2
_MOST_DEATHS = 2  # of children that tried one model: the first may have another cause
_FEW = 40  # classes whose picture takes milliseconds
_EVENTS_PER_RUN, _EVENTS_PER_TENSOR = 250_000, 1_150  # bytes: galleries and curves; a histogram


@dataclass(frozen=True)
class _Tried:
    """A trial's result: seconds per epoch and bytes of a finished run.

    unfit  why this machine can't train it
    wrong  why no machine can train it
    """

    seconds: float = 0.0
    size: int = 0
    unfit: str = ""
    wrong: str = ""


@dataclass(frozen=True)
class _Trial:
    """A run whose model the child is to try."""

    run: Run
    data: Path
    device: torch.device

    def result(self) -> _Tried:
        """Tries the model. Returns errors instead of raising them."""
        try:
            dataset = _loaded(self.data)
            if self.device.type == "cpu" and (unfit := _too_large(self.run, dataset)):
                return _Tried(unfit=unfit)
            return _model_cost(self.run, dataset, self.device)
        except (Exception, SystemExit) as error:  # your own model may raise anything
            return _Tried(unfit=describe(error)) if is_memory(error) else _Tried(wrong=describe(error))


def measure(runs: Iterable[Run], data: Callable[[Run], Path], device: torch.device) -> Costs:
    """Times some steps of each variant and some batches of each stream, on one thread as in a worker.

    Raises RequestError that names every variant whose training step fails.
    """
    trials: dict[str, _Trial] = {}
    streams: dict[tuple[str, ...], Run] = {}
    for run in runs:
        streams.setdefault(run.data_key[:-1], run)
        trials.setdefault(run.variant.digest, _Trial(run, data(run), device))
    if not trials:  # everything is done: no process to wait for
        return Costs({}, {}, {})
    with _Child(list(trials.values())) as child:
        seconds = {key: _stream_seconds(run, data(run), device) for key, run in streams.items()}  # meanwhile
        tried = dict(zip(trials, child.results(), strict=True))
    if wrong := {trials[key].run: each.wrong for key, each in tried.items() if each.wrong}:
        raise RequestError(
            Problem(Kind.CODE, f'{run.study}: variant "{run.variant.name}"', f"its training step fails: {what}")
            for run, what in wrong.items()
        )
    return Costs(
        {key: each.seconds for key, each in tried.items()},
        seconds,
        {key: each.size for key, each in tried.items()},
        {key: each.unfit for key, each in tried.items() if each.unfit},
    )


class _Child:
    """A process that tries models one after the other, and is replaced whenever it dies. A context."""

    def __init__(self, trials: list[_Trial]) -> None:
        self._left = trials

    def __enter__(self) -> _Child:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._end()

    def _start(self) -> None:
        self._pipe, theirs = context().Pipe(duplex=False)
        self._process = context().Process(target=_try_each, args=(theirs, self._left), daemon=True)
        self._process.start()
        theirs.close()  # so that the child's death is the end of the pipe

    def _end(self) -> int | None:
        """Its exit status, once it has died."""
        self._process.join()
        self._pipe.close()
        code: int | None = self._process.exitcode
        return code

    def results(self) -> list[_Tried]:
        """Returns the result of each trial, in their order."""
        results: list[_Tried] = []
        deaths = 0
        while self._left:
            try:
                results.append(self._pipe.recv())
                self._left, deaths = self._left[1:], 0
            except (EOFError, OSError):
                deaths += 1
                code = self._end()
                if code == UNGUARDED:
                    raise unguarded() from None
                if deaths == _MOST_DEATHS:
                    results.append(_Tried(unfit=f"its training step ended the process {exit_reason(code)}"))
                    self._left, deaths = self._left[1:], 0
                if self._left:
                    self._start()
        return results


def _try_each(pipe: Connection, trials: list[_Trial]) -> None:
    """Tries each model and sends its result: the main function of the child."""
    settle_in()
    for trial in trials:
        pipe.send(trial.result())


_loaded = cache(load)


def _too_large(run: Run, dataset: Dataset) -> str:
    parameters, needed = training_memory(run.variant.ours, dataset.shape, len(dataset.classes))
    if needed <= (free := free_memory()):
        return ""
    return f"{parameters:,} parameters need at least {needed / 1e9:.1f} GB to train; {free / 1e9:.1f} GB are free"


def _stream_seconds(run: Run, data: Path, device: torch.device) -> float:
    """Returns the seconds that an epoch's batches take. No model runs here, so the runner's process can do it."""
    stream = Stream(load(data), run.variant.ours, run.seed, device)
    batches = len(stream.order(1))
    evaluated = (len(stream.train_eval) + len(stream.dataset.val)) / len(stream.dataset.train)
    iterator = stream.train(1)
    with _one_thread():
        plain = _mean_seconds(lambda: next(iterator), min(batches - 1, _MOST_STEPS))
    return plain * batches * (1 if stream.augments else 1 + evaluated)


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _model_cost(run: Run, dataset: Dataset, device: torch.device) -> _Tried:
    settings = run.variant.ours
    # A plain stream: the model costs the same whatever its images show.
    stream = Stream(dataset, settings.model_copy(update={"augment": ()}), run.seed, device)
    learner = Learner(settings, dataset, run.seed, device)
    images, labels = next(stream.train(1))
    batches = len(stream.order(1))
    learner.begin_epoch()

    def take_step() -> None:
        with abreast([learner.lane]):
            learner.step(images, labels)
        learner.take_counts()  # waits for a GPU

    if own_code(settings):  # a checkpoint must be able to hold what your own code keeps
        take_step()
        learner.restore(copy.deepcopy(learner.state()))
    for _ in range(_UNRECORDED if learner.lane.records else 0):
        take_step()
    step = _mean_seconds(take_step, _MOST_STEPS)
    learner.evaluated.eval()

    def evaluate() -> torch.Tensor:
        with abreast([learner.lane]):
            logits = learner.logits(images)
        return logits.cpu()

    forward = _mean_seconds(evaluate, _MOST_STEPS)
    evaluated = (len(stream.train_eval) + len(dataset.val)) / len(dataset.train)
    weights = list(learner.model.parameters())
    parameters = sum(weight.numel() for weight in weights)
    events = _EVENTS_PER_RUN + _EVENTS_PER_TENSOR * 2 * len(weights) * settings.epochs
    tensors = [each for own in learner.optimizer.state.values() for each in own.values() if torch.is_tensor(each)]
    kept = parameters + sum(each.numel() for each in tensors) if keeps_state(run) else 0
    predictions = (len(dataset.val) + len(dataset.test)) * (4 * len(dataset.classes) + 8)
    seconds, picture = _picture_cost(len(dataset.classes))
    pictures = 2 + sum(map(has_pictures, range(1, settings.epochs + 1)))
    epoch = (step + forward * evaluated) * batches + seconds * pictures / settings.epochs
    return _Tried(epoch, 4 * (parameters + kept) + events + predictions + picture * pictures)


@cache
def _picture_cost(classes: int) -> tuple[float, int]:
    """Returns the seconds and bytes of a picture of a confusion matrix, which matter with many classes."""
    if classes <= _FEW:
        return 0.0, 25_000
    matrix = np.random.default_rng(0).integers(0, 9, (classes, classes))
    began = time.perf_counter()
    picture = encoded(confusion(matrix, [str(number) for number in range(classes)], ""))
    return time.perf_counter() - began, len(picture)


def _mean_seconds(action: Callable[[], object], most: int) -> float:
    """Returns the mean seconds of a few repetitions after a first one; where the first is slow, its own time."""
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
