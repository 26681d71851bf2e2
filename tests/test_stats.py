"""Intervals and tests agree with scipy, and say nothing where nothing can be said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from runner.stats import mean_interval, paired_effect

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
