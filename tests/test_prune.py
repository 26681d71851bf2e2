"""`prune` removes what it listed, in directories that the runner made, and nothing else."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from runner.execute import Request, execute
from runner.files import lock, read_json, write_json
from runner.prune import find_removable, remove
from runner.spec import RequestError
from runner.store import RunDir
from tests.commands import ROOT, numbers
from tests.conftest import BASE
from tests.searches import make
from tests.studies import edit

BASELINE: dict[str, Any] = BASE | {"epochs": 1}
NAME = "toy-digits"


def write_study(place: Path, **variants: Any) -> str:
    file = place / "ablations" / "toy.py"
    file.parent.mkdir(exist_ok=True)
    study = {"baseline": BASELINE, "variants": variants, "seeds": 1}
    file.write_text(f"STUDY = {study!r}\n")
    return str(file)


def train(place: Path, **variants: Any) -> None:
    execute(Request((write_study(place, **variants),), runs=place / "runs", workers=1), Console(quiet=True))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with the variant `old`, then edited: `new` instead."""
    place = tmp_path_factory.mktemp("made")
    train(place, old={"dropout": 0.1})
    train(place, new={"dropout": 0.2})
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of one's own, and outside of `runs` something dear."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    study = read_json(tmp_path / "runs" / NAME / "study.json")
    assert study
    write_json(tmp_path / "runs" / NAME / "study.json", study | {"file": "ablations/toy.py"})
    (tmp_path / "dear").mkdir()
    (tmp_path / "dear" / "best.pt").write_text("mine")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_of(place: Path, variant: str) -> Path:
    (found,) = place.glob(f"runs/*/{variant}-*/seed0")
    return found.relative_to(place)


def files() -> set[str]:
    """Every path here, the locks' files apart."""
    found = {str(path) for path in Path().rglob("*") if path.name != ".lock"}
    assert Path("dear/best.pt").read_text() == "mine"
    return found


def prune(**options: Any) -> tuple[list[Path], list[str]]:
    """What was listed, and what stays or is kept."""
    before, found = files(), find_removable(Path("runs"), **options)
    assert files() == before  # looking removes nothing
    listed = {str(path) for item in found.items for path in item.files}
    folders = {str(folder) for item in found.items if item.whole for folder in (item.folder, item.folder.parent)}
    stays = remove(found, Path("runs"))
    gone = before - files()
    assert gone <= listed | folders
    return [item.folder for item in found.items], found.notes + stays


def test_what_no_study_names_any_more_goes_and_everything_else_stays(place: Path) -> None:
    old = run_of(place, "old")
    kept = numbers(place)
    assert prune() == ([old, old.parent / "mean"], [])
    assert not old.parent.exists()
    kept.pop(f"{old.parent.name}/seed0")
    assert numbers(place) == kept
    assert len(kept) == 2
    assert prune() == ([], [])


def test_what_the_study_names_again_stays(place: Path) -> None:
    write_study(place, old={"dropout": 0.1}, new={"dropout": 0.2})  # edited back, not yet run
    assert prune() == ([], [])
    write_study(place, old={"dropout": 0.15})  # what the last command made is named by study.json
    old = run_of(place, "old")
    assert prune()[0] == [old, old.parent / "mean"]
    assert run_of(place, "new").is_dir()


def test_while_a_study_cannot_be_read_nothing_counts_as_unnamed(place: Path) -> None:
    Path("ablations/toy.py").write_text("STUDY = {")
    listed, notes = prune()
    assert listed == []
    assert "can't be read as a study" in notes[0]
    Path("ablations/toy.py").unlink()
    assert len(prune()[0]) == 2


def test_a_study_without_a_readable_record_is_left_alone(place: Path) -> None:
    Path("runs", NAME, "study.json").write_text("{")
    listed, notes = prune()
    assert listed == []
    assert "is kept" in notes[0]


def test_what_a_report_leaves_out_goes(place: Path) -> None:
    old, new = run_of(place, "old"), run_of(place, "new")
    shutil.rmtree(old.parent)
    edit(new, ended=1.0, code="before")
    assert prune() == ([new, new.parent / "mean"], [])
    edit(run_of(place, "baseline"), ended=1.0, code="before")  # all that there is: reports count it
    assert prune() == ([], [])


def test_what_a_search_leaves_out_goes_and_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes: dict[str, Any] = {"baseline": BASELINE, "space": {"lr": [1e-3, 1e-2, 0.02]}, "runs": 3, "fresh_seeds": 2}
    make(tmp_path, **changes)
    whole = numbers(tmp_path)
    monkeypatch.chdir(tmp_path)
    (path,) = Path().glob("runs/hunt-digits/0001-*/seed*")
    edit(path, ended=1.0, code="before")
    found = find_removable(Path("runs"), ["hunt-digits"])
    assert [item.folder for item in found.items] == [path]
    assert remove(found, Path("runs")) == []
    make(tmp_path, **changes)
    assert numbers(tmp_path) == whole


def test_what_is_not_the_runners_stays(place: Path) -> None:
    old, new = run_of(place, "old"), run_of(place, "new")
    (old / "notes.txt").write_text("mine")
    shutil.copytree(new, new.parent.with_name("copy-00000000") / "seed0")  # run.json says that this is not its place
    shutil.copytree(new, new.parent.with_name("backup"))
    Path("runs", NAME, "mine-1234").mkdir()
    Path("runs", NAME, "mine-1234", "seed0").mkdir()
    Path("runs", "others").mkdir()
    Path("runs", "others", ".x.tmp").write_text("mine")
    kept = {path for path in files() if not path.startswith(str(old.parent))}
    listed, notes = prune()
    assert listed == [old, old.parent / "mean"]
    assert notes == [f"{old} stays: the runner did not make notes.txt"]
    assert files() == kept | {str(old.parent), str(old), str(old / "notes.txt")}


def test_links_are_not_followed(place: Path) -> None:
    old = run_of(place, "old")
    target = place / "elsewhere" / NAME / old.parent.name / "seed0"
    target.parent.mkdir(parents=True)
    shutil.move(old, target)
    old.symlink_to(target)  # a run
    Path("runs", NAME, "x-1").symlink_to(target.parent)  # a variant
    Path("runs", "far").symlink_to(target.parents[1])  # a study
    shutil.copy("runs/toy-digits/study.json", target.parents[1])
    kept = files()
    assert prune()[0] == []
    assert files() == kept
    old.unlink()
    shutil.move(target, old)
    (old / "best.pt").unlink()
    (old / "best.pt").symlink_to(place / "dear" / "best.pt")  # a file: the link goes, not what it leads to
    prune()
    assert not old.exists()
    assert Path("dear/best.pt").read_text() == "mine"


def test_a_run_in_training_is_left_alone(place: Path) -> None:
    old = run_of(place, "old")
    with lock(old):
        listed, notes = prune()
        assert listed == []
        assert "in training" in notes[0]
    found = find_removable(Path("runs"))
    with lock(old):
        assert "in training" in remove(found, Path("runs"))[0]
    assert RunDir(old).status() == "finished"


def test_what_has_changed_since_it_was_listed_stays(place: Path) -> None:
    old, found = run_of(place, "old"), find_removable(Path("runs"))
    os.utime(old / "result.json")
    assert remove(found, Path("runs"))[0] == f"{old} stays: it has changed since it was listed"
    assert RunDir(old).status() == "finished"


def test_what_interrupted_writes_left_goes(place: Path) -> None:
    new = run_of(place, "new")
    left = [new / ".checkpoint.pt.123-abcdef.tmp", new.parents[1] / ".study.json.9-012345.tmp"]
    mine = [new / "results.tmp", new / ".mine.tmp", Path("runs") / ".x.1-012345.tmp"]
    for path in (*left, *mine):
        path.write_text("half")
    prune()
    assert [path for path in (*left, *mine) if path.exists()] == mine
    assert RunDir(new).status() == "finished"


def test_checkpoints_frees_weights_and_no_number(place: Path) -> None:
    new, baseline = run_of(place, "new"), run_of(place, "baseline")
    (baseline / "checkpoint.pt").write_text("a crash left it")
    (new / "result.json").unlink()  # unfinished: it goes on from its checkpoint
    (new / "checkpoint.pt").write_text("needed")
    before = numbers(place)
    listed, _ = prune(checkpoints=True)
    assert set(listed) == {baseline, run_of(place, "old")}
    assert not (baseline / "best.pt").exists()
    assert not (baseline / "checkpoint.pt").exists()
    assert (new / "checkpoint.pt").exists()
    assert numbers(place) == before
    assert RunDir(baseline).status() == "finished"


def test_a_wrong_name_is_answered(place: Path) -> None:
    with pytest.raises(RequestError, match="There are: toy-digits"):
        find_removable(Path("runs"), ["../dear"])
    assert find_removable(Path("runs"), [NAME]).items[0].folder == run_of(place, "old")


def command(*arguments: str, answer: str | None = None) -> str:
    """The command's output; with an answer it has a terminal."""
    line = [sys.executable, "-m", "runner", "prune", *arguments]
    ours, theirs = pty.openpty()
    if answer:
        os.write(ours, answer.encode())
    result = subprocess.run(
        line, stdin=theirs if answer else subprocess.DEVNULL, capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)
    return result.stdout


def test_nothing_goes_unless_told(place: Path) -> None:
    old = run_of(place, "old")
    output = command()
    assert "nothing was removed; --yes removes them" in output
    assert f"MB  {old}  (neither the study nor its last command names it)" in output
    assert "nothing was removed" in command(answer="n\n")
    assert old.is_dir()
    assert "removed" in command(answer="y\n")
    assert not old.exists()
    assert "weights, which evaluate and longer runs need" in command("--checkpoints", "--yes")
    assert not list(Path().glob("runs/*/*/*/best.pt"))
    assert "there is nothing to remove" in command("--yes")
