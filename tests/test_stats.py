"""Intervals and tests agree with scipy, and say nothing where nothing can be said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from runner.stats import (
    correlation,
    equivalence_p,
    holm,
    interaction_effect,
    mean_interval,
    one_sample_effect,
    outside_p,
    paired_effect,
    seeds_needed,
    signed_rank_p,
    trend_effect,
)

FLOATS = st.floats(-1e3, 1e3)


@given(st.lists(FLOATS, min_size=2, max_size=12))
def test_the_interval_is_scipys(values: list[float]) -> None:
    found = mean_interval(values)
    assert found.n == len(values)
    if np.std(values) > 1e-6:
        expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-9)


@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=2, max_size=12))
def test_the_effect_is_the_paired_t_test(pairs: list[tuple[float, float]]) -> None:
    variant, baseline = (np.array(side) for side in zip(*pairs, strict=True))
    found = paired_effect(variant, baseline)
    if np.std(variant - baseline) > 1e-6:
        assert found.p == pytest.approx(stats.ttest_rel(variant, baseline).pvalue, rel=1e-9)
        reverse = paired_effect(baseline, variant)
        assert reverse.interval.estimate == -found.interval.estimate
        assert (found.interval.low > 0 or found.interval.high < 0) == (found.p < 0.05)


def test_students_sleep_data() -> None:
    """Student 1908, as in R's help page of t.test: paired, t = -4.0621, p = 0.002833."""
    drug_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    drug_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = paired_effect(drug_1, drug_2)
    assert found.p == pytest.approx(0.002833, abs=1e-6)
    assert (found.interval.low, found.interval.high) == pytest.approx((-2.4598858, -0.7001142), abs=1e-7)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, math.nan], [math.inf, 1.0]])
def test_no_spread_no_interval(values: list[float]) -> None:
    assert math.isnan(mean_interval(values).low)
    assert math.isnan(paired_effect(values, values).p)


def test_equal_differences_claim_no_certainty() -> None:
    assert paired_effect([1, 2, 3], [1, 2, 3]).p == 1.0
    assert math.isnan(paired_effect([2, 3, 4], [1, 2, 3]).p)


def test_holm_is_statsmodels_and_leaves_nan_out() -> None:
    found = holm([0.01, math.nan, 0.04, 0.03])
    assert found[0] == pytest.approx(0.03)
    assert math.isnan(found[1])
    assert found[2:] == pytest.approx([0.06, 0.06])
    assert holm([]) == []


def test_the_signed_rank_test_refuses_where_it_can_say_nothing() -> None:
    assert signed_rank_p([1, 2, 3, 4, 5]) is None
    assert signed_rank_p([1, 2, 3, 4, 5, 6]) == pytest.approx(2 / 2**6)
    assert signed_rank_p([1, 1, 2, -3, 5, 6, 7]) == pytest.approx(8 / 2**7, abs=0.05)


def test_equivalence_needs_the_whole_interval_within_the_margin() -> None:
    """Two one-sided tests at .05 are the 90% interval within the margin (Schuirmann 1987)."""
    effect = one_sample_effect([0.1, -0.2, 0.05, 0.12, -0.04, 0.02])
    narrow = mean_interval([0.1, -0.2, 0.05, 0.12, -0.04, 0.02], 0.90)
    edge = max(abs(narrow.low), abs(narrow.high))
    assert equivalence_p(effect, edge * 1.001) < 0.05 < equivalence_p(effect, edge * 0.999)
    assert outside_p(effect, 0.0) == pytest.approx(effect.p)


def test_an_interaction_is_what_both_do_beyond_each() -> None:
    found = interaction_effect([5, 6, 7.5], [3, 4, 5], [2, 3, 4], [1, 2, 3])
    assert found.interval.estimate == pytest.approx(np.mean([1, 1, 1.5]))


def test_a_trend_is_the_mean_slope_over_seeds() -> None:
    values = np.array([[1, 2, 4], [2, 3.1, 5], [0, 1, 3.2]])
    found = trend_effect([0.0, 0.1, 0.3], values)
    slopes = [np.polyfit([0.0, 0.1, 0.3], row, 1)[0] for row in values]
    assert found.interval.estimate == pytest.approx(np.mean(slopes))


def test_seeds_needed_has_the_power_that_it_says() -> None:
    """A standardized difference of 0.5 needs 34 pairs for power .8 (Cohen 1988, table 2.4.1, one sample)."""
    assert seeds_needed(2.0, 1.0) == 34
    assert seeds_needed(0.0, 1.0) is None
    assert seeds_needed(1.0, 1e-9) is None


def test_correlation_of_pairs() -> None:
    assert correlation([1, 2, 3], [2, 4, 6]) == pytest.approx(1)
    assert math.isnan(correlation([1, 1, 1], [1, 2, 3]))
    assert math.isnan(correlation([1, 2], [1, 2]))
