"""Intervals and tests agree with scipy, and say nothing where nothing can be said."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.multitest import multipletests

from runner.power import seeds_needed, smallest_effect, spread_interval
from runner.stats import (
    benjamini_hochberg,
    contrast_effect,
    correlation,
    equivalence_p,
    holm,
    interaction_effect,
    mcnemar_p,
    mean_interval,
    mean_intervals,
    one_sample_effect,
    outside_p,
    paired_effect,
    resampled_effect,
    signed_rank_p,
    trend_effect,
    two_level_effect,
    value_effect,
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


@pytest.mark.slow
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_holm_leaves_nan_out() -> None:
    found = holm([0.01, math.nan, 0.04, 0.03])
    assert found[0] == pytest.approx(0.03)
    assert math.isnan(found[1])
    assert found[2:] == pytest.approx([0.06, 0.06])
    assert holm([]) == []


def test_the_signed_rank_test_refuses_where_it_can_say_nothing() -> None:
    assert signed_rank_p([1, 2, 3, 4, 5]) is None
    assert signed_rank_p([1, 2, 3, 4, 5, 6]) == pytest.approx(2 / 2**6)


@given(st.lists(st.integers(-5, 5), min_size=6, max_size=10))
def test_the_signed_rank_test_is_exact_with_ties(values: list[int]) -> None:
    kept = [value for value in values if value]
    assume(len(kept) >= 6 and len(set(values)) > 1)
    every_sign = stats.PermutationMethod(n_resamples=2 ** len(kept))
    assert signed_rank_p(values) == pytest.approx(stats.wilcoxon(kept, method=every_sign).pvalue)


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


def test_contrasts_are_main_effects_and_interactions() -> None:
    cells = np.array([[1.0, 2, 3, 7], [2, 3.5, 4, 8], [0, 1, 2.5, 6]])  # neither, first, second, both
    main = contrast_effect(cells, [-0.5, 0.5, -0.5, 0.5])
    assert main.interval.estimate == pytest.approx(np.mean([(1 + 4) / 2, (1.5 + 4) / 2, (1 + 3.5) / 2]))
    interaction = contrast_effect(cells, [1, -1, -1, 1])
    neither, first, second, both = cells.T
    assert interaction == interaction_effect(both, first, second, neither)


def test_two_level_variance_is_that_of_the_analysis_of_variance() -> None:
    """Against statsmodels' analysis of variance of the crossed design (Brennan 2001, ch. 2)."""
    rng = np.random.default_rng(1)
    table = (rng.normal(0, 1, (6, 1)) + rng.normal(0, 1, (1, 40)) + rng.normal(0, 1, (6, 40))) > 0
    frame = pd.DataFrame(
        {
            "y": table.ravel().astype(float),
            "s": np.repeat(range(6), 40).astype(str),
            "i": np.tile(range(40), 6).astype(str),
        }
    )
    anova = anova_lm(ols("y ~ s + i", frame).fit())
    ms_seed, ms_image, ms_rest = (float(anova["mean_sq"][name]) for name in ("s", "i", "Residual"))
    found = two_level_effect(table)
    seeds, images = stats.t.ppf(0.975, 5) ** 2 * ms_seed, stats.t.ppf(0.975, 39) ** 2 * max(0, ms_image - ms_rest)
    half = math.sqrt((seeds + images) / 240)
    assert (found.interval.low, found.interval.high) == pytest.approx((table.mean() - half, table.mean() + half))


@given(st.integers(2, 5), st.integers(2, 30), st.integers(0, 1000))
def test_two_level_is_never_narrower_than_over_seeds_and_its_p_is_its_intervals(n: int, images: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(-1, 2, (n, images)) + rng.normal(0, 0.3, (n, 1))
    found, plain = two_level_effect(values), mean_interval(values.mean(axis=1))
    assert found.interval.high - found.interval.low >= (plain.high - plain.low) * (1 - 1e-9)
    if abs(found.p - 0.05) > 1e-6:
        assert (found.interval.low > 0 or found.interval.high < 0) == (found.p < 0.05)


@given(n=st.integers(2, 8), images=st.integers(2, 40), seed=st.integers(0, 10**6), distance=st.floats(0.001, 2))
def test_p_at_a_distance_inverts_the_interval(n: int, images: int, seed: int, distance: float) -> None:
    rng = np.random.default_rng(seed)
    for effect in (one_sample_effect(rng.normal(size=n)), two_level_effect(rng.normal(size=(n, images)))):
        p = effect.p_beyond(distance)
        if 1e-9 < p < 1:
            interval = effect.at(1 - p).interval
            assert interval.high - interval.estimate == pytest.approx(distance, rel=1e-4)


@pytest.mark.parametrize("count", range(7))
def test_the_intervals_of_rows_are_those_of_each(count: int) -> None:
    values = np.random.default_rng(count).normal(size=(6, count))
    values[1] = 2.0
    values[2:4, :1] = [[math.nan], [math.inf]]
    for found, row in zip(mean_intervals(values), values, strict=True):
        assert repr(found) == repr(mean_interval(row))
        if count > 1 and np.isfinite(row).all():
            half = stats.t.ppf(0.975, count - 1) * row.std(ddof=1) / math.sqrt(count)
            assert (found.estimate, found.high) == pytest.approx((row.mean(), row.mean() + half))


def test_intervals_of_another_level() -> None:
    effect = one_sample_effect([0.1, 0.4, 0.2, 0.3, 0.6])
    found = effect.at(0.99).interval
    expected = stats.ttest_1samp([0.1, 0.4, 0.2, 0.3, 0.6], 0).confidence_interval(0.99)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert effect.at(0.95) == effect
    assert one_sample_effect([0.1]).at(0.99) == one_sample_effect([0.1])
    assert effect.reversed().interval.high == -effect.interval.low


def test_one_sided_tests_over_seeds_and_images_invert_their_interval() -> None:
    """Equivalence at p is where the interval of level 1 - 2p ends at the margin."""
    effect = two_level_effect(np.random.default_rng(3).normal(0.02, 0.1, size=(5, 60)))
    estimate, margin = effect.interval.estimate, 0.08
    p = equivalence_p(effect, margin)
    inside = effect.at(1 - 2 * p).interval
    assert max(abs(inside.low), abs(inside.high)) == pytest.approx(margin)
    beyond = outside_p(effect, margin=abs(estimate) / 2)
    outside = effect.at(1 - beyond).interval
    assert min(abs(outside.low), abs(outside.high)) == pytest.approx(abs(estimate) / 2)
    assert equivalence_p(effect, abs(estimate) / 2) > 0.5
    assert outside_p(effect, margin) == 1.0


def test_resampled_effects_have_the_corrected_variance() -> None:
    """Nadeau & Bengio 2003: (1 / n + n_test / n_train) times the variance, n - 1 degrees of freedom."""
    differences = [0.1, 0.4, 0.2, 0.3, 0.6]
    plain = one_sample_effect(differences)
    found = resampled_effect(plain, 1 / 9)
    error = np.std(differences, ddof=1) * math.sqrt(1 / 5 + 1 / 9)
    half = stats.t.ppf(0.975, 4) * error
    assert (found.interval.low, found.interval.high) == pytest.approx((0.32 - half, 0.32 + half))
    assert found.p == pytest.approx(2 * stats.t.sf(0.32 / error, 4))
    assert resampled_effect(plain, 0.0).interval.low == pytest.approx(plain.interval.low)
    assert equivalence_p(found, 0.9) > equivalence_p(plain, 0.9)


def test_benjamini_hochberg_is_that_of_statsmodels() -> None:
    p = [0.001, 0.2, 0.03, 0.04, 0.9, 0.012]
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1])
    assert benjamini_hochberg([]) == []


def test_two_level_without_image_variation_is_the_t_interval_over_seeds() -> None:
    values = np.repeat([[0.1], [0.3], [0.2], [0.5]], 50, axis=1)
    found, plain = two_level_effect(values), mean_interval([0.1, 0.3, 0.2, 0.5])
    assert (found.interval.low, found.interval.high) == pytest.approx((plain.low, plain.high))
    assert found.p == pytest.approx(stats.ttest_1samp([0.1, 0.3, 0.2, 0.5], 0).pvalue)
    assert math.isnan(two_level_effect(values[:1]).interval.low)  # one seed says nothing of others


def test_mcnemar_is_the_exact_binomial_of_the_disagreements() -> None:
    """Agresti 2013, table 11.1 has 86 against 150 of 1600; and the binomial by hand for a small table."""
    a = np.array([1] * 794 + [1] * 150 + [0] * 86 + [0] * 570, dtype=bool)
    b = np.array([1] * 794 + [0] * 150 + [1] * 86 + [0] * 570, dtype=bool)
    assert mcnemar_p(a, b) == pytest.approx(stats.binomtest(86, 236, 0.5).pvalue)
    assert mcnemar_p(a, b) < 1e-4  # the book's z = -4.17
    assert mcnemar_p([1, 1, 1, 0], [0, 0, 0, 0]) == pytest.approx(0.25)
    assert mcnemar_p([1, 0], [1, 0]) == 1.0


def test_a_trend_is_the_mean_slope_over_seeds() -> None:
    values = np.array([[1, 2, 4], [2, 3.1, 5], [0, 1, 3.2]])
    found = trend_effect([0.0, 0.1, 0.3], values)
    slopes = [np.polyfit([0.0, 0.1, 0.3], row, 1)[0] for row in values]
    assert found.interval.estimate == pytest.approx(np.mean(slopes))


def test_seeds_needed_has_the_power_that_it_says() -> None:
    """A standardized difference of 0.5 needs 34 pairs for power .8 (Cohen 1988, table 2.4.1, one sample)."""
    assert seeds_needed(2.0, 1.0) == 34
    assert (seeds_needed(2.0, 1.0, alpha=0.01) or 0) > 34
    assert seeds_needed(2.0, 1.0, equal=True) == 36  # (z.95 + z.90)^2 s^2 / d^2 = 34.3, and a little for t
    assert spread_interval(1.0, 5) == pytest.approx((0.599, 2.874), abs=1e-3)  # the tables of chi-squared
    assert smallest_effect(2.0, 34) == pytest.approx(1.0, abs=0.01)
    assert seeds_needed(0.0, 1.0) is None
    assert seeds_needed(1.0, 1e-9) is None


@given(st.floats(0.03, 30), st.floats(1.001, 3), st.sampled_from([0.05, 0.01, 0.004]), st.booleans())
def test_a_larger_difference_never_needs_more_seeds(size: float, factor: float, alpha: float, equal: bool) -> None:
    more, fewer = (seeds_needed(1.0, d, alpha, equal) or 10**9 for d in (size, size * factor))
    assert fewer <= more


def test_correlation_of_pairs() -> None:
    assert correlation([1, 2, 3], [2, 4, 6]) == pytest.approx(1)
    assert math.isnan(correlation([1, 1, 1], [1, 2, 3]))
    assert math.isnan(correlation([1, 2], [1, 2]))


@pytest.mark.parametrize(("seeds", "images", "more"), [(3, 20, 1), (3, 60, 1), (5, 1000, 7), (10, 1000, 7)])
def test_differences_that_are_equal_but_for_rounding_decide_nothing(seeds: int, images: int, more: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        base = rng.integers(images // 2, images - more, seeds)
        mine, theirs = (base + more) / images, base / images
        effect = paired_effect(mine, theirs)
        assert math.isnan(effect.p)
        assert math.isnan(effect.interval.low)
        assert math.isnan(equivalence_p(effect, 2 * more / images))
        assert math.isnan(outside_p(effect, more / images / 2))
        assert math.isnan(value_effect(mine - theirs + 0.5, 0.5).p)
        assert interaction_effect(mine, theirs, mine, theirs).p == 1.0
        assert math.isnan(interaction_effect(mine, theirs, theirs, theirs).p)
        assert signed_rank_p(mine - theirs, 1.0) is None


@pytest.mark.parametrize("levels", [[2, 3, 5], [0.0, 1e-4, 1e-2], [1e-4, 1e-3, 1e-2], [5, 10, 15]])
def test_a_setting_that_changes_nothing_has_no_slope(levels: list[float]) -> None:
    column = np.random.default_rng(0).integers(450, 480, 5) / 500
    found = trend_effect(levels, np.repeat(column[:, None], len(levels), axis=1))
    assert (found.interval.estimate, found.p, found.spread) == (0.0, 1.0, 0.0)
    steep = np.asarray(levels) / max(levels)
    assert math.isnan(trend_effect(levels, column[:, None] + steep).p)  # one and the same slope in every seed


def test_seeds_that_agree_to_the_image_say_nothing_about_other_seeds() -> None:
    values = np.zeros((3, 60))
    values[[0, 1, 2], [4, 17, 30]] = 1.0  # each seed has one image more right, and another one
    assert math.isnan(two_level_effect(values, scale=1.0).p)


def test_a_small_spread_of_small_values_is_a_spread() -> None:
    assert paired_effect([1.1e-12, 1.3e-12, 1.2e-12], [0, 0, 0]).p < 0.05
    assert paired_effect([1.0 + 1e-7, 1.0 + 3e-7, 1.0 + 2e-7], [1, 1, 1]).p < 0.1


def test_differences_that_are_equal_but_for_an_event_files_rounding_decide_nothing() -> None:
    """A script whose noise depends on the seed alone gives every seed the same difference, in float32."""
    base = np.array([0.81, 0.83, 0.78, 0.8012345])
    exact, logged = base + 0.09, (base + 0.09).astype(np.float32)
    assert np.std(logged - base.astype(np.float32), ddof=1) > 0
    for values, other in ((exact, base), (logged, base.astype(np.float32))):
        found = paired_effect(values, other)
        assert math.isnan(found.p)
