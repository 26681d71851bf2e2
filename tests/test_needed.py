"""How many seeds and images a question still needs, and when none would do."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from runner.power import detectable, seeds_needed
from runner.spec import Question
from runner.stats import Effect, one_sample_effect, two_level_effect
from runner.verdicts._needed import images_needed, is_hopeless

UNIT = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])  # standard deviation .79, the lower end of its interval .47


def asked(expect: str = "more", smallest: float | None = 0.1, images: str = "same") -> Question:
    return Question.model_validate(
        {"ask": "?", "compare": ["a", "b"], "expect": expect, "smallest": smallest, "images": images}
    )


def effect(mean: float) -> Effect:
    return one_sample_effect(mean + UNIT)


@pytest.mark.parametrize("seeds", [5, 12, 27])
def test_the_detectable_difference_is_that_of_statsmodels(seeds: int) -> None:
    assert TTestPower().power(detectable(seeds), seeds, 0.05) == pytest.approx(0.8, abs=1e-4)
    assert seeds_needed(1.0, detectable(seeds) + 1e-6) == seeds
    assert seeds_needed(1.0, detectable(seeds, equal=True) + 1e-6, equal=True) == seeds


@pytest.mark.parametrize(
    ("question", "means", "expected"),
    [
        (asked(smallest=0.1), [0.0], True),  # 27 seeds detect .26
        (asked(smallest=0.1), [0.5], False),  # an effect as large as its estimate would be found
        (asked(smallest=0.1), [0.5, 0.0], False),  # one of them may still refute it
        (asked("different", smallest=0.1), [0.5, 0.0], True),  # a claim of both, and one is too small
        (asked(smallest=0.5), [0.0], False),
        (asked(smallest=None), [0.0], False),  # it names no difference that matters
        (asked("equal", smallest=0.1), [0.0], True),
        (asked("equal", smallest=0.5), [0.0], False),
        (asked("equal", smallest=0.1), [1.0], False),  # beyond the margin by .9
    ],
)
def test_hopeless_is_what_even_an_optimist_gives_up(question: Question, means: list[float], expected: bool) -> None:
    assert is_hopeless([effect(mean) for mean in means], question, 27) is expected


def test_without_a_spread_there_is_still_hope() -> None:
    assert not is_hopeless([one_sample_effect([0.1, 0.1])], asked(), 27)


def test_images_are_counted_where_no_number_of_seeds_is_enough() -> None:
    rng = np.random.default_rng(0)
    images = rng.choice([-1.0, 0.0, 1.0], p=[0.1, 0.8, 0.1], size=(1, 500))  # they differ by .45
    values = images - images.mean() + rng.normal(0, 0.01, size=(5, 500))
    found = two_level_effect(values)
    assert images_needed([found], asked(smallest=0.2, images="new")) == 0
    needed = images_needed([found], asked(smallest=0.01, images="new"))
    error = found.parts[1][0]
    assert needed == pytest.approx(500 * (error * (1.965 + 0.842) / 0.01) ** 2, rel=0.01)
    assert images_needed([found], asked(smallest=0.01, images="same")) == 0
    assert images_needed([found], asked(smallest=None, images="new")) == 0
    assert images_needed([two_level_effect(values + 0.2)], asked(smallest=0.01, images="new")) == 0  # it may be found
    more = np.tile(values, 1 + needed // 500)  # as many images as it asks for
    assert images_needed([two_level_effect(more)], asked(smallest=0.01, images="new")) == 0
