"""Studies that are dicts: several share a name where they share the baseline, and none takes another's place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import runner
from runner.files import read_json
from runner.prune import find_removable
from runner.spec import RequestError
from tests.commands import run
from tests.conftest import BASE

B = BASE | {"epochs": 1, "hidden": [8]}
FIRST: dict[str, Any] = {
    "baseline": B, "variants": {"fast": {"lr": 0.5}, "b": {"dropout": 0.1}}, "seeds": 1,
    "questions": [
        {"ask": "Is fast better?", "compare": ["fast", "baseline"]},
        {"ask": "Is b better?", "compare": ["b", "baseline"]},
        {"ask": "Does lr matter?", "trend": "lr"},
    ],
}  # fmt: skip
SECOND: dict[str, Any] = {
    "baseline": B, "variants": {"b": {"dropout": 0.2}, "c": {"dropout": 0.5}}, "seeds": 1,
    "questions": [{"ask": "Is c better?", "compare": ["c", "baseline"]}],
}  # fmt: skip


def recorded(place: Path, name: str = "study-digits") -> dict[str, Any]:
    study = read_json(place / "runs" / name / "study.json")
    assert study
    return study


def test_a_dict_with_the_same_baseline_extends_the_study(tmp_path: Path) -> None:
    run(FIRST, tmp_path, workers=1)
    run(SECOND, tmp_path, workers=1)
    study = recorded(tmp_path)
    assert list(study["variants"]) == ["baseline", "b", "c", "fast"]
    assert study["variants"]["b"]["changes"] == {"dropout": 0.2}  # what a dict declares anew replaces the earlier
    asked = [question["ask"] for question in study["questions"] if "deleted" not in question]
    assert asked == ["Is fast better?", "Does lr matter?", "Is c better?"]
    run(SECOND, tmp_path, workers=1)
    assert recorded(tmp_path)["questions"] == study["questions"]  # once
    trend = SECOND | {"variants": {"d": {"lr": 0.1}}, "questions": FIRST["questions"][2:]}
    run(trend, tmp_path, workers=1)
    asked = [question["ask"] for question in recorded(tmp_path)["questions"] if "deleted" not in question]
    assert asked == ["Is fast better?", "Is c better?", "Does lr matter?"]
    there = {path.parent.name for path in tmp_path.glob("runs/*/*/seed0")}
    assert len(there) == 6
    assert set(recorded(tmp_path)["directories"]) == there
    assert find_removable(tmp_path / "runs").items == []


def test_a_dict_with_another_baseline_under_a_used_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runner.run(FIRST, workers=1)
    before = {path: path.read_bytes() for path in tmp_path.glob("r*/study-digits/s*")}
    assert len(before) >= 3  # study.json, and the report
    other = SECOND | {"baseline": B | {"lr": 0.01}}
    with pytest.raises(RequestError, match=r"(?s)lr: 0.001 there, 0.01 here.*name="):
        runner.run(other, workers=1)
    assert {path: path.read_bytes() for path in before} == before
    table = runner.run(other, name="slow", workers=1)
    assert set(table["variant"]) == {"baseline", "b", "c"}
    assert "Is c better?" in (tmp_path / "reports" / "slow-digits" / "summary.md").read_text()
    assert {path: path.read_bytes() for path in before} == before
    assert find_removable(Path("runs")).items == []


def test_a_file_and_overrides_are_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file replaces what it said; what the command line sets has a directory of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ablations").mkdir()
    for study in (FIRST, SECOND | {"baseline": B | {"lr": 0.01}}):
        (tmp_path / "ablations" / "study.py").write_text(f"STUDY = {study!r}")
        runner.run("study", workers=1, seeds=1)
    assert list(recorded(tmp_path)["variants"]) == ["baseline", "b", "c"]
    assert "directories" not in recorded(tmp_path)
    runner.run(FIRST, workers=1, set={"lr": 0.02}, variants=["b"])
    assert (tmp_path / "runs" / "study-digits+lr=0.02").is_dir()


@pytest.mark.parametrize("name", ["", "../up", "a.py", "x" * 81, "a b", 3])
def test_a_name_that_is_no_directorys_is_refused(tmp_path: Path, name: Any) -> None:
    with pytest.raises(RequestError, match="name"):
        run(FIRST, tmp_path, name=name)
    assert not list(tmp_path.iterdir())


def test_a_name_is_for_dicts() -> None:
    with pytest.raises(RequestError, match="name"):
        runner.run("mlp", name="other")


def test_two_studies_of_one_name_in_one_command_are_refused(tmp_path: Path) -> None:
    from runner.execute import Request, execute
    from runner.text import plain_console

    request = Request((FIRST, SECOND), runs=tmp_path / "runs", reports=tmp_path / "reports")
    with pytest.raises(RequestError, match="study-digits"):
        execute(request, plain_console())
    assert not list(tmp_path.iterdir())
