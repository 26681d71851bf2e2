"""Differences over seeds, and over seeds and images: what each kind of question judges by."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from runner.spec import Kind, Question
from runner.spec._problems import mistake_of
from runner.stats import Effect, equivalence_p, paired_effect, resampled_effect, two_level_effect
from runner.store import Guesses
from runner.verdicts import EQUIVALENT, SUPPORTED, UNDECIDED, StudyRuns, Verdict, judge
from runner.verdicts._comparisons import comparisons, detailed
from runner.verdicts._declared import declared
from tests.studies import study_file

SEEDS, IMAGES = 5, 200
RNG = np.random.default_rng(5)
HARD = RNG.normal(0, 1.5, IMAGES)
SKILL = {"baseline": 0.5, "better": 1.6, "alike": 0.5, "d": 0.9}


def right(skill: float) -> Any:
    """Seeds x images: which images a variant of this skill predicts correctly."""
    own = HARD + RNG.normal(0, 0.4, IMAGES) + RNG.normal(0, 0.5, (SEEDS, IMAGES))
    return skill + RNG.normal(0, 0.05, (SEEDS, 1)) + own > 0


RIGHT = {name: right(skill) for name, skill in SKILL.items()}


def study(question: dict[str, Any], split: str = "fixed", without: str = "") -> StudyRuns:
    """A study whose runs are right on these images, on validation and test alike; `without` has no predictions."""
    rows = [
        {"variant": name, "seed": seed, "status": "finished", "epochs": 5, "best_epoch": 5}
        | {f"{part}/accuracy": RIGHT[name][seed].mean() for part in ("val", "test")}
        for name in SKILL
        for seed in range(SEEDS)
    ]
    changes: dict[str, dict[str, Any]] = {"better": {"x": 1}, "alike": {"x": 2}, "d": {"dropout": 0.5}}
    common = {"epochs": 5, "split": split, "dropout": 0.0}
    settings: dict[str, dict[str, Any]] = {name: common | changes.get(name, {}) for name in SKILL}
    counts = np.diag([IMAGES // 2, IMAGES // 2])
    guesses = {
        (name, seed): Guesses({"val": row, "test": row}, {"val": counts, "test": counts}, {"val": 1, "test": 1})
        for name, own in RIGHT.items()
        for seed, row in enumerate(own)
        if name != without
    }
    curves = pd.DataFrame(columns=["variant", "seed", "epoch"])
    return StudyRuns(
        study_file(settings, changes), pd.DataFrame(rows), curves, {}, [], [],
        guesses=guesses, questions=[declared({"ask": "?"} | question)], train_images=dict.fromkeys(SKILL, 1800),
    )  # fmt: skip


def verdict(question: dict[str, Any], **given: Any) -> Verdict:
    (found,) = judge(study(question, **given))
    return found


def difference(first: str, other: str) -> Effect:
    return two_level_effect(RIGHT[first].astype(float) - RIGHT[other], scale=1.0)


KINDS: list[tuple[dict[str, Any], Any]] = [
    ({"compare": ["better", "baseline"]}, difference("better", "baseline")),
    ({"best_of": ["baseline", "better"]}, difference("better", "baseline")),
    ({"value": ["better", 0.5]}, two_level_effect(RIGHT["better"] - 0.5, scale=1.0)),
    (
        {"interaction": ["better", "alike", "d", "baseline"]},
        two_level_effect(
            RIGHT["better"].astype(float) - RIGHT["alike"] - RIGHT["d"] + RIGHT["baseline"], scale=2.0
        ),
    ),
    ({"trend": "dropout"}, two_level_effect((RIGHT["d"].astype(float) - RIGHT["baseline"]) / 0.5, scale=2.0)),
]  # fmt: skip


@pytest.mark.parametrize("metric", ["val/accuracy", "test/accuracy"])
@pytest.mark.parametrize(("question", "expected"), KINDS)
def test_every_kind_has_its_effect_over_seeds_and_images(
    question: dict[str, Any], expected: Effect, metric: str
) -> None:
    data, asked = study(question), Question.model_validate({"ask": "?", "metric": metric} | question)
    (found,) = (detailed(data, asked, each) for each in comparisons(data, asked))
    assert found.new_images
    assert found.new_images.interval.estimate == pytest.approx(expected.interval.estimate)
    assert found.new_images.interval.low == pytest.approx(expected.interval.low)
    assert found.effect.interval.estimate == pytest.approx(expected.interval.estimate)
    assert found.effect.interval.low > found.new_images.interval.low  # seeds alone leave the images out
    (new,) = comparisons(
        study(question), Question.model_validate({"ask": "?", "metric": metric, "images": "new"} | question)
    )
    assert new.effect == new.new_images == found.new_images


def test_the_images_decide_what_a_verdict_is_about() -> None:
    holds = verdict({"compare": ["better", "baseline"], "expect": "more"})
    assert (holds.answer, holds.new_images) == (SUPPORTED, True)
    question = {"compare": ["d", "baseline"], "expect": "more"}
    same, new = verdict(question), verdict(question | {"images": "new"})
    assert same.comparisons[0].effect != new.comparisons[0].effect
    assert same.p < new.p


def test_equivalence_for_new_images_needs_the_wider_interval_within_the_margin() -> None:
    wide = difference("alike", "baseline")
    over_seeds = paired_effect(RIGHT["alike"].mean(axis=1), RIGHT["baseline"].mean(axis=1))
    margins = np.linspace(0.001, 0.2, 400)
    between = [m for m in margins if equivalence_p(over_seeds, m) < 0.05 < equivalence_p(wide, m)]
    beyond = max(margins)
    question = {"compare": ["alike", "baseline"], "smallest": between[len(between) // 2]}
    same, new = verdict(question), verdict(question | {"images": "new"})
    assert (same.answer, same.new_images, new.answer) == (EQUIVALENT, False, UNDECIDED)
    assert verdict(question | {"smallest": beyond}).new_images is True
    assert verdict(question | {"images": "new", "smallest": beyond}).answer == EQUIVALENT


def test_without_predictions_nothing_is_said_of_new_images() -> None:
    question = {"compare": ["better", "baseline"], "expect": "more"}
    same = verdict(question, without="better")
    assert (same.answer, same.new_images, same.comparisons[0].new_images) == (SUPPORTED, None, None)
    new = verdict(question | {"images": "new"}, without="better")
    assert new.answer == UNDECIDED
    assert math.isnan(new.p)


def test_a_metric_that_images_do_not_have_can_not_be_asked_about_new_ones() -> None:
    with pytest.raises(ValueError, match="val/accuracy") as caught:
        Question.model_validate({"ask": "?", "compare": ["a", "b"], "metric": "val/loss", "images": "new"})
    assert mistake_of(caught.value.errors()[0]["ctx"]["error"]).kind is Kind.CONFLICT  # type: ignore[attr-defined]


def test_splits_that_a_seed_draws_widen_validation_and_take_test_over_images() -> None:
    question = {"compare": ["better", "baseline"], "expect": "more"}
    fixed = verdict(question).comparisons[0].effect
    validation = verdict(question, split="seed").comparisons[0]
    assert validation.effect == resampled_effect(fixed, IMAGES / 1800)
    assert validation.new_images is None  # each seed has its own
    test = verdict(question | {"metric": "test/accuracy"}, split="seed").comparisons[0]
    assert test.effect == test.new_images == difference("better", "baseline")
