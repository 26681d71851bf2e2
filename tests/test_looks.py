"""Sequential designs: a look takes the first seeds alone, and decides the same however often it is taken."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from runner.measures import OURS
from runner.spec import SeedPlan, plan_seeds
from runner.stats import equivalence_p, holm, paired_effect
from runner.store import EarlierSeeds
from runner.verdicts import (
    DECIDED,
    EQUIVALENT,
    FAILED_RUNS,
    HOPELESS,
    REFUTED,
    SUPPORTED,
    UNDECIDED,
    Exploratory,
    StudyRuns,
    effects_table,
    judge,
    progress,
)
from runner.verdicts._declared import declared
from tests.studies import study_file

PLAN = plan_seeds("3..12")  # looks after 3, 5, 8 and 12 seeds
NOISE = np.random.default_rng(11).normal(0, 0.01, (6, 12))
MEANS = {"baseline": 0.60, "better": 0.85, "slightly": 0.615, "same": 0.60, "alike": 0.60}
BETTER: dict[str, Any] = {"ask": "better?", "compare": ["better", "baseline"], "expect": "more"}
SLIGHTLY: dict[str, Any] = {"ask": "slightly?", "compare": ["slightly", "baseline"], "expect": "more"}
SAME: dict[str, Any] = {"ask": "same?", "compare": ["same", "baseline"], "smallest": 0.02}
QUESTIONS = [BETTER, SLIGHTLY, SAME]


def study(
    counts: int | Mapping[str, int],
    questions: Sequence[Mapping[str, Any]] = QUESTIONS,
    plan: SeedPlan | None = PLAN,
    failed: Mapping[str, Sequence[int]] | None = None,
    means: Mapping[str, float] = MEANS,
    noise: Any = NOISE,
    **given: Any,
) -> StudyRuns:
    """A study whose variants have runs of their first seeds; `given` are further fields of study.json."""
    each = {name: counts.get(name, 3) if isinstance(counts, Mapping) else counts for name in means}
    seeds = plan.seeds if plan else range(12)
    rows = [
        {
            "variant": name, "seed": seed, "val/accuracy": mean + noise[k, number], "cause": "", "machines": False,
            "status": "failed" if seed in (failed or {}).get(name, ()) else "finished", "epochs": 5, "best_epoch": 5,
        }
        for k, (name, mean) in enumerate(means.items())
        for number, seed in enumerate(seeds[: each[name]])
    ]  # fmt: skip
    changes: dict[str, dict[str, Any]] = {name: {} if name == "baseline" else {"x": name} for name in means}
    file = study_file({name: {"epochs": 5} for name in means}, changes)
    update: dict[str, Any] = {"seeds": plan.plain() if plan else None, "earlier_seeds": [], "selected": None} | given
    entry = file.model_copy(update=update)
    curves = pd.DataFrame(columns=["variant", "seed", "epoch"])
    asked = [declared(question) for question in questions]
    return StudyRuns(
        entry, pd.DataFrame(rows), curves, {}, [], [],
        questions=[question for question in asked if not question.deleted],
        deleted=[question for question in asked if question.deleted],
    )  # fmt: skip


def by_hand(counts: Sequence[int], pair: Sequence[int], smallest: float | None = None) -> float:
    """The smallest p over the looks with these seeds, each divided by its share of the 12 seeds."""
    means = list(MEANS.values())
    p = []
    for before, count in zip((0, *counts), counts, strict=False):
        mine, theirs = (means[k] + NOISE[k, :count] for k in pair)
        effect = paired_effect(mine, theirs)
        p.append((equivalence_p(effect, smallest) if smallest else effect.p) * 12 / (count - before))
    return min(1.0, *p)


def test_no_verdict_before_the_first_look() -> None:
    found = progress(study(2))
    assert (found.look, len(found.open)) == (1, 3)
    assert found.counts == dict.fromkeys(MEANS, 3)
    for verdict in judge(study(2)):
        assert (verdict.answer, verdict.looks, verdict.decided) == (UNDECIDED, 0, 0)
        assert math.isnan(verdict.p)
        assert verdict.comparisons[0].effect.interval.n == 2  # what the runs say so far


def test_a_look_asks_for_seeds_of_open_questions_alone() -> None:
    found = progress(study(3))
    assert [track.closed for track in found.tracks] == [DECIDED, "", ""]
    assert found.look == 2
    assert found.counts == {"baseline": 5, "better": 3, "slightly": 5, "same": 5, "alike": 3}
    assert [track.declared.ask for track in found.open] == ["slightly?", "same?"]


def test_a_look_waits_for_every_run_of_the_open_questions() -> None:
    waiting = {"baseline": 5, "better": 3, "slightly": 5, "same": 4, "alike": 3}
    found = progress(study(waiting))
    assert found.look == 2
    assert [len(track.looks) for track in found.tracks] == [1, 1, 1]
    assert [len(track.looks) for track in progress(study(waiting | {"same": 5})).tracks] == [1, 2, 2]


def test_p_is_the_smallest_over_the_looks_each_divided_by_its_share() -> None:
    data = study(8)
    verdicts = {verdict.declared.ask: verdict for verdict in judge(data)}
    looks = {ask: PLAN.looks[: verdict.looks] for ask, verdict in verdicts.items()}
    expected = {
        "better?": by_hand(looks["better?"], (1, 0)),
        "slightly?": by_hand(looks["slightly?"], (2, 0)),
        "same?": by_hand(looks["same?"], (3, 0)),
    }
    assert {ask: verdict.p for ask, verdict in verdicts.items()} == pytest.approx(expected)
    assert [each.adjusted for each in verdicts.values()] == pytest.approx(holm(list(expected.values())))
    assert verdicts["same?"].same_p == pytest.approx(by_hand(looks["same?"], (3, 0), 0.02))
    assert math.isnan(verdicts["better?"].same_p)


@pytest.mark.parametrize("more", range(3, 13))
def test_what_else_was_trained_changes_no_decision(more: int) -> None:
    """A study resumed at any moment, or with runs of another plan, decides as if each look had come at its time."""
    whole = {verdict.declared.ask: verdict for verdict in judge(study(12))}
    for verdict in judge(study(more)):
        final = whole[verdict.declared.ask]
        if verdict.decided:
            assert (verdict.answer, verdict.decided) == (final.answer, final.decided)
            assert verdict.comparisons == final.comparisons
        else:
            assert final.decided == 0 or PLAN.looks[final.decided - 1] > more


def test_growing_as_asked_ends_with_the_same_verdicts() -> None:
    counts = dict.fromkeys(MEANS, 3)
    while (found := progress(study(counts))).look:
        assert found.counts != counts
        counts = found.counts
    grown, whole = judge(study(counts)), judge(study(12))
    assert [(v.answer, v.decided, v.looks) for v in grown] == [(v.answer, v.decided, v.looks) for v in whole]
    assert sum(counts.values()) < 5 * 12


def test_the_interval_is_the_repeated_one_of_the_look_that_decided() -> None:
    decided = judge(study(12))[0]
    assert (decided.answer, decided.decided, decided.looks) == (SUPPORTED, 1, 1)
    assert decided.level == pytest.approx(1 - 0.05 * 3 / 12)
    mine, theirs = (list(MEANS.values())[k] + NOISE[k, :3] for k in (1, 0))
    expected = paired_effect(mine, theirs).at(decided.level)
    assert decided.comparisons[0].effect == expected
    plain = paired_effect(mine, theirs).interval
    assert expected.interval.low < plain.low < plain.high < expected.interval.high


def test_equivalence_is_an_answer_where_no_difference_is_decided() -> None:
    verdict = judge(study(12))[2]
    assert verdict.answer == EQUIVALENT
    assert verdict.decided
    assert not verdict.too_small


def test_both_families_may_decide_one_question() -> None:
    (verdict,) = judge(study(12, [BETTER | {"smallest": 0.5}]))
    assert (verdict.answer, verdict.is_small, verdict.too_small, verdict.at_least) == (SUPPORTED, True, True, False)
    (large,) = judge(study(12, [BETTER | {"smallest": 0.001}]))
    assert (large.answer, large.is_small, large.at_least) == (SUPPORTED, False, True)


@pytest.mark.parametrize(("smallest", "expected"), [(0.03, SUPPORTED), (0.2, SUPPORTED)])
def test_equal_is_supported_by_equivalence(smallest: float, expected: str) -> None:
    (verdict,) = judge(study(12, [SAME | {"expect": "equal", "smallest": smallest}]))
    assert verdict.answer == expected


def test_equal_is_refuted_by_a_difference_beyond_its_margin() -> None:
    (verdict,) = judge(study(12, [BETTER | {"expect": "equal", "smallest": 0.005}]))
    assert (verdict.answer, verdict.at_least) == (REFUTED, None)


def test_a_question_that_most_seeds_would_hardly_decide_stops_early() -> None:
    tiny = SAME | {"smallest": 0.0001}
    found = progress(study(3, [tiny]))
    assert [track.closed for track in found.tracks] == [HOPELESS]
    assert (found.look, found.counts["same"]) == (0, 3)
    without = progress(study(3, [{**SAME, "smallest": None}]))
    assert (without.tracks[0].closed, without.look) == ("", 2)  # it names nothing to be hopeless about


def test_questions_about_variants_that_are_not_selected_are_suspended_and_hold_nothing_up() -> None:
    open_: list[dict[str, Any]] = [BETTER, SLIGHTLY, {**SAME, "smallest": None}]
    counts = {"baseline": 5, "same": 5, "slightly": 0, "better": 0, "alike": 0}
    data = study(counts, open_, selected=["baseline", "same"])
    found = progress(data)
    assert found.look == 3
    assert [track.suspended for track in found.tracks] == [True, True, False]
    assert [len(track.looks) for track in found.tracks] == [0, 0, 2]
    counts = {"baseline": 3, "better": 3, "slightly": 0, "same": 0, "alike": 0}
    decided = judge(study(counts, selected=["baseline", "better"]))[0]
    assert decided.answer == SUPPORTED
    assert decided.adjusted == pytest.approx(3 * decided.p)  # the family does not shrink


def test_a_diverged_run_closes_a_question_that_it_could_change() -> None:
    data = study(8, [BETTER], failed={"better": [1]})
    assert [track.closed for track in progress(data).tracks] == [FAILED_RUNS]
    (verdict,) = judge(data)
    assert (verdict.answer, verdict.contradicted) == (UNDECIDED, True)


def test_a_variant_that_always_fails_asks_for_no_more_seeds() -> None:
    found = progress(study(3, [BETTER], failed={"better": [0, 1, 2]}))
    assert (found.look, found.counts["better"], found.tracks[0].closed) == (0, 3, FAILED_RUNS)


def test_a_fixed_design_has_one_look_after_all_its_seeds() -> None:
    verdicts = judge(study(12, plan=plan_seeds(12)))
    mine, theirs = (list(MEANS.values())[k] + NOISE[k] for k in (1, 0))
    assert verdicts[0].comparisons[0].effect == paired_effect(mine, theirs)
    assert (verdicts[0].looks, verdicts[0].level, verdicts[0].p) == (1, 0.95, paired_effect(mine, theirs).p)
    for before in judge(study(11, plan=plan_seeds(12))):  # looking early would err more often
        assert (before.answer, before.looks, before.ended) == (UNDECIDED, 0, 11)
    older = judge(study(12, plan=None))
    assert [(v.answer, v.p, v.adjusted) for v in older] == [(v.answer, v.p, v.adjusted) for v in verdicts]
    assert judge(study(4, plan=None))[0].looks == 1  # how many seeds were planned is not known


@pytest.mark.parametrize(
    ("seen", "plan", "expected"),
    [
        ({"better": [0, 1, 2], "baseline": [0, 1, 2]}, plan_seeds(12), True),  # seeds were added after a verdict
        ({"better": [0, 1, 2], "baseline": [0, 1, 2]}, PLAN, True),
        ({"better": [0, 1, 2], "baseline": [0, 1]}, PLAN, False),  # there was no verdict yet
        ({"better": [0, 1, 2]}, PLAN, False),
        ({"better": [0, 1, 2], "baseline": [0, 1, 2]}, plan_seeds("3..12", 3), False),  # no verdict has seen these
    ],
)
def test_changed_seeds_make_the_verdicts_that_had_seen_runs_exploratory(
    seen: dict[str, list[int]], plan: SeedPlan, expected: bool
) -> None:
    ended = {f"{name}-0": seeds for name, seeds in seen.items()}
    before = EarlierSeeds(seeds=[0, 1, 2], until="2026-01-01T00:00:00+00:00", ended=ended)
    data = study(12, plan=plan, earlier_seeds=[before])
    verdict = judge(data)[0]
    assert verdict.exploratory == ((Exploratory.SEEDS,) if expected else ())
    assert not judge(data)[1].exploratory


def test_going_back_to_the_first_plan_is_no_change() -> None:
    ended = {"better-0": [0, 1, 2, 3, 4], "baseline-0": [0, 1, 2, 3, 4]}
    first = EarlierSeeds(seeds=PLAN.plain(), until="2026-01-01T00:00:00+00:00", ended=ended)
    second = EarlierSeeds(seeds=[0, 1], until="2026-01-02T00:00:00+00:00", ended=ended)
    assert not judge(study(12, earlier_seeds=[first, second]))[0].exploratory
    assert judge(study(12, earlier_seeds=[second, first]))[0].exploratory


def test_a_new_question_takes_no_verdict_away() -> None:
    new = {"ask": "new?", "compare": ["untrained", "baseline"], "declared": "2026-02-01T00:00:00+00:00"}
    means = {**MEANS, "untrained": 0.6}
    counts = {**dict.fromkeys(MEANS, 12), "untrained": 0}
    data = study(counts, [*QUESTIONS, new], means=means)
    data = replace(data, first_ends={"baseline": "2026-01-01T00:00:00+00:00"})
    before, found = judge(study(12)), judge(data)
    assert [(v.answer, v.decided, v.p) for v in found[:3]] == [(v.answer, v.decided, v.p) for v in before]
    assert (found[3].exploratory, found[3].looks) == ((Exploratory.LATE,), 0)
    asked = progress(data)
    assert (asked.look, asked.counts["untrained"]) == (1, 3)


def test_variants_that_are_not_selected_keep_their_verdicts() -> None:
    whole = judge(study(12))
    kept = judge(study(12, selected=["baseline", "better"]))
    assert [(v.answer, v.decided, v.looks, v.p) for v in kept] == [(v.answer, v.decided, v.looks, v.p) for v in whole]


def test_a_trend_waits_for_all_of_its_levels() -> None:
    means = {"baseline": 0.6, "d=0.1": 0.65, "d=0.2": 0.7}
    trend = {"ask": "trend?", "trend": "dropout", "expect": "more"}
    counts = {"baseline": 3, "d=0.1": 3, "d=0.2": 0}

    def at(counts: Mapping[str, int], **given: Any) -> StudyRuns:
        data = study(counts, [trend], means=means, **given)
        for name, level in {"baseline": 0.0, "d=0.1": 0.1, "d=0.2": 0.2}.items():
            entry = data.study.variants[name]
            entry.settings["dropout"] = level
            entry.changes.clear()
            entry.changes.update({"dropout": level} if level else {})
        return data

    assert (progress(at(counts)).look, judge(at(counts))[0].looks) == (1, 0)
    assert progress(at(counts, selected=["baseline", "d=0.1"])).tracks[0].suspended
    assert judge(at({**counts, "d=0.2": 3}))[0].looks == 1


def test_a_question_that_was_late_is_no_part_of_the_family_once_it_is_deleted() -> None:
    deleted = {"ask": "late?", "compare": ["alike", "same"], "deleted": "2026-03-01T00:00:00+00:00", "after_runs": True}
    late = {**deleted, "declared": "2026-02-01T00:00:00+00:00"}
    ends: dict[str, str | None] = dict.fromkeys(MEANS, "2026-01-01T00:00:00+00:00")
    (alone,) = judge(study(12, [BETTER]))
    (found,) = judge(replace(study(12, [BETTER, late]), first_ends=ends))
    assert found.adjusted == alone.adjusted


def test_at_least_is_about_the_differences_that_decide() -> None:
    """Refuted by one clear difference, while another may be anything."""
    means = {"baseline": 0.9, "low": 0.5, "wild": 0.9}
    noise = np.array([*NOISE[:2], 30 * NOISE[2], *NOISE[3:]])
    asked = {"ask": "better than both?", "compare": ["low", ["baseline", "wild"]], "expect": "more", "smallest": 0.1}
    (sure,) = judge(study(12, [asked], plan_seeds(12), means=means, noise=noise))
    assert (sure.answer, sure.at_least) == (REFUTED, True)
    (unsure,) = judge(study(12, [asked | {"smallest": 0.4}], plan_seeds(12), means=means, noise=noise))
    assert (unsure.answer, unsure.at_least) == (REFUTED, False)


def test_a_deleted_question_still_counts_and_an_answer_that_needs_its_deletion_is_exploratory() -> None:
    gone: list[dict[str, Any]] = [
        {"ask": f"gone {n}?", "compare": ["alike", "same"], "deleted": "2026-01-01T00:00:00+00:00", "after_runs": True}
        for n in range(40)
    ]
    fixed = plan_seeds(12)
    alone, counted = judge(study(12, [SLIGHTLY], fixed)), judge(study(12, [SLIGHTLY, *gone], fixed))
    assert [len(alone), len(counted)] == [1, 1]
    assert (alone[0].answer, alone[0].exploratory) == (SUPPORTED, ())
    assert (counted[0].answer, counted[0].exploratory) == (SUPPORTED, (Exploratory.DELETED,))
    (few,) = judge(study(12, [BETTER, *gone[:2]], fixed))
    assert (few.answer, few.exploratory) == (SUPPORTED, ())
    assert few.adjusted == pytest.approx(3 * few.p)


def test_only_questions_give_an_effect_of_more_than_the_first_seeds() -> None:
    data = study(12, QUESTIONS)
    for metric in OURS.reported:
        data.runs[metric] = data.runs["val/accuracy"]
    table = effects_table(data, judge(data))
    rows = {row.variant: row for row in table.of("val/accuracy")}
    assert (rows["better"].side, rows["better"].effect.n) == ("better", 3)
    assert (rows["alike"].side, rows["alike"].effect.n) == ("", 3)
    assert math.isnan(rows["alike"].adjusted)
    asked = judge(data)[1]
    assert rows["slightly"].effect == asked.comparisons[0].effect.interval
    assert rows["slightly"].adjusted == asked.adjusted
    assert rows["alike"].mean.n == 12
