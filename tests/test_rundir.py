"""What is in runs/ and is not the runner's: skipped, whatever it holds."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from runner.__main__ import main
from runner.evaluate import evaluate
from runner.events import hparams
from runner.files import read_json
from runner.search.records import find_record, read_record
from runner.spec import Kind, RequestError
from runner.store import Provenance, RunDir, RunJson, comparable, first_end
from tests.conftest import BASE
from tests.problems import refused

BIG = "1" * 400
SETTINGS = '{"seed": 7, "status": "finished", "settings": %s, "provenance": %s, "study": "foreign", "variant": "a", "hash": "b"%s}'  # noqa: E501
RUNS = {
    "a number of 400 digits": SETTINGS % (f'{{"lr": {BIG}}}', "{}", ""),
    "one of 5000": SETTINGS % (f'{{"lr": {"1" * 5000}}}', "{}", ""),
    "a time of 400 digits": SETTINGS % ("{}", "{}", f', "ended": {BIG}'),
    "no numbers": SETTINGS % ('{"lr": NaN, "dropout": Infinity, "x": 1e999}', "{}", ""),
    "deep": SETTINGS % (f'{{"hidden": {"[" * 500}{"]" * 500}}}', "{}", ""),
    "deeper": "[" * 100_000,
    "half a character": SETTINGS % ('{"model": "\\ud800", "\\udcff": 1}', "{}", ""),
    "strange versions": SETTINGS % ("{}", '{"versions": "abc"}', ""),
    "strange names": SETTINGS % ("{}", "{}", ', "attempt": [], "changes": 3, "classes": {}, "ended": "x"'),
    "mixed": SETTINGS % ('{"lr": [1, "x", null, {}], "epochs": "x", "batch_size": true}', "{}", ""),
    "a list": "[]",
    "a text": '"x"',
    "nothing": "",
    "half": '{"seed": 7',
    "bytes": "\udcff\udcfe\0",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study and a search."""
    place = tmp_path_factory.mktemp("made")
    (place / "ablations").mkdir()
    base = BASE | {"epochs": 1}
    search = {"baseline": base, "space": {"lr": {"log_uniform": [0.001, 0.1]}}, "runs": 2, "fresh_seeds": 2}
    (place / "ablations" / "toy.py").write_text(f"STUDY = { ({'baseline': base, 'seeds': 1})!r}")
    (place / "ablations" / "hunt.py").write_text(f"SEARCH = {search!r}")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert command("run", "toy", "--workers", "1") == command("search", "hunt", "--workers", "1") == 0
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(*arguments: str) -> Any:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code


def put(place: Path, text: str) -> None:
    """As run.json of a directory that may be a run's and of one that may not, as result.json and as study.json."""
    for name in ("foreign/x/seed7/run.json", "foreign/a-b/seed7/run.json", "foreign/a-b/seed7/result.json"):
        (place / "runs" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "runs" / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    for name in ("other/study.json", "hunt-digits+sampler=random/study.json"):
        (place / "runs" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "runs" / name).write_bytes(text.encode("utf-8", "surrogateescape"))


@pytest.mark.slow
def test_nothing_foreign_stops_a_command(place: Path) -> None:
    for text in RUNS.values():
        put(place, text)
        assert command("run", "toy", "--workers", "1") == 0
        assert command("prune") == 0
        assert command("search", "hunt", "--workers", "1") == 0
        with pytest.raises(RequestError):
            evaluate(Path("runs/foreign/a-b/seed7"), Path("data"), Path("reports"))
        assert find_record(Path("runs"), "hunt").search.runs == 2
    assert command("report") == 0


def test_pipes_are_not_waited_for(place: Path) -> None:
    for name in ("foreign/a-b/seed7", "other"):
        (place / "runs" / name).mkdir(parents=True)
        for file in ("run.json", "study.json", "result.json"):
            os.mkfifo(place / "runs" / name / file)
    assert command("run", "toy", "--workers", "1") == 0
    assert command("prune") == 0


@pytest.mark.parametrize("text", [RUNS[name] for name in RUNS if name != "mixed"])
def test_what_is_not_ours_says_nothing(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "foreign" / "a-b" / "seed7"
    folder.mkdir(parents=True)
    (folder / "run.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert RunDir(folder).run_json() is None
    assert RunDir(folder).ended_attempt() is None


def test_numbers_of_64_bits_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(f'{{"a": {2**64 - 1}, "b": {-(2**63)}, "c": 1.5}}')
    assert read_json(tmp_path / "a.json") == {"a": 2**64 - 1, "b": -(2**63), "c": 1.5}


def test_names_that_are_no_text_become_columns() -> None:
    assert hparams({"model": "\udcff"}, "\udcff", "b")["study"] == "\\udcff"


@pytest.mark.slow
def test_the_record_of_a_search_that_is_none_is_refused(place: Path) -> None:
    file = place / "runs" / "hunt-digits" / "study.json"
    study = json.loads(file.read_text())
    for key, value in (
        ("space", {"lr": {"log_uniform": ["x", 2]}}), ("space", {"lr": {"odd": [1, 2]}}), ("claim", True),
        ("runs", 10**15), ("files", [1]), ("sampler", "odd"),
    ):  # fmt: skip
        file.write_text(json.dumps(study | {"search": study["search"] | {key: value}}))
        with refused(Kind.PATH, str(file.parent)):
            read_record(file.parent)
        assert command("report") == 0
        assert command("run", "toy", "--workers", "1") == 0
    assert comparable([]) == []


def test_a_variants_first_end_is_the_earliest_that_is_known() -> None:
    runs = [RunJson(seed=0, status="finished", settings={}, provenance=Provenance(), ended=60.0 * n) for n in (3, 2)]
    assert first_end(None, [*runs, None]) == "1970-01-01T00:02:00+00:00"
    assert first_end("1970-01-01T00:01:00+00:00", runs) == "1970-01-01T00:01:00+00:00"
    assert first_end("1970-01-01T00:05:00+00:00", runs) == "1970-01-01T00:02:00+00:00"
    assert first_end(None, [None]) is None
