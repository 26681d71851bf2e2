"""Estimates what runs cost, and splits cohorts into jobs."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from runner.expand import Run, cohorts


@dataclass(frozen=True)
class Costs:
    """Measured costs on one thread.

    variant  digest -> seconds of an epoch
    stream   data key -> seconds of an epoch's batches
    size     digest -> bytes of a finished run on the disk
    unfit    digest -> why this machine can't train it
    """

    variant: Mapping[str, float]
    stream: Mapping[tuple[str, ...], float]
    size: Mapping[str, int]
    unfit: Mapping[str, str] = field(default_factory=dict)

    def __or__(self, other: Costs) -> Costs:
        """Returns the costs of both."""
        return Costs(
            {**self.variant, **other.variant},
            {**self.stream, **other.stream},
            {**self.size, **other.size},
            {**self.unfit, **other.unfit},
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


def unknown_costs(runs: Iterable[Run]) -> Costs:
    """Returns costs for runs that their study trains itself, of which nothing is known: a minute each, no bytes."""
    own = list(runs)
    digests = [run.variant.digest for run in own]
    return Costs(dict.fromkeys(digests, 60.0), {run.data_key[:-1]: 0.0 for run in own}, dict.fromkeys(digests, 0))


def split_jobs(runs: Iterable[Run], costs: Costs, workers: int) -> list[list[Run]]:
    """Returns cohorts, the most expensive first, split wherever a split makes the estimated finish earlier.

    A split costs a second stream, so cohorts stay whole where augmentation takes most of the time.
    """
    parts = cohorts(runs)
    while True:
        finish = _finish(map(costs.job, parts), workers)
        best = None
        for number, part in enumerate(parts):
            if len(part) > 1:
                split = [*parts[:number], *_halves(part, costs), *parts[number + 1 :]]
                estimate = _finish(map(costs.job, split), workers)
                if estimate < 0.99 * finish:
                    best, finish = split, estimate
        if best is None:
            return sorted(parts, key=costs.job, reverse=True)
        parts = best


def _halves(part: list[Run], costs: Costs) -> tuple[list[Run], list[Run]]:
    """Splits a part into two of about equal cost, both in the part's order."""
    left: list[Run] = []
    totals = [0.0, 0.0]
    for run in sorted(part, key=costs.run, reverse=True):
        side = totals.index(min(totals))
        totals[side] += costs.run(run)
        if side == 0:
            left.append(run)
    return [run for run in part if run in left], [run for run in part if run not in left]


def _finish(costs: Iterable[float], workers: int) -> float:
    """Returns when the last worker is done if each takes the most expensive remaining job (Graham 1969)."""
    ends = [0.0] * workers
    for cost in sorted(costs, reverse=True):
        heapq.heapreplace(ends, ends[0] + cost)
    return max(ends)


def finish_seconds(parts: Iterable[Sequence[Run]], costs: Costs, workers: int) -> float:
    """Returns the estimated seconds until all jobs are done."""
    return _finish(map(costs.job, parts), workers)
