"""Which jobs a queue hands out: as many as keep all workers busy, no more streams than that takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.execute._schedule import Costs, Queue, finish_seconds, split_jobs
from runner.expand import Run, Variant, cohorts
from runner.spec import Settings
from tests.studies import BASE

SETTINGS = Settings.model_validate(BASE | {"epochs": 1})


def runs(variants: int, seeds: int) -> list[Run]:
    """Runs of variants that see the same data, so a seed is a cohort."""
    made = [Variant(f"v{n}", SETTINGS.model_copy(update={"lr": 1e-3 + n / 1e6}), {}) for n in range(variants)]
    return [Run("study-digits", variant, seed) for seed in range(seeds) for variant in made]


def costs(those: Sequence[Run], run: float, stream: float) -> Costs:
    return Costs({each.variant.digest: run for each in those}, {each.data_key[:-1]: stream for each in those}, {})


@given(st.integers(1, 12), st.integers(1, 6), st.integers(1, 20), st.sampled_from([0.0, 0.1, 1.0, 20.0]))
def test_each_run_is_handed_out_once_and_with_its_cohort(
    variants: int, seeds: int, workers: int, stream: float
) -> None:
    those = runs(variants, seeds)
    parts = split_jobs(those, costs(those, 1.0, stream), workers)
    assert Counter(run for part in parts for run in part) == Counter(those)
    assert all(len({run.data_key for run in part}) == 1 for part in parts)


@pytest.mark.parametrize(
    ("variants", "seeds", "workers", "most"),
    [
        (4, 1, 2, 1.01),
        (10, 3, 2, 1.01),
        (10, 2, 4, 1.01),
        (10, 5, 4, 1.05),
        (100, 100, 1000, 1.01),
        (1000, 10, 1000, 1.01),
    ],
)
def test_all_workers_end_at_about_the_same_time(variants: int, seeds: int, workers: int, most: float) -> None:
    those = runs(variants, seeds)
    known = costs(those, 1.0, 0.001)
    assert finish_seconds(split_jobs(those, known, workers), known, workers) <= most * len(those) / workers


def test_jobs_stay_whole_where_all_workers_have_one() -> None:
    those = runs(6, 4)
    assert split_jobs(those, costs(those, 1.0, 0.1), 4) == cohorts(those)
    assert split_jobs(those, costs(those, 1.0, 0.1), 1) == cohorts(those)


def test_a_stream_that_takes_most_of_the_time_is_not_repeated_for_each_run() -> None:
    those = runs(8, 1)
    assert len(split_jobs(those, costs(those, 1.0, 20.0), 4)) <= 4
    assert len(split_jobs(those, costs(those, 0.001, 20.0), 4)) == 1


def test_what_the_others_still_have_decides_how_a_late_job_is_split() -> None:
    those = runs(8, 1)
    sizes = []
    for in_training in (1000.0, 8.0, 0.0):  # of three other workers
        queue = Queue(those, costs(those, 1.0, 0.001), 4)
        job = queue.take(in_training)
        assert job
        sizes.append(len(job))
    assert sizes == [8, 4, 2]


def test_what_waits_is_known() -> None:
    those = runs(4, 2)
    queue = Queue(those, costs(those, 1.0, 0.5), 2)
    assert (queue.run_seconds, queue.seconds) == (8.0, 9.0)
    assert queue.take(0.0) == those[:4]
    assert (queue.run_seconds, queue.seconds) == (4.0, 4.5)
    assert queue.take(4.0) == those[4:]
    assert queue.take(8.0) is None
