"""What the runs will cost, from a short measurement, and how cohorts are shared between workers."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from runner.data import Dataset, Stream, load
from runner.execute.processes import context, settle_in
from runner.expand import Run, cohorts
from runner.spec import is_reference
from runner.train import Learner

_SECONDS = 0.3  # for each thing that is measured
_MOST_STEPS = 2
_UNKNOWN = (0.0, 0)  # seconds, bytes
Measured = tuple[Run, Path, torch.device]
_EVENTS_PER_RUN, _EVENTS_PER_TENSOR = 350_000, 1_150  # bytes: pictures and curves; a histogram


@dataclass(frozen=True)
class Costs:
    """Seconds on one thread: an epoch of a variant (by its hash), an epoch of a stream (by its data key);
    and bytes on the disk of a finished run (by its hash)."""

    variant: Mapping[str, float]
    stream: Mapping[tuple[str, ...], float]
    size: Mapping[str, int]

    def run(self, run: Run, epochs_done: int = 0) -> float:
        """What is left of a run at most: early stopping may end it sooner."""
        settings = run.variant.settings
        return self.variant[settings.identity()] * max(settings.epochs - epochs_done, 0)

    def share(self, runs: Sequence[Run]) -> float:
        """A share of a cohort: its runs, and the stream for the longest of them."""
        longest = max(run.variant.settings.epochs for run in runs)
        return sum(map(self.run, runs)) + self.stream[runs[0].data_key[:-1]] * longest


def measure(runs: Iterable[Run], data: Callable[[Run], Path], device: torch.device) -> Costs:
    """Times some steps and batches of each variant and stream, on one thread as workers have it."""
    variant: dict[str, tuple[float, int]] = {}
    stream: dict[tuple[str, ...], float] = {}
    own: list[Measured] = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for run in runs:
            identity, key = run.variant.settings.identity(), run.data_key[:-1]
            if key not in stream:
                stream[key] = _stream_seconds(Stream(load(data(run)), run.variant.settings, run.seed, device))
            if identity not in variant:
                variant[identity] = _UNKNOWN
                if is_reference(run.variant.settings.model):
                    own.append((run, data(run), device))
                else:
                    variant[identity] = _variant_cost(run, data(run), device)
    finally:
        torch.set_num_threads(threads)
    costs = variant | _measure_apart(own)
    return Costs({key: cost[0] for key, cost in costs.items()}, stream, {key: cost[1] for key, cost in costs.items()})


def _measure_apart(left: list[Measured]) -> dict[str, tuple[float, int]]:
    """People's own models, in a child process: whatever ends it there costs its variant's estimate alone."""
    costs: dict[str, tuple[float, int]] = {}
    while left:
        ours, theirs = context().Pipe(duplex=False)
        process = context().Process(target=_measure_each, args=(theirs, left), daemon=True)
        process.start()
        theirs.close()  # so that the child's death is the end of the pipe
        try:
            while left:
                costs[left[0][0].variant.settings.identity()] = ours.recv()
                left = left[1:]
        except (EOFError, OSError):
            left = left[1:]
        finally:
            process.kill()
            process.join()
            ours.close()
    return costs


def _measure_each(pipe: Connection, those: list[Measured]) -> None:
    """The child's life."""
    settle_in()
    for each in those:
        pipe.send(_variant_cost(*each))


def _stream_seconds(stream: Stream) -> float:
    batches = len(stream.order(1))
    evaluated = (len(stream.train_eval) + len(stream.dataset.val)) / len(stream.dataset.train)
    iterator = stream.train(1)
    plain = _mean_seconds(lambda: next(iterator), min(batches - 1, _MOST_STEPS))
    return plain * batches * (1 if stream.augments else 1 + evaluated)


def _variant_cost(run: Run, data: Path, device: torch.device) -> tuple[float, int]:
    """A model that fails is reported by its run, not by its estimate."""
    try:
        dataset = load(data)
        return _try(run, dataset, Stream(dataset, run.variant.settings, run.seed, device), device)
    except (Exception, SystemExit):
        return _UNKNOWN


def _try(run: Run, dataset: Dataset, stream: Stream, device: torch.device) -> tuple[float, int]:
    settings = run.variant.settings
    learner = Learner(settings, dataset, run.seed, device)
    images, labels = next(stream.train(1))
    batches = len(stream.order(1))
    step = _mean_seconds(lambda: learner.step(images, labels), _MOST_STEPS)
    forward = _mean_seconds(lambda: learner.logits(images), _MOST_STEPS)
    evaluated = (len(stream.train_eval) + len(dataset.val)) / len(dataset.train)
    weights = list(learner.model.parameters())
    parameters = sum(weight.numel() for weight in weights)
    events = _EVENTS_PER_RUN + _EVENTS_PER_TENSOR * 2 * len(weights) * settings.epochs
    predictions = (len(dataset.val) + len(dataset.test)) * (4 * len(dataset.classes) + 8)
    return (step + forward * evaluated) * batches, 4 * parameters + events + predictions


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


def shares(runs: Iterable[Run], costs: Costs, workers: int) -> list[list[Run]]:
    """Cohorts, the costliest first, split wherever that brings the estimated finish nearer.

    A split costs a second stream, so cohorts stay whole where augmentation is what takes the time.
    """
    parts = cohorts(runs)
    while True:
        finish = _finish(map(costs.share, parts), workers)
        best = None
        for number, part in enumerate(parts):
            if len(part) > 1:
                split = [*parts[:number], *_halves(part, costs), *parts[number + 1 :]]
                estimate = _finish(map(costs.share, split), workers)
                if estimate < 0.99 * finish:
                    best, finish = split, estimate
        if best is None:
            return sorted(parts, key=costs.share, reverse=True)
        parts = best


def _halves(part: list[Run], costs: Costs) -> tuple[list[Run], list[Run]]:
    """Two parts of about equal cost, both in the part's order."""
    left: list[Run] = []
    totals = [0.0, 0.0]
    for run in sorted(part, key=costs.run, reverse=True):
        side = totals.index(min(totals))
        totals[side] += costs.run(run)
        if side == 0:
            left.append(run)
    return [run for run in part if run in left], [run for run in part if run not in left]


def _finish(costs: Iterable[float], workers: int) -> float:
    """When the last worker is done if each takes the costliest share that is left (Graham 1969)."""
    ends = [0.0] * workers
    for cost in sorted(costs, reverse=True):
        heapq.heapreplace(ends, ends[0] + cost)
    return max(ends)


def finish_seconds(parts: Iterable[Sequence[Run]], costs: Costs, workers: int) -> float:
    """The estimated time until all shares are done."""
    return _finish(map(costs.share, parts), workers)
