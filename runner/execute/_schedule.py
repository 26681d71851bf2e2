"""Estimates what runs cost, and splits cohorts into jobs."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from runner.execute._durations import Durations
from runner.expand import Run, cohorts

_NEAR = 0.02  # of a share: estimates are no better
_LEAST_GAIN = 0.01  # of a job's time, by a split


@dataclass(frozen=True)
class Costs:
    """Measured costs on one thread.

    variant  digest -> seconds of an epoch
    stream   data key -> seconds of an epoch's batches
    size     digest -> bytes of a finished run on the disk
    unfit    digest -> why this machine can't train it
    unknown  digests of variants with own training of which no run has ended: their seconds stand in for unknown ones
    """

    variant: Mapping[str, float]
    stream: Mapping[tuple[str, ...], float]
    size: Mapping[str, int]
    unfit: Mapping[str, str] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()

    def __or__(self, other: Costs) -> Costs:
        """Returns the costs of both."""
        return Costs(
            {**self.variant, **other.variant},
            {**self.stream, **other.stream},
            {**self.size, **other.size},
            {**self.unfit, **other.unfit},
            (self.unknown - other.variant.keys()) | other.unknown,
        )

    def __contains__(self, run: Run) -> bool:
        """Whether a run's costs are known."""
        return run.variant.digest in self.variant and run.data_key[:-1] in self.stream

    def run(self, run: Run, epochs_done: int = 0) -> float:
        """Returns the seconds that a run still takes at most; early stopping may end it sooner."""
        return self.variant[run.variant.digest] * max(run.variant.settings.epochs - epochs_done, 0)

    def job(self, runs: Sequence[Run]) -> float:
        """Returns the seconds of a job: its runs, and the stream for the longest run."""
        longest = max(run.variant.settings.epochs for run in runs)
        return sum(map(self.run, runs)) + self.stream[runs[0].data_key[:-1]] * longest


def own_costs(runs: Iterable[Run], durations: Durations) -> Costs:
    """Returns the costs of runs that their study trains itself: what its ended runs took, and no known size."""
    own = {run.variant.digest: run for run in runs}
    expected = {digest: durations.expected(run) for digest, run in own.items()}
    known = {digest: seconds for digest, seconds in expected.items() if seconds is not None}
    streams = {run.data_key[:-1]: 0.0 for run in own.values()}
    return Costs({**dict.fromkeys(own, 1.0), **known}, streams, {}, unknown=frozenset(own.keys() - known.keys()))


class Queue:
    """Cohorts that wait for a worker, the most expensive first. What would end late is split when it is handed out.

    A job is split where it takes longer than an equal share of all remaining work: then others would wait for it at the
    end. It becomes as many equal parts as it has shares. A split costs a second stream, so a job stays whole where
    augmentation takes most of its time, and where a share is less than a run.
    """

    def __init__(self, runs: Iterable[Run], costs: Costs, workers: int) -> None:
        self._costs, self._workers = costs, workers
        self._count = itertools.count()  # equal costs: first in, first out
        self._waiting: list[tuple[float, int, list[Run], bool]] = []  # the last: whether it is a part of a job
        self.seconds = self.run_seconds = 0.0  # of all that waits: its jobs, and its runs without their streams
        for whole in cohorts(runs):
            self._put(whole, False)

    def _put(self, runs: list[Run], is_part: bool) -> None:
        seconds = self._costs.job(runs)
        self.seconds += seconds
        self.run_seconds += sum(map(self._costs.run, runs))
        heapq.heappush(self._waiting, (-seconds, next(self._count), runs, is_part))

    def take(self, in_training: float) -> list[Run] | None:
        """Returns the next job; None where nothing waits. `in_training` is what the workers still have, in seconds."""
        while self._waiting:
            share = (in_training + self.seconds) / self._workers
            cost, _, runs, is_part = heapq.heappop(self._waiting)
            self.seconds += cost
            self.run_seconds -= sum(map(self._costs.run, runs))
            count = self._count_parts(runs, -cost, share, is_part)
            if count < 2:
                return runs
            for part in _equal_parts(runs, self._costs, count):
                self._put(part, True)
        return None

    def _count_parts(self, job: list[Run], seconds: float, share: float, is_part: bool) -> int:
        """Returns in how many parts a job is split if none of them should take longer than a share of all work."""
        runs = sum(map(self._costs.run, job))
        stream = seconds - runs
        long = runs if is_part else seconds  # a stream again and again makes no part shorter
        if len(job) < 2 or long <= (1 + _NEAR) * share:
            return 1
        if share > stream and len(job) <= math.ceil((share - stream) * len(job) / runs - _NEAR):
            return 1  # with one run less, a worker would have less than its share
        count = min(math.ceil(seconds / share - _NEAR), len(job))
        return count if stream + runs / count < (1 - _LEAST_GAIN) * seconds else 1


def split_jobs(runs: Iterable[Run], costs: Costs, workers: int) -> list[list[Run]]:
    """Returns the jobs that a queue hands out if all take what is estimated, in this order."""
    queue = Queue(runs, costs, workers)
    ends = [0.0] * workers
    total, parts = 0.0, list[list[Run]]()
    while (part := queue.take(total - ends[0] * workers)) is not None:
        parts.append(part)
        seconds = costs.job(part)
        total += seconds
        heapq.heapreplace(ends, ends[0] + seconds)
    return parts


def _equal_parts(part: list[Run], costs: Costs, count: int) -> list[list[Run]]:
    """Splits a job into parts of about equal cost, each in the job's order."""
    totals = [(0.0, number) for number in range(count)]
    chosen: dict[Run, int] = {}
    for run in sorted(part, key=costs.run, reverse=True):
        total, number = totals[0]
        heapq.heapreplace(totals, (total + costs.run(run), number))
        chosen[run] = number
    parts: list[list[Run]] = [[] for _ in range(count)]
    for run in part:
        parts[chosen[run]].append(run)
    return parts


def _finish(costs: Iterable[float], workers: int) -> float:
    """Returns when the last worker is done if each takes the most expensive remaining job (Graham 1969)."""
    ends = [0.0] * workers
    for cost in sorted(costs, reverse=True):
        heapq.heapreplace(ends, ends[0] + cost)
    return max(ends)


def finish_seconds(parts: Iterable[Sequence[Run]], costs: Costs, workers: int) -> float:
    """Returns the estimated seconds until all jobs are done."""
    return _finish(map(costs.job, parts), workers)
