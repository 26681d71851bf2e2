"""Wrong requests on the command line: exit status 2, words, nothing written."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.__main__ import main
from runner.execute import Request, check_places
from runner.execute._opened import crowded, worker_count
from runner.machine import cores
from runner.spec import Kind, RequestError
from tests.commands import run
from tests.conftest import BASE

LONG = "x" * 300
COMMANDS = ["run", "report", "prune", "search", "ablate-winner"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ablations").mkdir()
    study = {"baseline": BASE | {"epochs": 1}, "seeds": 1}
    (tmp_path / "ablations" / "toy.py").write_text(f"STUDY = {study!r}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said of a wrong request that leaves everything as it was."""
    before = sorted(map(str, Path().rglob("*")))
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    said = capsys.readouterr().err
    assert end.value.code == 2, said
    assert "Traceback" not in said
    assert sorted(map(str, Path().rglob("*"))) == before
    return said


@pytest.mark.parametrize("command", [*COMMANDS, "evaluate"])
@pytest.mark.parametrize("name", [LONG, f"{LONG}/{LONG}", "", "\udcff"])
def test_names_that_nothing_has(place: Path, capsys: pytest.CaptureFixture[str], command: str, name: str) -> None:
    refused(capsys, command, name)


@pytest.mark.parametrize("option", ["--runs", "--reports", "--data"])
@pytest.mark.parametrize("text", ["", " ", LONG])
def test_places_that_no_disk_has(place: Path, capsys: pytest.CaptureFixture[str], option: str, text: str) -> None:
    assert option in refused(capsys, "run", "toy", option, text)


@pytest.mark.parametrize("seeds", ["1,,2", ",1", ",", "", "1,2,,", "-1", "1e3", "99999999999"])
def test_seeds_that_are_none(place: Path, capsys: pytest.CaptureFixture[str], seeds: str) -> None:
    assert "--seeds" in refused(capsys, "run", "toy", "--seeds", seeds)


@pytest.mark.parametrize("kind", ["runs", "reports"])
def test_a_file_where_the_studys_directory_would_be(place: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    (place / kind).mkdir()
    (place / kind / "toy-digits").touch()
    assert "toy-digits" in refused(capsys, "run", "toy")


@pytest.mark.parametrize("what", ["toy-digits", ".lock"])
def test_what_another_user_made(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    (place / "runs" / "toy-digits").mkdir(parents=True)
    (place / "runs" / ".lock").touch()
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != what and allowed(path, mode))
    assert what in refused(capsys, "run", "toy")
    assert "nothing was trained" in refused(capsys, "run", "toy", "--dry-run")


def test_reports_where_none_can_be_written(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run({"baseline": BASE | {"epochs": 1}, "seeds": 1}, place, workers=1)
    (place / "file").touch()
    assert "file" in refused(capsys, "report", "--reports", "file")


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"executor": "slurm"}, Kind.UNKNOWN),
        ({"address": "10.0.0.1:6379"}, Kind.CONFLICT),
        ({"executor": "ray"}, Kind.MISSING),
        ({"executor": "ray", "address": "10.0.0.1"}, Kind.VALUE),
        ({"executor": "ray", "address": "http://a:1"}, Kind.VALUE),
        ({"executor": "ray", "device": "cuda:1"}, Kind.VALUE),
        ({"executor": "ray", "device": "mps"}, Kind.VALUE),
    ],
)
def test_workers_that_can_not_be_elsewhere(
    place: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], kind: Kind
) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ray" else known(name))
    request = replace(Request(runs=Path("runs"), reports=Path("reports")), **options)
    with pytest.raises(RequestError) as refusal:
        check_places(request, [])
    assert kind in refusal.value.kinds


def test_never_more_workers_than_runs(tmp_path: Path) -> None:

    assert worker_count(200_000_000, 2, 3) == 3
    assert worker_count(None, 1, 3) == 1
    assert worker_count(5, 2, 0) == 1
    outcome, text = run({"baseline": BASE | {"epochs": 1}, "seeds": 1}, tmp_path, workers=200_000_000)
    assert outcome.failed == 0
    assert "with 1 worker on" in text


def test_more_workers_than_cores_get_a_hint() -> None:
    assert not crowded(cores())
    assert str(cores() + 1) in crowded(cores() + 1)
