"""Questions are judged by the runs: planted answers are found, noise stays undecided."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.course import Course
from runner.metrics import METRICS, AtEnd, Better, FromEpochs, Metric, Unit
from runner.report._answers import short_answer, short_answers
from runner.report._format import p_text
from runner.report._sections import long_answer
from runner.stats import one_sample_effect
from runner.store import guesses
from runner.verdicts import EQUIVALENT, REFUTED, SUPPORTED, UNDECIDED, Exploratory, StudyRuns, judge, weigh
from runner.verdicts._declared import declared
from runner.verdicts._failed import Lost
from runner.verdicts._imbalance import Majority, Narrow
from tests.studies import study_file

SEEDS = 6
NOISE = np.random.default_rng(7).normal(0, 0.002, (8, SEEDS))
MEANS = {"baseline": 0.60, "a": 0.62, "b": 0.62, "ab": 0.61, "same": 0.60, "d=0.1": 0.61, "d=0.2": 0.62}


def runs(questions: list[dict[str, Any]], first_ends: Mapping[str, str | None] | None = None) -> StudyRuns:
    """A study with planted validation accuracies, each seed with a level of its own that pairing removes."""
    level = np.linspace(-0.05, 0.05, SEEDS)
    rows = [
        {"variant": name, "seed": seed, "status": "finished", "val/accuracy": mean + level[seed] + NOISE[k, seed]}
        for k, (name, mean) in enumerate(MEANS.items())
        for seed in range(SEEDS)
    ]
    changes: dict[str, dict[str, Any]] = {name: {"x": name} for name in MEANS}
    changes |= {"baseline": {}, "d=0.1": {"dropout": 0.1}, "d=0.2": {"dropout": 0.2}}
    settings = {name: {"dropout": changes[name].get("dropout", 0.0), "epochs": 5} for name in MEANS}
    return StudyRuns(
        study_file(settings, changes),
        pd.DataFrame(rows),
        pd.DataFrame(columns=["variant", "seed", "epoch"]),
        {},
        [],
        [],
        first_ends=first_ends or {},
        questions=[declared(question) for question in questions],
    )


def answer(question: dict[str, Any]) -> str:
    (verdict,) = judge(runs([{"ask": "?", **question}]))
    assert verdict.claim == question.get("claim", "")
    return verdict.answer


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ({"compare": ["a", "baseline"], "expect": "more"}, SUPPORTED),
        ({"compare": ["a", "baseline"], "expect": "less", "claim": "it hurts"}, REFUTED),
        ({"compare": ["a", "baseline"], "expect": "different"}, SUPPORTED),
        ({"compare": ["same", "baseline"], "expect": "more", "smallest": 0.0001}, UNDECIDED),
        ({"compare": ["same", "baseline"], "expect": "equal", "smallest": 0.01}, SUPPORTED),
        ({"compare": ["same", "baseline"], "expect": "different", "smallest": 0.01}, EQUIVALENT),
        ({"compare": ["a", "baseline"], "expect": "equal", "smallest": 0.005}, REFUTED),
        ({"compare": ["ab", ["a", "b"]], "expect": "less"}, SUPPORTED),
        ({"compare": ["ab", ["a", "baseline"]], "expect": "less"}, REFUTED),  # one the other way is enough
        ({"interaction": ["ab", "a", "b", "baseline"], "expect": "less"}, SUPPORTED),
        ({"best_of": ["baseline", "a", "ab"], "expect": "more"}, SUPPORTED),
        ({"best_of": ["baseline", "a", "b"], "expect": "more"}, UNDECIDED),  # a and b are alike
        ({"trend": "dropout", "expect": "more"}, SUPPORTED),
        ({"value": ["a", 0.5], "expect": "more"}, SUPPORTED),
        ({"value": ["a", 0.7], "expect": "more"}, REFUTED),
    ],
)
def test_planted_answers_are_found(question: dict[str, Any], expected: str) -> None:
    assert answer(question) == expected


def test_the_best_is_the_best_whatever_else_the_question_says() -> None:
    table = runs([{"ask": "?", "best_of": ["baseline", "a", "ab"], "metric": "val/loss", "expect": "more"}])
    table.runs["val/loss"] = 1 - table.runs["val/accuracy"]
    (verdict,) = judge(table)
    assert verdict.answer == SUPPORTED
    assert [each.label for each in verdict.comparisons] == ["a - ab", "a - baseline"]


@pytest.mark.parametrize(("better", "best"), [(Better.LOWER, "baseline"), (Better.HIGHER, "a")])
def test_the_best_is_what_the_table_of_metrics_calls_better(
    better: Better, best: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_up = Metric("val/regret", "regret", "made up", Unit.NUMBER, better, AtEnd())
    monkeypatch.setitem(METRICS, "val/regret", made_up)
    table = runs([{"ask": "?", "best_of": ["a", "ab", "baseline"], "metric": "val/regret"}])
    table.runs["val/regret"] = table.runs["val/accuracy"]
    (verdict,) = judge(table)
    assert verdict.answer == SUPPORTED
    assert verdict.comparisons[0].label.startswith(f"{best} - ")


def test_a_significant_difference_may_be_too_small_to_matter() -> None:
    for smallest, too_small in ((0.5, True), (0.001, False), (None, False)):
        question = {"ask": "?", "compare": ["a", "baseline"], "expect": "more", "smallest": smallest}
        (verdict,) = judge(runs([question]))
        assert verdict.answer == SUPPORTED
        assert verdict.too_small is too_small
    (equal,) = judge(runs([{"ask": "?", "compare": ["same", "baseline"], "expect": "equal", "smallest": 0.01}]))
    assert not equal.too_small


def test_a_candidate_without_runs_leaves_the_best_open() -> None:
    table = runs([{"ask": "?", "best_of": ["baseline", "a", "ab"]}])
    table.runs.loc[table.runs["variant"] == "ab", "status"] = "failed"
    (verdict,) = judge(table)
    assert verdict.answer == UNDECIDED
    assert math.isnan(verdict.p)
    assert verdict.missing == ("ab",)
    assert [each.label for each in verdict.comparisons] == ["a - baseline"]


def test_equal_needs_seeds_only_where_there_may_be_no_difference() -> None:
    (open_,) = judge(runs([{"ask": "?", "compare": ["same", "baseline"], "expect": "equal", "smallest": 0.001}]))
    assert open_.needed
    (beyond,) = judge(runs([{"ask": "?", "compare": ["a", "baseline"], "expect": "equal", "smallest": 0.02}]))
    assert beyond.answer == UNDECIDED
    assert beyond.needed is None


def test_a_trends_effect_is_the_slope_per_unit_of_its_setting() -> None:
    (verdict,) = judge(runs([{"ask": "?", "trend": "dropout", "expect": "more"}]))
    (slope,) = verdict.comparisons
    assert slope.effect.interval.estimate == pytest.approx(0.1, abs=0.005)  # 2 points over 0.2
    assert "dropout" in slope.label


def test_undecided_says_how_many_seeds_it_would_take() -> None:
    (verdict,) = judge(runs([{"ask": "?", "compare": ["same", "baseline"], "expect": "more", "smallest": 0.001}]))
    assert verdict.answer == UNDECIDED
    needed = verdict.needed
    assert needed
    assert needed.seeds > SEEDS
    assert needed.low
    assert needed.high
    assert needed.low < needed.seeds < needed.high
    assert needed.n == SEEDS
    assert re.findall(r"(\d+) seeds|(\d+) to (\d+),", long_answer(verdict, 1)) == [
        (str(needed.seeds), "", ""), ("", str(needed.low), str(needed.high)), (str(needed.n), "", "")
    ]  # fmt: skip


def test_needed_seeds_are_those_of_the_open_comparison_at_holms_strictest_level() -> None:
    one = {"ask": "?", "compare": ["same", "baseline"], "expect": "equal", "smallest": 0.001}
    (alone,), many = judge(runs([one])), judge(runs([one] * 10))
    assert alone.needed
    assert many[0].needed
    assert many[0].needed.seeds > alone.needed.seeds
    sure = judge(runs([{"ask": "?", "compare": ["a", "baseline"], "expect": "more", "smallest": 0.05}]))[0]
    assert sure.needed is None


def test_one_comparison_that_cannot_be_tested_leaves_all_open() -> None:
    good = one_sample_effect([1.0, 1.1, 0.9])
    for bad in (one_sample_effect([1.0]), one_sample_effect([math.inf, 1.0])):
        for effects in ([good, bad], [bad, good]):
            for expect in ("more", "different"):
                assert math.isnan(weigh(effects, expect, None)[1])
    assert math.isnan(weigh([one_sample_effect([0, 0])], "equal", 1.0)[1])


def test_differences_that_do_not_vary_cannot_be_tested() -> None:
    table = runs([{"ask": "?", "compare": ["a", "baseline"], "metric": "best_epoch"}])
    table.runs["best_epoch"] = np.where(table.runs["variant"] == "a", 3.0, 2.0)
    (verdict,) = judge(table)
    assert verdict.answer == UNDECIDED
    assert verdict.judged
    assert math.isnan(verdict.p)
    assert verdict.comparisons[0].effect.interval.estimate == 1.0


def test_exploratory_questions_do_not_weigh_on_those_declared_before() -> None:
    early = {"ask": "?", "compare": ["same", "baseline"], "declared": "2026-01-01T00:00:00+00:00"}
    late = early | {"ask": "!", "declared": "2026-03-01T00:00:00+00:00"}
    first, *_, last = judge(runs([early, late, late, late], {"same": "2026-02-01T00:00:00+00:00"}))
    assert first.adjusted == pytest.approx(first.p)
    assert last.adjusted == pytest.approx(min(1.0, 4 * last.p))


def test_the_course_of_training_is_compared_over_common_epochs() -> None:
    table = runs([{"ask": "?", "compare": ["a", "baseline"], "metric": "val_accuracy_area"}])
    rows = [
        {"variant": name, "seed": seed, "epoch": epoch, "val/accuracy": 0.1 * epoch + 0.01 * seed * (name == "a"),
         "train/loss": 1.0, "val/loss": 1.0}
        for seed in range(SEEDS) for name, last in (("a", 3), ("baseline", 5)) for epoch in range(1, last + 1)
    ]  # fmt: skip
    mine, theirs = replace(table, curves=pd.DataFrame(rows)).paired(["a", "baseline"], "val_accuracy_area")
    assert theirs == pytest.approx([0.2] * SEEDS)  # its last two epochs are not compared
    assert mine - theirs == pytest.approx(0.01 * np.arange(SEEDS))


def test_holm_is_over_all_questions_of_the_study() -> None:
    one = {"ask": "?", "compare": ["same", "baseline"], "expect": "different"}
    sure = {"ask": "!", "compare": ["a", "baseline"], "expect": "more"}
    verdicts = judge(runs([sure, *[one] * 9]))
    assert verdicts[0].adjusted == pytest.approx(10 * verdicts[0].p)


def test_an_answer_that_holm_takes_back_is_undecided_and_leans() -> None:
    table = runs([{"ask": "!", "compare": ["same", "baseline"], "expect": "different"}] * 10)
    table.runs.loc[table.runs["variant"] == "same", "val/accuracy"] += 0.004
    verdict = judge(table)[0]
    assert verdict.p <= 0.05 < verdict.adjusted
    assert (verdict.answer, verdict.leaning, verdict.family) == (UNDECIDED, SUPPORTED, 10)
    assert p_text(verdict.adjusted) in short_answer(verdict)
    assert {p_text(verdict.p), p_text(verdict.adjusted)} <= set(re.findall(r"\.\d{3}", long_answer(verdict, 1)))


def test_large_numbers_are_written_out() -> None:
    table = runs([{"ask": "!", "value": ["a", 0.5], "metric": "seconds"}])
    table.runs["seconds"] = 39_444.0 + table.runs["seed"]
    assert "+39,400 s [+39,400, +39,400]" in short_answer(judge(table)[0])


def test_a_question_declared_after_its_runs_is_exploratory() -> None:
    question = {"ask": "?", "compare": ["a", "baseline"], "declared": "2026-02-01T00:00:00+00:00"}
    before, after = "2026-01-01T00:00:00+00:00", "2026-03-01T00:00:00+00:00"
    for ends, late in (({"baseline": before}, True), ({"a": after}, False), ({"b": before, "a": None}, False)):
        (verdict,) = judge(runs([question], ends))
        assert verdict.exploratory == ((Exploratory.LATE,) if late else ())


def test_a_question_about_variants_without_runs_stays_undecided() -> None:
    data = runs([{"ask": "?", "compare": ["a", "baseline"], "expect": "more"}])
    data.runs.loc[data.runs["variant"] == "a", "status"] = "failed"
    (verdict,) = judge(data)
    assert verdict.answer == UNDECIDED
    assert verdict.missing == ("a",)
    assert not verdict.judged
    assert math.isnan(verdict.p)


@given(
    st.lists(st.lists(st.floats(-1, 1), min_size=3, max_size=6), min_size=1, max_size=3),
    st.sampled_from(["less", "more"]),
)
def test_a_claim_and_its_opposite_are_never_both_supported(samples: list[list[float]], expect: str) -> None:
    effects = [one_sample_effect(sample) for sample in samples]
    opposite = {"less": "more", "more": "less"}[expect]
    results = [weigh(effects, side, None) for side in (expect, opposite)]
    assert sum(leaning == SUPPORTED and p <= 0.05 for leaning, p in results) <= 1
    for _, p in results:
        assert math.isnan(p) or 0 <= p <= 1


def from_course(metric: str, rows: pd.DataFrame, accuracy: float) -> float:
    """The metric of a run that was to have six epochs and had these."""
    source = METRICS[metric].source
    assert isinstance(source, FromEpochs)
    return source.value(Course({str(name): rows[name].to_numpy() for name in rows}, 6, accuracy))


def test_metrics_of_a_curve_against_hand_computation() -> None:
    rows = pd.DataFrame(
        {
            "epoch": [1, 2, 3, 4],
            "train/loss": [2.0, 1.0, 1.5, 0.5],
            "train/loss_max": [9.0, 3.0, 2.0, 1.0],
            "train_eval/accuracy": [0.3, 0.7, 0.8, 0.9],
            "val/accuracy": [0.2, 0.5, 0.4, 0.6],
            "val/loss": [2.0, 0.8, 1.2, 1.0],
        }
    )
    expected = {
        "epochs_to": 2.0,
        "val_accuracy_area": (0.2 + 0.5 + 0.4 + 0.6) / 4,
        "train_loss_area": (2 + 1 + 1.5 + 0.5) / 4,
        "train_roughness": (math.log(1.5 * 2) + math.log(1.5 * 3)) / 2,  # log loss: -log 2, +log 1.5, -log 3
        "first_epoch_loss_max": 9.0,
        "late_spread": float(np.sqrt(np.polyfit(range(4), [2.0, 0.8, 1.2, 1.0], 1, full=True)[1][0] / 2)),
        "train_eval/accuracy": 0.7,  # where validation loss was lowest
    }
    for metric, value in expected.items():
        assert metric in METRICS
        assert from_course(metric, rows, 0.5) == pytest.approx(value), metric
    assert from_course("epochs_to", rows, 0.9) == 7.0  # never reached: one more than it had


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0004, "< .001"), (0.0421, ".042"), (0.0496, ".0496"), (0.0502, ".0502"), (1.0, "1.000"), (math.nan, "-")],
)
def test_p_is_printed_as_papers_do(p: float, text: str) -> None:
    assert p_text(p) == text


def lose(
    data: StudyRuns, *lost: tuple[str, int], machines: bool = False, cause: str = "NonFiniteLoss: nan"
) -> StudyRuns:
    """The study with these runs failed."""
    table = data.runs.assign(machines=machines)
    for variant, seed in lost:
        here = (table["variant"] == variant) & (table["seed"] == seed)
        table.loc[here, "status"] = "failed"
        table.loc[here, "cause"] = cause
    return replace(data, runs=table)


@pytest.mark.parametrize(
    ("question", "lost", "expected"),
    [
        ({"compare": ["a", "baseline"], "expect": "more"}, [("baseline", 1)], SUPPORTED),
        ({"compare": ["a", "baseline"], "expect": "more"}, [("a", 1)], UNDECIDED),
        ({"compare": ["a", "baseline"], "expect": "more"}, [("baseline", 1), ("a", 2)], UNDECIDED),
        ({"compare": ["a", "baseline"], "expect": "more"}, [("baseline", 1), ("a", 1)], SUPPORTED),  # a tie
        ({"compare": ["a", "baseline"], "expect": "less"}, [("baseline", 1)], REFUTED),
        ({"compare": ["a", "baseline"], "expect": "less"}, [("a", 1)], UNDECIDED),
        ({"compare": ["a", "baseline"]}, [("baseline", 1)], SUPPORTED),
        ({"compare": ["a", "baseline"]}, [("a", 1)], UNDECIDED),
        ({"compare": ["same", "baseline"], "expect": "equal", "smallest": 0.01}, [("same", 1)], UNDECIDED),
        ({"compare": ["a", "baseline"], "expect": "equal", "smallest": 0.005}, [("baseline", 1)], REFUTED),
        ({"compare": ["a", "baseline"], "expect": "equal", "smallest": 0.005}, [("a", 1)], UNDECIDED),
        ({"compare": ["ab", ["a", "b"]], "expect": "less"}, [("ab", 1)], SUPPORTED),
        ({"compare": ["ab", ["a", "b"]], "expect": "less"}, [("b", 1)], UNDECIDED),
        ({"interaction": ["ab", "a", "b", "baseline"], "expect": "less"}, [("ab", 1)], UNDECIDED),
        ({"best_of": ["baseline", "a", "ab"]}, [("baseline", 1)], SUPPORTED),
        ({"best_of": ["baseline", "a", "ab"]}, [("a", 1)], UNDECIDED),
        ({"best_of": ["baseline", "a", "ab"]}, [("a", 1), ("ab", 1), ("baseline", 1)], UNDECIDED),
        ({"trend": "dropout", "expect": "more"}, [("baseline", 1)], UNDECIDED),
        ({"value": ["a", 0.5], "expect": "more"}, [("a", 1)], UNDECIDED),
        ({"value": ["a", 0.7], "expect": "more"}, [("a", 1)], REFUTED),
    ],
)
def test_a_run_that_diverged_ranks_below_every_finished_one(
    question: dict[str, Any], lost: list[tuple[str, int]], expected: str
) -> None:
    (sure,) = judge(runs([{"ask": "?", **question}]))
    assert sure.answer != UNDECIDED
    (verdict,) = judge(lose(runs([{"ask": "?", **question}]), *lost))
    assert verdict.answer == expected
    assert verdict.contradicted is (expected == UNDECIDED)
    assert {(each.variant, each.seed) for each in verdict.lost} == set(lost)
    for text in (short_answer(verdict), long_answer(verdict, 1)):
        assert "NonFiniteLoss" in text
        assert all(f"{variant} seed" in text for variant, _ in lost)


def test_the_best_is_none_that_diverged_and_its_lead_is_not_significant_for_it() -> None:
    question = {"ask": "?", "best_of": ["baseline", "a"]}
    (sure,) = judge(runs([question]))
    assert (sure.answer, sure.comparisons[0].label) == (SUPPORTED, "a - baseline")
    (verdict,) = judge(lose(runs([question]), ("a", 1)))
    assert (verdict.answer, verdict.comparisons[0].label) == (UNDECIDED, "baseline - a")
    assert short_answer(verdict).startswith("**?** baseline")
    assert verdict.wins.split()[0] == "baseline"


def test_lost_runs_count_the_other_way_where_less_is_better_and_neither_where_nothing_is() -> None:
    question = {"ask": "?", "compare": ["a", "baseline"], "expect": "less"}
    for metric, lost, expected in (
        ("val/loss", "baseline", SUPPORTED),
        ("val/loss", "a", UNDECIDED),
        ("best_epoch", "baseline", UNDECIDED),
        ("best_epoch", "a", UNDECIDED),
    ):
        data = runs([question | {"metric": metric}])
        data.runs[metric] = 1 - data.runs["val/accuracy"]
        assert judge(data)[0].answer == SUPPORTED
        assert judge(lose(data, (lost, 1)))[0].answer == expected


def test_runs_lost_to_the_machine_change_no_verdict_and_are_named() -> None:
    data = runs([{"ask": "?", "compare": ["a", "baseline"], "expect": "more"}])
    (verdict,) = judge(lose(data, ("a", 1), machines=True, cause="OSError: No space left on device"))
    assert verdict.answer == SUPPORTED
    assert not verdict.contradicted
    assert verdict.lost == (Lost("a", 1, "OSError: No space left on device", machines=True),)
    assert "a seed 1 (OSError: No space left on device)" in short_answer(verdict)


def test_every_metric_has_its_better_way() -> None:
    assert {metric.better for metric in METRICS.values()} == {1, 0, -1}
    accuracies = {"val/accuracy", "test/accuracy", "train_eval/accuracy", "val_accuracy_area"}
    accuracies |= {"val/top5_accuracy", "test/top5_accuracy"}
    assert {name for name, metric in METRICS.items() if metric.better > 0} >= accuracies | {"val/macro_f1"}
    assert {name for name, metric in METRICS.items() if metric.over_all} == accuracies | {"epochs_to"}


def test_questions_that_cannot_be_judged_are_one_line() -> None:
    asks: list[dict[str, Any]] = [
        {"ask": "First?", "compare": ["a", "gone"]},
        {"ask": "Second?", "compare": ["baseline", "gone"]},
        {"ask": "Third?", "compare": ["a", "baseline"]},
        {"ask": "Fourth?", "value": ["a", None]},  # as an older version wrote NaN
        {"ask": "Fifth?", "compare": ["a", "a"]},
        {"ask": "Sixth?", "trend": "lr"},
    ]
    verdicts = judge(runs(asks))
    assert [verdict.judged for verdict in verdicts] == [False, False, True, False, False, False]
    lines = short_answers(verdicts)
    assert len(lines) == 2
    assert "Third?" in lines[0]
    assert all(f"{name}?" in lines[1] for name in ("First", "Second", "Fourth", "Fifth", "Sixth"))
    assert lines[1].count("gone") == 1


@pytest.mark.parametrize(
    ("declared", "quoted"),
    [({}, True), ({"claim_for": ["cifar10"]}, False), ({"claim_for": ["cifar10", "photos"]}, True)],
)
def test_a_claim_is_quoted_on_the_data_that_it_is_about(declared: dict[str, Any], quoted: bool) -> None:
    data = runs([{"ask": "?", "compare": ["a", "baseline"], "claim": "60.8%", **declared}])
    data.study.baseline["dataset"] = "folder:my/photos"
    (verdict,) = judge(data)
    assert verdict.claim == ("60.8%" if quoted else "")
    assert ("60.8%" in short_answer(verdict)) is quoted
    assert ("60.8%" in long_answer(verdict, 1)) is quoted


def test_answers_name_a_majority_and_what_is_never_predicted() -> None:
    labels = np.repeat([0, 1], [400, 20])
    logits = np.tile([1.0, 0.0], (420, 1))
    alone = {"val_labels": labels, "val_logits": logits, "test_labels": labels, "test_logits": logits}
    questions: list[dict[str, Any]] = [
        {"ask": "?", "compare": ["a", "baseline"]},
        {"ask": "!", "compare": ["b", "baseline"], "metric": "val/balanced_accuracy"},
    ]
    data = replace(runs(questions), guesses={("a", 0): guesses(alone), ("a", 1): guesses(alone)})
    data.runs["val/balanced_accuracy"] = data.runs["val/accuracy"]
    first, second = judge(data)
    assert first.majority == Majority("0", {"val": 400 / 420, "test": 400 / 420})
    assert first.narrow == (Narrow("a", (0, 1), ("1",), "0"),)
    assert "95.24%" in short_answer(first)
    assert "val/balanced_accuracy" in short_answer(first)
    assert (second.majority, second.narrow) == (None, ())
    assert "95.24%" not in short_answer(second)
