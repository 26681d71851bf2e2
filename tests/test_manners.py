"""A laptop's and a notebook's manners: what run() shows, ~ in paths, text files, workers that are spawned."""

from __future__ import annotations

import multiprocessing
import re
from pathlib import Path

import pytest

import runner
from runner.arguments import path
from runner.expand import file_hashes
from runner.files import expanded
from runner.spec import Settings, first_line
from tests.commands import numbers, run
from tests.conftest import BASE

STUDY = {"baseline": BASE | {"epochs": 1}, "variants": {"b": {"dropout": 0.1}}, "seeds": 2}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def test_run_shows_effects_and_the_reports_path(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = runner.run(STUDY, workers=1, runs="~/runs", reports="~/reports", data="~/data")
    assert len(table) == 4
    lines = capsys.readouterr().out.splitlines()
    (page,) = [line.split()[-1] for line in lines if line.startswith("report:")]
    assert Path(page) == home / "reports" / "study-digits" / "summary.md"
    assert Path(page).is_file()
    assert [line for line in lines if re.match(r"baseline\S* +2 ", line)]  # its n
    assert {"runs", "reports"} <= {each.name for each in home.iterdir()}


def test_a_path_may_begin_with_the_home_directory(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert path("~/photos") == home / "photos"
    assert path("a~b") == Path("a~b")
    (home / "w.pt").write_bytes(b"1")
    hashed = file_hashes([Settings.model_validate(BASE | {"model": "m:f", "model_args": {"at": "~/w.pt"}})], "here")
    assert list(hashed) == ["~/w.pt"]
    assert expanded(Path("~nobody-has-this-name/x")) == Path("~nobody-has-this-name/x")


def test_docstrings_are_utf_8_whatever_the_locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "study.py"
    monkeypatch.setattr("locale.getpreferredencoding", lambda *_: "ascii")
    monkeypatch.setattr("locale.getencoding", lambda: "ascii")
    for mark in ("", "\ufeff"):
        file.write_text(f'{mark}"""Größer – ≥ 1?"""\nSTUDY = {{}}', encoding="utf-8")
        assert first_line(file) == "Größer – ≥ 1?"


@pytest.mark.slow
def test_workers_that_are_spawned_give_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(STUDY, tmp_path / "forked", workers=2)
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    run(STUDY, tmp_path / "spawned", workers=2)
    assert len(numbers(tmp_path / "spawned")) == 4
    assert numbers(tmp_path / "spawned") == numbers(tmp_path / "forked")
