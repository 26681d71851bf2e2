"""Disks that fill up, directories that can't be written, data that go away: said, and nothing else is lost."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import pytest

from runner.__main__ import main
from runner.data import prepare
from runner.execute import Job, Message
from runner.execute._job import train_job
from runner.execute._local import LocalEngine
from runner.execute._messages import Command
from runner.execute._policy import Crew
from runner.execute.crew import NoWorkers
from runner.expand import Run, Variant
from runner.files import replace
from runner.publish import write_report
from runner.spec import Kind, Settings
from runner.store import RunDir, present_provenance
from tests.commands import numbers, run
from tests.conftest import BASE
from tests.problems import refused

STUDY: dict[str, Any] = {
    "baseline": BASE | {"epochs": 2},
    "variants": {"b": {"dropout": 0.5}, "wide": {"hidden": [3000, 300]}},  # whose weights need 4 MB
    "seeds": 1,
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)], check=False)
    except OSError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)


@pytest.mark.slow
def test_a_full_disk_fails_its_run_and_loses_nothing(disk: Path, tmp_path: Path) -> None:
    (disk / "ballast").write_bytes(bytes(1_500_000))
    outcome, text = run(STUDY, disk, workers=1)
    assert outcome.failed
    assert "No space left on device" in text
    assert "Traceback" not in text
    finished = {path.parent: path.stat().st_mtime_ns for path in disk.glob("runs/*/*/seed0/result.json")}
    assert all(RunDir(path).status() == "finished" for path in finished)
    remount(disk, "size=64m")
    outcome, _ = run(STUDY, disk, workers=1)
    assert outcome.failed == 0
    assert {path: (path / "result.json").stat().st_mtime_ns for path in finished} == finished  # not trained again
    run(STUDY, tmp_path / "elsewhere", workers=1)
    assert numbers(disk) == numbers(tmp_path / "elsewhere")


def test_the_runs_beside_one_that_fills_the_disk_finish_with_the_same_numbers(disk: Path, tmp_path: Path) -> None:
    outcome, text = run(STUDY, disk, workers=1)
    assert outcome.failed == 1, text
    run(STUDY, tmp_path / "elsewhere", workers=1)
    whole = numbers(tmp_path / "elsewhere")
    found = {name: values for name, values in numbers(disk).items() if values[0]}
    assert set(whole) - set(found) == {name for name in whole if name.startswith("wide-")}
    assert found == {name: whole[name] for name in found}
    write_report(disk / "runs" / "study-digits", tmp_path / "reports" / "study-digits")
    page = (tmp_path / "reports" / "study-digits" / "summary.md").read_text()
    assert "1 failed" in page


def test_a_directory_that_cannot_be_written_is_refused_before_anything_is_trained(disk: Path) -> None:
    remount(disk, "ro")
    with refused(Kind.PATH, str(disk)):
        run(STUDY, disk)
    assert not list(disk.iterdir())


@pytest.mark.parametrize("room", [0, 4, 8, 16, 32])
def test_a_disk_that_is_full_from_the_start_ends_in_words(
    disk: Path, tmp_path: Path, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command's own files: study.json, the columns, the report; with so many kB free."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ablations").mkdir()
    (tmp_path / "ablations" / "toy.py").write_text(f"STUDY = {STUDY | {'variants': {}}!r}")
    fill(disk, room)
    said = io.StringIO()
    places = ["--runs", str(disk / "runs"), "--reports", str(disk / "reports")]
    with redirect_stdout(said), redirect_stderr(said), pytest.raises(SystemExit) as caught:
        main(["run", "toy", "--workers", "1", *places])
    assert caught.value.code in (1, 2), said.getvalue()
    assert "No space left on device" in said.getvalue()
    assert "Traceback" not in said.getvalue()


def fill(disk: Path, room: int) -> None:
    """Leaves so many kB."""
    (disk / "room").write_bytes(bytes(room * 1024))
    with suppress(OSError), open(disk / "ballast", "wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    (disk / "room").unlink()


@pytest.mark.slow
def test_fail_fast_stops_at_the_first_failure_and_the_next_command_does_the_rest(tmp_path: Path) -> None:
    bad = {"bad": {"model": "tests.fakes:failing"}}
    study = {"baseline": BASE | {"epochs": 200}, "variants": bad, "seeds": 1}
    outcome, text = run(study, tmp_path, workers=1, fail_fast=True)
    assert outcome.failed == 1
    assert "stopped at the first failure, because of --fail-fast" in text
    (baseline,) = tmp_path.glob("runs/*/baseline-*/seed0")
    assert RunDir(baseline).status() != "finished"
    outcome, _ = run(study | {"variants": {}}, tmp_path, workers=1)
    assert outcome.failed == 0


class _Deadly:
    """A worker that is handed this dies before it is ready."""

    def __reduce__(self) -> Any:
        return os._exit, (9,)


def test_workers_that_die_at_once_are_not_tried_for_ever(job: Job) -> None:
    messages: list[Message] = []
    deadly: Any = _Deadly()
    with pytest.raises(NoWorkers, match="exit status 9"), Crew(LocalEngine(deadly), 1) as crew:
        crew.train([job], lambda _, message: messages.append(message))
    assert messages == []  # no run's doing


@pytest.fixture
def job(cache: Path, tmp_path: Path) -> Job:
    """Two runs, their data in a cache of their own."""
    variants = [
        Variant(name, Settings.model_validate(BASE | each), each) for name, each in (("a", {}), ("b", {"lr": 0.1}))
    ]
    data = Path(shutil.copytree(prepare(variants[0].ours, Path("data"), cache), tmp_path / "cache"))
    return Job(tuple(Run("study-digits", variant, 0) for variant in variants), data)


def train(job: Job, tmp_path: Path, vanish_at: int | None = None) -> list[Message]:
    messages: list[Message] = []

    def send(message: Message) -> None:
        messages.append(message)
        if message.metrics.get("epoch") == vanish_at:
            shutil.rmtree(job.data, ignore_errors=True)

    train_job(job, Command(tmp_path / "runs", "cpu", present_provenance("cpu")), send)
    return messages


def test_data_that_vanish_before_training_fail_their_runs_in_words(job: Job, tmp_path: Path) -> None:
    shutil.rmtree(job.data)
    messages = train(job, tmp_path)
    assert [message.kind for message in messages] == ["failed", "failed"]
    assert all("the data can't be read any more: FileNotFoundError" in message.cause for message in messages)
    for one in job.runs:
        directory = RunDir(tmp_path / "runs" / one.folder)
        assert directory.status() == "failed"
        assert (directory.folder / "traceback.txt").exists()


def test_data_that_vanish_while_it_trains_are_still_mapped(job: Job, tmp_path: Path) -> None:
    messages = train(job, tmp_path, vanish_at=1)
    assert [message.kind for message in messages].count("finished") == 2
    assert not job.data.exists()


def test_the_next_command_makes_the_cache_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    study = STUDY | {"variants": {}}
    run(study, tmp_path)
    for path in Path("data/cache").glob("*/train.npy"):
        path.write_bytes(path.read_bytes()[:1000])
    outcome, _ = run(study, tmp_path, retrain=True)
    assert outcome.failed == 0


def test_a_full_disks_error_names_the_file(tmp_path: Path) -> None:
    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"No space left on device: '.*page\.md'"):
        replace(tmp_path / "page.md", full)
    assert list(tmp_path.iterdir()) == []
