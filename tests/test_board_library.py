"""The tab's reading: a refresh reads only what has changed, and files that are not plain are skipped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runner.board import _library
from runner.board._library import Library, UnknownStudy
from runner.measures import MetricSet
from runner.store import FAILED, RunDir
from runner.verdicts import _ended
from tests import tab
from tests.reports import change
from tests.studies import amend, vouch
from tests.tab import Tab, spoil
from tests.test_board_progress import start
from tests.test_payloads import objects

FILES = ("run.json", "result.json", "metrics.csv", "correct.npz", "predictions.npz", "best.pt")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tab.plant(tmp_path / "runs" / "study", 3)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def run(runs: Path) -> RunDir:
    return RunDir(runs / "study" / "better-0" / "seed1")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The run directories that were read."""
    found: list[Path] = []
    read = _ended._read

    def count(variant: str, path: Path, measures: MetricSet) -> Any:
        found.append(path)
        return read(variant, path, measures)

    monkeypatch.setattr(_ended, "_read", count)
    return found


def finish(runs: Path) -> None:
    source, target = runs / "study" / "better-0" / "seed2", runs / "study" / "same-0" / "seed2"
    for path in target.iterdir():
        shutil.copy(path, source) if path.name != "run.json" else None
    vouch(RunDir(source))


def retrain(runs: Path) -> None:
    result = run(runs).result()
    assert result
    run(runs).write_result(result.model_copy(update={"metrics": result.metrics | {"val/accuracy": 0.9}}))


def fail(runs: Path) -> None:
    start(runs, "better", 1)
    amend(run(runs), status=FAILED, cause="boom")


@pytest.mark.parametrize("event", [finish, retrain, fail, lambda runs: (run(runs).folder / "result.json").unlink()])
def test_a_snapshot_is_new_once_a_run_has_changed(runs: Path, reads: list[Path], event: Callable[[Path], None]) -> None:
    library = Library(runs)
    before = library.snapshot("study")
    assert len(reads) == 15
    assert library.snapshot("study") is before
    assert len(reads) == 15
    event(runs)
    after = library.snapshot("study")
    assert after is not before
    assert len(reads) == 16
    assert after.effects != before.effects or event is finish
    assert library.snapshot("study") is after


def test_epochs_of_a_run_in_training_read_no_other_run(runs: Path, reads: list[Path]) -> None:
    library = Library(runs)
    start(runs, "better", 1)
    before = library.snapshot("study")
    (run(runs).folder / "metrics.csv").write_text("epoch\n1\n")
    assert library.snapshot("study") is before
    assert reads[15:] == [run(runs).folder]


def test_a_snapshot_is_new_once_study_json_has_changed(runs: Path, reads: list[Path]) -> None:
    library = Library(runs)
    before = library.snapshot("study")
    change(runs / "study", questions=[])
    after = library.snapshot("study")
    assert after is not before
    assert (len(before.verdicts), len(after.verdicts)) == (len(tab.QUESTIONS), 0)
    assert len(reads) == 15


def test_every_study_is_judged_again_once_deciding_code_has_changed(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab.plant(runs / "other", 3)
    file = tmp_path / "models.py"
    file.touch()
    monkeypatch.setattr(_library, "deciding_files", lambda: [file])
    library = Library(runs)
    before = {name: library.snapshot(name) for name in ("study", "other")}
    edits: list[Callable[[], None]] = [lambda: os.utime(file, (1, 1)), file.unlink, file.touch]
    for edit in edits:
        edit()
        after = {name: library.snapshot(name) for name in ("study", "other")}
        assert all(after[name] is not before[name] for name in after)
        assert all(library.snapshot(name) is after[name] for name in after)
        before = after


@pytest.mark.parametrize("kind", ["pipe", "link", "directory", "huge"])
@pytest.mark.parametrize("name", FILES)
def test_a_run_with_a_file_that_is_not_plain_is_skipped(runs: Path, tmp_path: Path, name: str, kind: str) -> None:
    spoil(run(runs).folder / name, kind, tmp_path / "outside")
    shown = Tab(runs).every("study")
    assert {row["n"] for row in shown["effects"] if row["variant"] == "better"} == {2}


@pytest.mark.parametrize("kind", ["pipe", "link", "directory", "huge"])
def test_a_study_json_that_is_not_plain_is_no_study(runs: Path, tmp_path: Path, kind: str) -> None:
    spoil(runs / "study" / "study.json", kind, tmp_path / "outside")
    assert Tab(runs).ask("studies") == (200, [])
    assert Tab(runs).ask("overview", "study=study")[0] == 404


def test_what_else_is_in_a_run_directory_hides_no_run(runs: Path, tmp_path: Path) -> None:
    for number, kind in enumerate(("pipe", "link", "directory", "huge")):
        spoil(run(runs).folder / f"own{number}", kind, tmp_path / "outside")
    assert {row["n"] for row in Tab(runs).get("effects", "study") if row["variant"] == "better"} == {3}


@pytest.mark.parametrize("level", ["study", "study/better-0", "study/better-0/seed1"])
def test_directories_outside_the_log_directory_are_skipped(runs: Path, tmp_path: Path, level: str) -> None:
    (runs / level).rename(tmp_path / "elsewhere")
    (runs / level).symlink_to(tmp_path / "elsewhere")
    library = Library(runs)
    if level == "study":
        assert library.names() == []
    else:
        assert len(library.snapshot("study").ended) == 15 - (3 if level.endswith("-0") else 1)


def test_a_link_to_a_study_is_that_study(runs: Path) -> None:
    for name in ("a", "z"):
        (runs / name).symlink_to(runs / "study")
    library = Library(runs)
    assert library.names() == ["study"]
    assert len(library.snapshot("study").data.runs) == 15


def test_the_log_directory_may_be_a_study(runs: Path) -> None:
    assert Library(runs / "study").names() == ["study"]
    assert len(Library(runs / "study").snapshot("study").data.runs) == 15


@pytest.mark.parametrize("text", ["", "{", '{"name": "study"}', "[]", "\0" * 99, "[" * 100_000, '{"name": 1e999}'])
def test_a_corrupt_study_json_is_no_study_until_it_is_whole(runs: Path, text: str) -> None:
    file, library = runs / "study" / "study.json", Library(runs)
    whole = file.read_text()
    file.write_text(text)
    assert library.names() == []
    with pytest.raises(UnknownStudy):
        library.snapshot("study")
    file.write_text(whole)
    assert library.names() == ["study"]


def bomb(path: Path) -> None:
    """A small file with 65 MB of zeros."""
    with open(path, "wb") as file:
        np.savez_compressed(file, val_right=np.zeros(65 * 2**20, dtype=np.uint8))


def crafted(path: Path) -> None:
    """Counts whose sum overflows to the number of bits."""
    counts = np.full((2, 2), 2**62, dtype=np.int64)
    bits, labels = np.zeros(0, dtype=np.uint8), np.array(1, dtype=np.uint32)
    np.savez(path, val_right=bits, val_confusion=counts, val_labels=labels)


def garbage(text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(text, encoding="latin-1")

    return write


HEAD = "epoch,train/loss,train/accuracy,train_eval/loss,train_eval/accuracy,val/loss,val/accuracy,generalization_gap\n"
CONTENTS: list[tuple[str, Callable[[Path], None]]] = [
    ("correct.npz", bomb), ("correct.npz", crafted), ("correct.npz", objects), ("correct.npz", garbage("PK")),
    ("metrics.csv", garbage("")), ("metrics.csv", garbage("\0\xff")), ("metrics.csv", garbage("epoch\n1\n")),
    ("metrics.csv", garbage(HEAD + "1,2,3,4,5,6,7,x\n")), ("metrics.csv", garbage(HEAD)),
    ("metrics.csv", garbage(HEAD + "1,2,3,4,5,6,7,8\n" * 2)), ("metrics.csv", garbage(HEAD + ",2,3,4,5,6,7,8\n")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "write"), CONTENTS)
def test_a_crafted_file_whose_checksum_fits_counts_as_corrupt(
    runs: Path, name: str, write: Callable[[Path], None]
) -> None:
    file = run(runs).folder / name
    write(file)
    vouch(run(runs))
    snapshot = Library(runs).snapshot("study")
    assert snapshot.data.corrupt == [file]
    assert {row["n"] for row in Tab(runs).every("study")["effects"] if row["variant"] == "better"} == {2}
    assert not Path("payload-ran").exists()
