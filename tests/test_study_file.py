"""study.json keeps what was declared and planned, and when; changing one's mind stays visible in it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from runner.execute import _study_file
from runner.execute._study_file import study_file
from runner.expand import Overrides, ResolvedStudy, resolve
from runner.store import StudyFile, read_study, write_study
from runner.verdicts import Exploratory, gather, judge
from tests.planted import Images, Planted, plant_study
from tests.studies import BASE

ASK = {"ask": "Does it help?", "compare": ["short", "baseline"], "expect": "more"}
OTHER = {"ask": "Is it the same?", "compare": ["short", "baseline"], "metric": "val/loss"}
IMAGES = Images(["zero", "one"], [30, 30])


def declare(seeds: Any = 3, questions: list[dict[str, Any]] | None = None, **overrides: Any) -> ResolvedStudy:
    variants = {"short": {"dropout": 0.1}, "other": {"dropout": 0.2}}
    asked = [ASK, OTHER] if questions is None else questions
    study = {"baseline": BASE, "variants": variants, "seeds": seeds, "questions": asked}
    return resolve(Path("toy.py"), study, "", Overrides(**overrides))


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the time at which study.json is written: a year."""

    def set_time(year: int) -> None:
        monkeypatch.setattr(_study_file, "present", lambda: f"{year}-01-01T00:00:00+00:00")

    return set_time


def command(runs: Path, study: ResolvedStudy) -> StudyFile:
    """What a command writes before it trains."""
    content = study_file(study, runs, [])
    write_study(runs / study.name, content)
    return content


def train(runs: Path, study: ResolvedStudy, seeds: range) -> None:
    """Runs with planted numbers, which ended on 2023-11-14."""
    planted = {
        variant.name: {seed: Planted(0.5 + 0.01 * (seed % 3) + 0.1 * (variant.name == "short")) for seed in seeds}
        for variant in study.selected
    }
    found = read_study(runs / study.name)
    assert found
    plant_study(runs / study.name, found, planted, IMAGES)


def test_planned_seeds_and_looks_are_written_first(tmp_path: Path) -> None:
    command(tmp_path, declare({"first": 5, "most": 27}))
    data = json.loads((tmp_path / "toy-digits" / "study.json").read_text())
    assert data["seeds"] == {"first": 5, "most": 27, "looks": [5, 8, 12, 18, 27]}
    command(tmp_path, declare(2))
    assert json.loads((tmp_path / "toy-digits" / "study.json").read_text())["seeds"] == [0, 1]


def test_planned_looks_stay_whatever_rule_made_them(tmp_path: Path) -> None:
    study = declare({"first": 5, "most": 27})
    written = command(tmp_path, study).model_copy(update={"seeds": {"first": 5, "most": 27, "looks": [5, 16, 27]}})
    write_study(tmp_path / study.name, written)
    again = command(tmp_path, study)
    assert again.plan is not None
    assert (again.plan.looks, again.earlier_seeds) == ((5, 16, 27), [])


def test_seeds_that_change_after_runs_are_remembered(tmp_path: Path, at: Any) -> None:
    at(2020)
    study = declare(3)
    command(tmp_path, study)
    assert command(tmp_path, declare(4)).earlier_seeds == []  # nothing had run
    command(tmp_path, study)
    train(tmp_path, study, range(3))
    assert command(tmp_path, study).earlier_seeds == []  # the same again changes nothing
    at(2024)
    (before,) = command(tmp_path, declare(5)).earlier_seeds
    assert (before.seeds, before.until) == ([0, 1, 2], "2024-01-01T00:00:00+00:00")
    assert before.ended == {variant.directory: [0, 1, 2] for variant in study.variants}
    assert len(command(tmp_path, declare(5)).earlier_seeds) == 1
    for verdict in judge(gather(tmp_path / study.name)):
        assert Exploratory.SEEDS in verdict.exploratory
    fresh = declare({"first": 2, "most": 4}, first_seed=3)
    command(tmp_path, fresh)
    train(tmp_path, fresh, range(3, 5))
    for verdict in judge(gather(tmp_path / study.name)):
        assert verdict.exploratory == ()


def test_a_file_of_before_without_a_plan_counts_as_the_seeds_that_all_variants_have(tmp_path: Path) -> None:
    study = declare(3)
    older = command(tmp_path, study).model_copy(update={"seeds": None})
    for trained, asked, remembered in ((3, 3, False), (3, 5, True), (2, 3, True)):
        shutil.rmtree(tmp_path / study.name)
        write_study(tmp_path / study.name, older)
        train(tmp_path, study, range(trained))
        assert bool(command(tmp_path, declare(asked)).earlier_seeds) is remembered
    partly = declare(3, variants=["short"])
    shutil.rmtree(tmp_path / study.name)
    write_study(tmp_path / study.name, older)
    train(tmp_path, study, range(2))
    train(tmp_path, partly, range(3))  # stopped before `other` had its third seed
    assert command(tmp_path, declare(3)).earlier_seeds == []


def test_a_question_keeps_its_time_whatever_its_words_are(tmp_path: Path, at: Any) -> None:
    at(2020)
    command(tmp_path, declare())
    at(2021)
    reworded = ASK | {"ask": "Really?", "claim": "it does", "metric": "val/accuracy"}
    changed = OTHER | {"smallest": 0.01}
    times = {
        str(item["ask"]): item["declared"][:4]
        for item in command(tmp_path, declare(questions=[reworded, changed])).questions
        if "deleted" not in item
    }
    assert times == {"Really?": "2020", "Is it the same?": "2021"}


def test_questions_of_a_file_of_before_keep_their_time(tmp_path: Path, at: Any) -> None:
    """As 113ed1f wrote them, with default values."""
    shutil.copytree(Path(__file__).parent / "older" / "runs" / "older-digits", tmp_path / "older-digits")
    older = read_study(tmp_path / "older-digits")
    assert older
    at(2030)
    asked = [
        {"ask": "Does BatchNorm help?", "compare": ["batchnorm", "baseline"], "expect": "more", "smallest": 0.01},
        {"ask": "When is it at its best?", "compare": ["batchnorm", "baseline"], "metric": "best_epoch"},
    ]
    study = resolve(
        Path("older.py"),
        {"baseline": older.baseline, "variants": {"batchnorm": {"batch_norm": True}}, "questions": asked},
        "",
        Overrides(),
    )
    written = study_file(study, tmp_path, []).questions
    assert [item["declared"] for item in written] == [item["declared"] for item in older.questions]
    assert not any("deleted" in item for item in written)


def test_a_deleted_question_stays_and_is_marked(tmp_path: Path, at: Any) -> None:
    at(2020)
    study = declare()
    command(tmp_path, study)
    at(2021)
    unasked = command(tmp_path, declare(questions=[ASK])).questions
    assert [(item["ask"], item.get("deleted", "")[:4], item.get("after_runs")) for item in unasked] == [
        ("Does it help?", "", None), ("Is it the same?", "2021", False),
    ]  # fmt: skip
    command(tmp_path, study)
    train(tmp_path, study, range(3))
    at(2024)
    gone = command(tmp_path, declare(questions=[ASK])).questions[1]
    assert (gone["deleted"][:4], gone["after_runs"], gone["declared"][:4]) == ("2024", True, "2020")
    data = gather(tmp_path / study.name)
    assert [len(data.questions), len(data.deleted)] == [1, 1]
    at(2025)
    back = command(tmp_path, study).questions
    assert [(item["declared"][:4], "deleted" in item) for item in back] == [("2020", False), ("2020", False)]


def test_variants_that_are_not_selected_delete_no_question(tmp_path: Path) -> None:
    command(tmp_path, declare())
    written = command(tmp_path, declare(variants=["other"]))
    assert written.selected == ["baseline", "other"]
    assert not any("deleted" in item for item in written.questions)
    assert command(tmp_path, declare()).selected is None
