from __future__ import annotations

import math
import threading
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from runner.board.anyruns._contrasts import contrasts, measured
from runner.board.anyruns._curves import MOST_STEPS, curve, mean_bands, steps_shown
from runner.board.anyruns._grouping import Grouping, Member, Part
from runner.board.anyruns._query import listed
from runner.board.anyruns._read import Logs, Series, SeriesCache, Source, Stamp, series_of, sources
from runner.board.anyruns._tags import chosen_tags, is_lower_better, sorted_tags
from runner.stats import mean_interval, unpaired_effect
from tests.foreign import logs_of, write

NUMBERS = st.floats(-1e6, 1e6) | st.just(math.nan)


class Point(NamedTuple):
    step: int
    wall_time: float
    value: float


def series(points: dict[int, float]) -> Series:
    return Series(np.array(list(points), dtype=np.int64), np.array(list(points.values()), dtype=float))


@given(st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=6))
def test_bands_are_mean_intervals(table: list[list[float]]) -> None:
    array = np.array(table)
    mean, low, high, count = mean_bands(array)
    for place, column in enumerate(array.T):
        expected = mean_interval(column[np.isfinite(column)])
        assert count[place] == expected.n
        assert [mean[place], low[place], high[place]] == pytest.approx(
            [expected.estimate, expected.low, expected.high], rel=1e-9, abs=1e-6, nan_ok=True
        )


def test_a_spread_of_rounding_is_none() -> None:
    mean, low, high, _ = mean_bands(np.array([[0.1 + 0.2], [0.3]]))
    assert low == mean == high


def test_nan_is_not_interpolated_over() -> None:
    two = [series({0: 1.0, 10: math.nan, 20: 3.0}), series({0: 1.0, 5: 2.0, 10: 3.0, 20: 4.0})]
    found = curve(two)
    assert found.n.tolist() == [2, 1, 1, 2]
    assert found.mean.tolist() == [1.0, 2.0, 3.0, 3.5]


def test_a_run_that_ends_with_nan_has_no_last_value() -> None:
    found = curve([series({0: 1.0, 1: math.nan}), series({0: 1.0, 1: 1.0, 2: 1.0})])
    assert found.n.tolist() == [2, 1, 1]


def test_long_curves_are_thinned() -> None:
    found = curve([series(dict.fromkeys(range(start, 9000, 2), 1.0)) for start in (0, 1)])
    assert len(found.step) == MOST_STEPS
    assert (found.step[0], found.step[-1]) == (0, 8999)


def test_many_curves_have_fewer_steps() -> None:
    long = series(dict.fromkeys(range(5000), 1.0))
    assert len(curve([long], steps_shown(100)).step) == 200
    assert steps_shown(10_000) == 50


def test_no_series_has_no_curve() -> None:
    assert curve([]).step.tolist() == []


def test_the_last_written_of_equal_steps_counts() -> None:
    found = series_of([Point(1, 5.0, 0.5), Point(0, 1.0, 0.1), Point(1, 9.0, 0.9), Point(1, 7.0, 0.7)])
    assert (found.steps.tolist(), found.values.tolist()) == ([0, 1], [0.1, 0.9])
    assert series_of([]).steps.tolist() == []


def test_what_is_measured() -> None:
    own = series({2: 0.5, 4: 0.9, 6: math.nan})
    assert measured(own, "best", "max") == 0.9
    assert measured(own, "best", "min") == 0.5
    assert math.isnan(measured(own, "last", "max") or 0.0)
    assert measured(own, 3, "max") == pytest.approx(0.7)
    assert measured(own, 1, "max") is None
    assert math.isnan(measured(series({0: math.inf}), "best", "max") or 0.0)


@given(
    st.lists(st.floats(-100, 100), min_size=2, max_size=6).filter(lambda values: np.ptp(values) > 0.01),
    st.lists(st.floats(-100, 100), min_size=2, max_size=6).filter(lambda values: np.ptp(values) > 0.01),
)
def test_welchs_interval_is_scipys(first: list[float], second: list[float]) -> None:
    found = unpaired_effect(first, second)
    expected = stats.ttest_ind(first, second, equal_var=False)
    interval = expected.confidence_interval()
    assert found.p == pytest.approx(expected.pvalue, abs=1e-9)
    assert [found.interval.low, found.interval.high] == pytest.approx([interval.low, interval.high], abs=1e-6)


def test_welch_without_a_spread_or_with_one_run() -> None:
    assert math.isnan(unpaired_effect([1, 1], [2, 2]).p)
    assert unpaired_effect([1, 1], [1, 1]).p == 1
    assert math.isnan(unpaired_effect([1], [2, 3]).interval.low)
    assert math.isnan(unpaired_effect([], [2, 3]).interval.estimate)


def test_a_lost_pair_takes_better_away_but_not_worse() -> None:
    base = {str(seed): float(seed % 2) for seed in range(6)}
    for shift, side in ((5.0, ""), (-5.0, "worse")):
        values = {"base": base, "x": {seed: value + shift + int(seed) / 100 for seed, value in base.items()}}
        values["x"]["0"] = math.nan
        (_, found) = contrasts("acc", values, "base", "max", paired=True)
        assert (found.row.side, found.row.failed, found.row.effect.n) == (side, 1, 5)


def test_a_lost_run_counts_also_without_pairs() -> None:
    base = {str(seed): float(seed % 2) for seed in range(6)}
    for shift, side in ((5.0, ""), (-5.0, "worse")):
        values = {"base": base, "x": {seed: value + shift for seed, value in base.items()}}
        values["x"]["0"] = math.nan
        (_, found) = contrasts("acc", values, "base", "max", paired=False)
        assert (found.row.side, found.row.failed) == (side, 1)
        assert found.row.adjusted < 0.001


def test_sides_need_the_adjusted_p() -> None:
    base = {str(seed): 0.0 for seed in range(4)}
    own = {"0": 1.0, "1": 2.0, "2": 3.0, "3": 1.5}
    few = contrasts("acc", {"base": base, "x": own}, "base", "max", paired=True)
    many = contrasts("acc", {"base": base, **dict.fromkeys("xyzw", own)}, "base", "max", paired=True)
    assert (few[1].row.side, many[1].row.side) == ("better", "")
    assert many[1].row.p < 0.05 < many[1].row.adjusted


def test_without_shared_seeds_there_are_no_pairs() -> None:
    (_, found) = contrasts("acc", {"base": {"0": 1.0}, "x": {"1": 2.0}}, "base", "max", paired=True)
    assert (found.row.effect.n, found.points, found.row.side) == (0, (), "")
    assert math.isnan(found.row.p)


def test_without_a_baseline_there_are_only_means() -> None:
    (found,) = contrasts("acc", {"x": {"1": 2.0, "2": 3.0}}, "base", "max", paired=True)
    assert (found.row.mean.estimate, found.row.effect.n) == (2.5, 0)


@pytest.mark.parametrize(
    ("tag", "lower"),
    [
        ("val/loss", True), ("trainLoss", True), ("valloss", True), ("top1_error", True), ("ppl", True),
        ("val_accuracy", False), ("f1", False), ("lossless", False), ("epoch_time", True), ("<b>", False),
    ],
)  # fmt: skip
def test_which_way_is_better(tag: str, lower: bool) -> None:
    assert is_lower_better(tag) == lower


def test_useful_tags_come_first() -> None:
    tags = ["lr-Adam", "epoch", "train_loss_step", "val_loss", "val_f1", "test/acc", "hp_metric", "other"]
    assert sorted_tags(tags) == [
        "val_f1", "val_loss", "test/acc", "train_loss_step", "other", "epoch", "hp_metric", "lr-Adam",
    ]  # fmt: skip
    assert chosen_tags(sorted_tags(tags)) == ["val_f1", "val_loss"]
    assert chosen_tags(["a"]) == ["a"]
    assert chosen_tags([]) == []


def test_a_tag_has_its_parts_name_once() -> None:
    member = Member("a/0", (Part("val", "a/0/val"), Part("", "a/0")))
    listing = dict.fromkeys(
        [Source("a/0/val", "val/loss"), Source("a/0/val", "acc"), Source("a/0", "acc")], Stamp(0, 0.0)
    )
    found = sources(Grouping("", {"a": {"0": member}}), listing)
    assert {tag: tree["a"]["0"] for tag, tree in found.items()} == {
        "val/loss": Source("a/0/val", "val/loss"),
        "val/acc": Source("a/0/val", "acc"),
        "acc": Source("a/0", "acc"),
    }


class Counting(Logs):
    """Counts the series that are read."""

    def __init__(self, logs: Logs) -> None:
        self.inner, self.experiment_id, self.count = logs, "", 0

    def read(self, sources: Collection[Source]) -> dict[Source, Series]:
        self.count += len(sources)
        return self.inner.read(sources)


def test_only_what_grew_is_read_again(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / name, {"x": [1.0, 2.0], "y": [1.0]})
    cache, wanted = SeriesCache(), [Source("a", "x"), Source("b", "x"), Source("b", "gone")]
    logs = Counting(logs_of(tmp_path))
    first = cache.read(logs, logs.inner.listing(), wanted)
    assert (logs.count, len(first)) == (2, 2)
    cache.read(logs, logs.inner.listing(), wanted)
    assert logs.count == 2
    write(tmp_path / "b", {"x": {2: 3.0}})
    logs = Counting(logs_of(tmp_path))
    again = cache.read(logs, logs.inner.listing(), wanted)
    assert logs.count == 1
    assert again[Source("b", "x")].values.tolist() == [1.0, 2.0, 3.0]
    assert again[Source("a", "x")] is first[Source("a", "x")]


def test_the_cache_is_bounded_and_shared_by_threads(tmp_path: Path) -> None:
    names = [f"run{number}" for number in range(6)]
    for name in names:
        write(tmp_path / name, {"x": [1.0] * 10})
    logs, cache = logs_of(tmp_path), SeriesCache(most_points=25)
    listing, wrong = logs.listing(), []

    def read() -> None:
        for name in names * 5:
            found = cache.read(logs, listing, [Source(name, "x")])
            if len(found[Source(name, "x")].steps) != 10:
                wrong.append(name)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert cache._points <= 25
    assert cache._points == sum(len(series.steps) for _, series in cache._kept.values())


def test_lists_of_names_are_short() -> None:
    assert listed([]) == ""
    assert listed(["a\n<b>"]) == "a <b>"
    assert len(listed(["a" * 1000] * 9)) < 400
