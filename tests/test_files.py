"""Files that arguments name: their contents are part of a run's identity, and only what is recorded recognises it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from runner.execute import Request, execute
from runner.expand import Overrides, Run, Variant, file_hash, file_hashes, resolve_studies
from runner.expand._files import with_files
from runner.files import read_json
from runner.prune import find_removable
from runner.search._resolve import resolve_search
from runner.search.records import Record, read_record
from runner.spec import Kind, Settings
from runner.store import Provenance, RunDir
from tests.commands import run
from tests.problems import refused
from tests.studies import BASE

MODEL = BASE | {"model": "tests.fakes:from_file", "hidden": [], "epochs": 1}
MODEL.pop("hidden")
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of no bytes


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.txt").write_text("0.5")
    return tmp_path


def study(**changes: Any) -> dict[str, Any]:
    return {"baseline": MODEL | {"model_args": {"file": "weights.txt"}} | changes, "seeds": 1}


def variant(**arguments: Any) -> Variant:
    (found,) = resolve_studies([study(model_args=arguments)], Overrides())[0].variants
    return found


def test_a_file_that_is_replaced_makes_another_run_and_a_restored_one_is_recognised(place: Path) -> None:
    losses, trained = [], []
    for text in ("0.5", "0.1", "0.5"):
        (place / "weights.txt").write_text(text)
        run(study(), place, workers=1)
        (entry,) = (read_json(place / "runs" / "study-digits" / "study.json") or {})["variants"].values()
        folder = place / "runs" / "study-digits" / entry["directory"] / "seed0"
        result, known = RunDir(folder).result(), RunDir(folder).run_json()
        assert result
        assert known
        assert known.files == entry["files"] == {"weights.txt": file_hash("weights.txt")}
        losses.append(result.metrics["val/loss"])
        trained.append(len(list(place.glob("runs/*/*/seed0/result.json"))))
    assert losses[0] == losses[2] != losses[1]
    assert trained == [1, 2, 2]


def test_every_text_that_names_a_regular_file_counts(place: Path) -> None:
    (place / "folder").mkdir()
    (place / "empty").touch()
    os.mkfifo(place / "pipe")
    (place / "link").symlink_to("empty")
    arguments: dict[str, Any] = {
        "a": ["weights.txt", {"b": ["empty"]}], "c": "folder", "d": "pipe", "e": "/dev/zero", "f": "none", "g": "\0",
        "h": "x" * 5000, "i": "", "j": 3, "k": "link",
    }  # fmt: skip
    found = file_hashes([Settings.model_validate(MODEL | {"model_args": arguments})], "here")
    assert found.keys() == {"weights.txt", "empty", "link"}
    assert found["empty"] == found["link"] == EMPTY


def test_settings_that_name_no_file_keep_their_digest(place: Path) -> None:
    plain = variant(file="nowhere.txt")
    assert plain.files == {}
    assert plain.digest == plain.settings.digest()
    named = variant(file="weights.txt")
    assert named.digest != named.settings.digest()


def test_a_file_that_cannot_be_read_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: Any) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("runner.expand._files._sha256", denied)
    with refused(Kind.PATH, "model_args", "weights.txt", "Permission denied"):
        resolve_studies([study()], Overrides())


def test_a_file_that_changes_while_a_command_is_at_work_fails_its_run(place: Path) -> None:
    (resolved,) = resolve_studies([study()], Overrides())
    (place / "weights.txt").write_text("0.123")
    stale = resolved.variants[0]
    assert stale.files != variant(file="weights.txt").files
    from runner.data import prepare
    from runner.execute import Job, Message
    from runner.execute._job import train_job
    from runner.execute._messages import Command

    messages: list[Message] = []
    job = Job((Run("study-digits", stale, 0),), prepare(stale.ours, place / "data"))
    train_job(job, Command(place / "runs", "cpu", Provenance()), messages.append)
    assert [message.kind for message in messages] == ["failed"]
    assert "weights.txt has changed" in messages[0].cause


def test_prune_keeps_runs_of_a_file_that_is_gone(place: Path) -> None:
    folder = place / "ablations"
    folder.mkdir()

    def train(**variants: Any) -> None:
        (folder / "toy.py").write_text(f"STUDY = {study() | {'variants': variants}!r}")
        execute(Request(("toy",), runs=Path("runs"), reports=Path("reports"), workers=1), Console(quiet=True))

    both = {"own": {"lr": 0.01}}
    train(**both)
    train(other={"lr": 0.1})
    (folder / "toy.py").write_text(f"STUDY = {study() | {'variants': both}!r}")  # again, not trained since
    (place / "weights.txt").unlink()
    assert find_removable(Path("runs")).items == []
    (folder / "toy.py").write_text(f"STUDY = {study()!r}")
    assert {item.folder.parent.name[:4] for item in find_removable(Path("runs")).items} == {"own-"}


def test_a_search_over_files_is_another_one_when_a_file_is_replaced(place: Path) -> None:
    (place / "ablations").mkdir()
    spec = {"baseline": study()["baseline"], "space": {"lr": {"log_uniform": [0.001, 0.1]}}, "runs": 2}
    (place / "ablations" / "hunt.py").write_text(f"SEARCH = {spec!r}")
    first = resolve_search("hunt", Overrides())
    made = next(Record(first, place / "runs").ask())
    assert made.variant.files == {"weights.txt": file_hash("weights.txt")}
    (place / "weights.txt").unlink()
    again = read_record(place / "runs" / "hunt-digits")  # by what is recorded
    assert list(again.tried) == [made]
    (place / "weights.txt").write_text("0.25")
    assert resolve_search("hunt", Overrides()).digest() != first.digest()


def test_the_hashes_reach_the_selected_variants(place: Path) -> None:
    (resolved,) = resolve_studies([study() | {"variants": {"b": {"lr": 0.1}}}], Overrides(variants="b"))
    assert [each.files.keys() for each in resolved.selected] == [{"weights.txt"}] * 2
    assert with_files(resolved) == resolved
