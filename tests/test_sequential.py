"""Sequential studies trained for real: they stop where questions are answered, and decide the same however they ran."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from runner.spec import Kind, RequestError
from runner.verdicts import gather, judge
from tests.commands import numbers, run, start, wait_for
from tests.problems import one
from tests.studies import BASE

STUDY: dict[str, Any] = {
    "baseline": BASE | {"epochs": 2},
    "variants": {"batchnorm": {"batch_norm": True}, "noisy": {"dropout": 0.3}, "untouched": {"dropout": 0.1}},
    "seeds": {"first": 2, "most": 4},  # looks after 2, 3 and 4 seeds
    "questions": [
        {"ask": "Is the loss far smaller?", "compare": ["batchnorm", "baseline"], "metric": "val/loss",
         "expect": "equal", "smallest": 50.0},
        {"ask": "Does noise help?", "compare": ["noisy", "baseline"], "expect": "more"},
    ],
}  # fmt: skip


def seeds(place: Path) -> dict[str, list[int]]:
    """The seeds of each variant that finished."""
    found: dict[str, list[int]] = {}
    for path in sorted(place.glob("runs/*/*/seed*/result.json")):
        found.setdefault(path.parts[-3].rpartition("-")[0], []).append(int(path.parts[-2].removeprefix("seed")))
    return found


def verdicts(place: Path) -> list[tuple[Any, ...]]:
    """What decided each question, and its numbers."""
    return [
        (each.answer, each.decided, each.looks, each.closed, each.p, each.same_p, each.comparisons)
        for each in judge(gather(place / "runs" / "study-digits"))
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study, trained without a disturbance by one worker."""
    place = tmp_path_factory.mktemp("whole")
    outcome, text = run(STUDY, place, workers=1)
    assert outcome.failed == 0, text
    assert [text.count(f"look {n} of 3") for n in (1, 2, 3)] == [1, 1, 1]
    return place


def test_only_open_questions_get_more_seeds(whole: Path) -> None:
    first, second = judge(gather(whole / "runs" / "study-digits"))
    assert (first.answer, first.decided) == ("supported", 1)
    assert (second.looks, second.closed) == (3, "")
    assert seeds(whole) == {"baseline": [0, 1, 2, 3], "batchnorm": [0, 1], "noisy": [0, 1, 2, 3], "untouched": [0, 1]}


def test_the_same_command_does_nothing_more(whole: Path) -> None:
    before = numbers(whole)
    outcome, text = run(STUDY, whole)
    assert (outcome.failed, numbers(whole)) == (0, before)
    assert "all 12 runs are done already" in text


def test_law_1_more_workers_decide_the_same(whole: Path, tmp_path: Path) -> None:
    run(STUDY, tmp_path, workers=2)
    assert (numbers(tmp_path), verdicts(tmp_path)) == (numbers(whole), verdicts(whole))


@pytest.mark.parametrize("ended", [1, 8, 10])  # before the first look, before the second, and during the third
def test_a_killed_study_resumes_to_the_same_decisions(whole: Path, tmp_path: Path, ended: int) -> None:
    process = start(tmp_path, "--workers", "1", study=STUDY)
    wait_for(lambda: sum(map(len, seeds(tmp_path).values())) >= ended or process.poll() is not None)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    resumed = start(tmp_path, study=STUDY)
    text, _ = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, text
    assert (numbers(tmp_path), verdicts(tmp_path)) == (numbers(whole), verdicts(whole))


def test_two_runners_share_the_runs_and_decide_the_same(whole: Path, tmp_path: Path) -> None:
    both = [start(tmp_path, "--workers", "1", study=STUDY) for _ in range(2)]
    texts = [process.communicate(timeout=240)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], texts
    assert (numbers(tmp_path), verdicts(tmp_path)) == (numbers(whole), verdicts(whole))


def test_retraining_goes_through_the_looks_again(whole: Path, tmp_path: Path) -> None:
    run(STUDY, tmp_path)
    outcome, text = run(STUDY, tmp_path, retrain=True)
    assert outcome.failed == 0, text
    assert (numbers(tmp_path), verdicts(tmp_path)) == (numbers(whole), verdicts(whole))
    assert text.count("val 0.") == 12  # each run once


def test_a_dry_run_shows_the_looks_and_the_cost_at_best_and_at_worst(tmp_path: Path) -> None:
    _, text = run(STUDY, tmp_path, dry_run=True)
    assert "looks after 2, 3, 4 seeds" in text
    assert "At best 8 runs" in text
    assert "at worst 14 runs" in text  # two more seeds of the three variants that questions name
    assert not list(tmp_path.iterdir())


def test_a_dry_run_of_a_finished_study_costs_nothing_more(whole: Path) -> None:
    _, text = run(STUDY, whole, dry_run=True)
    assert "At best 12 runs, about 0 s from now; at worst 12 runs, about 0 s from now" in text


def test_seeds_of_another_plan_are_not_used(tmp_path: Path) -> None:
    run(STUDY | {"seeds": 2}, tmp_path)
    run(STUDY | {"seeds": {"first": 2, "most": 4, "from": 2}}, tmp_path)
    data = gather(tmp_path / "runs" / "study-digits")
    assert set(data.runs["seed"]) == {2, 3, 4, 5}
    assert data.unplanned == 8
    assert not any(verdict.exploratory for verdict in judge(data))
    (path,) = tmp_path.glob("runs/*/study.json")
    assert [earlier["seeds"] for earlier in json.loads(path.read_text())["earlier_seeds"]] == [[0, 1]]


def test_a_study_without_questions_has_nothing_to_add_seeds_for(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as caught:
        run(STUDY | {"questions": []}, tmp_path)
    one(caught.value.problems, Kind.MISSING, "questions")
    assert not list(tmp_path.iterdir())
