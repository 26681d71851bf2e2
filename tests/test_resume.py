"""Whatever a run was stopped by and whatever became of its files, it ends in the same bits."""

from __future__ import annotations

import errno
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from benchmarks.soak import unsafe_seconds
from runner import checkpoints
from runner.data import Stream, prepare
from runner.events import event_files
from runner.execute import Job, Message
from runner.execute import _training as training
from runner.execute._job import train_job
from runner.execute._messages import Command
from runner.execute._record import record_failure
from runner.execute._training import TrainingRun
from runner.expand import Run, Variant
from runner.files import lock
from runner.logs import RunLog
from runner.spec import Settings
from runner.store import RunDir, present_provenance, result_tag
from runner.train import Interrupted, Learner
from tests.commands import ROOT, event_steps, numbers
from tests.conftest import BASE
from tests.studies import amend

EPOCHS = 4
CHANGES: dict[str, dict[str, Any]] = {  # everything that has a state to be kept
    "baseline": {},
    "both": {"batch_norm": True, "dropout": 0.5, "loss": "tests.recipes:jittered"},
    "average": {"weight_average": 0.9, "schedule": "one_cycle"},
    "momentum": {"optimizer": "SGD", "optimizer_args": {"momentum": 0.9}, "schedule": "cosine"},
    "recipe": {
        "optimizer": "AdamW", "weight_decay": 0.1, "label_smoothing": 0.1, "mixup": 0.4, "monitor": "val/f1",
        "schedule": "plateau", "schedule_args": {"patience": 0, "threshold": 0.5}, "warmup": 1,
    },
}  # fmt: skip
Spoil = Callable[[Path], object]


def job_of(cache: Path, epochs: int) -> Job:
    base = BASE | {"epochs": epochs, "augment": ["HorizontalFlip"]}
    variants = [Variant(name, Settings.model_validate(base | each), each) for name, each in CHANGES.items()]
    data = prepare(variants[0].ours, Path("data"), cache)
    return Job(tuple(Run("study-digits", variant, 0) for variant in variants), data)


def command_in(folder: Path) -> Command:
    """A command that begins now."""
    ended = {RunDir(path).ended_attempt() for path in folder.glob("runs/*/*/seed*")} - {None}
    return Command(folder / "runs", "cpu", present_provenance("cpu"), frozenset(map(str, ended)))


def steps_once(folder: Path, epochs: int) -> None:
    """Both of TensorBoard's readers find every epoch once, in its order, and one end, in every run's event files."""
    for run in folder.glob("runs/*/*/seed*"):
        steps = list(range(1, epochs + 1))
        assert event_steps(run) == (steps, steps), run
        assert len(EventAccumulator(str(run)).Reload().Scalars(result_tag("test/loss"))) == 1


class _Crash(BaseException):
    """As a kill would: nothing is tidied up."""


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    torch.set_num_threads(1)  # before the runs of this module's fixtures
    return job_of(tmp_path_factory.mktemp("data"), EPOCHS)


@pytest.fixture(scope="module")
def whole(job: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs, finished without a disturbance."""
    folder = tmp_path_factory.mktemp("whole")
    train_job(job, command_in(folder), lambda _: None)
    steps_once(folder, EPOCHS)
    return folder


@pytest.fixture(scope="module")
def cut(job: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs, cut off in epoch 4: a checkpoint of epoch 2, events and rows of epoch 3."""
    folder = tmp_path_factory.mktemp("cut")
    patch = pytest.MonkeyPatch()
    patch.setattr(training, "CHECKPOINT_SECONDS", 0)

    def send(message: Message) -> None:
        if message.metrics.get("epoch") == 3:
            patch.setattr(training, "CHECKPOINT_SECONDS", 999)
        if message.metrics.get("epoch") == 3 and message.run == job.runs[-1]:
            raise _Crash

    with pytest.raises(_Crash):
        train_job(job, command_in(folder), send)
    patch.undo()
    return folder


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGE: dict[str, Spoil] = {
    "halved": halve,
    "garbage": lambda path: path.write_bytes(random.Random(0).randbytes(path.stat().st_size)),
    "a stranger's": lambda path: path.write_text('{"metrics": {"val": [[[]]]}, "status": "finished", "seed": "x"}'),
    "removed": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_finished_runs_with_a_corrupt_file_are_retrained(whole: Path, job: Job, tmp_path: Path, damage: str) -> None:
    """Each run another file."""
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    names = ["run.json", "metrics.csv", "best.pt", "predictions.npz", "result.json"]
    corrupt = set()
    for name, run in zip(names, job.runs, strict=True):
        folder = tmp_path / "runs" / run.folder
        DAMAGE[damage](folder / name)
        if (name, damage) != ("best.pt", "removed"):  # as `prune` leaves it
            corrupt.add(run)
            assert RunDir(folder).status() != "finished"
    messages: list[Message] = []
    train_job(job, command_in(tmp_path), messages.append)
    assert {message.run for message in messages if not message.before} == corrupt
    assert numbers(tmp_path) == numbers(whole)
    steps_once(tmp_path, EPOCHS)


@pytest.mark.parametrize("damage", ["none", *DAMAGE])
def test_unfinished_runs_with_a_corrupt_file_end_in_the_same_bits(
    cut: Path, whole: Path, job: Job, tmp_path: Path, damage: str
) -> None:
    shutil.copytree(cut, tmp_path, dirs_exist_ok=True)
    began: dict[str, float] = {}
    for name, run in zip(["run.json", "metrics.csv", "checkpoint.pt", "events"], job.runs, strict=False):
        folder = tmp_path / "runs" / run.folder
        for path in event_files(folder) if name == "events" else [folder / name]:
            DAMAGE.get(damage, Path)(path)

    def send(message: Message) -> None:
        if message.kind == "began":
            began[message.run.variant.name] = message.metrics["epoch"]

    train_job(job, command_in(tmp_path), send)
    assert began == dict.fromkeys(CHANGES, 2) | ({} if damage == "none" else {"average": 0})
    assert numbers(tmp_path) == numbers(whole)
    steps_once(tmp_path, EPOCHS)


@hypothesis_settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_flipped_bit_of_any_file_goes_unnoticed(cut: Path, whole: Path, job: Job, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["checkpoint.pt", "result.json", "run.json", "metrics.csv", "predictions.npz"]))
    folder = (cut if name == "checkpoint.pt" else whole) / "runs" / job.runs[2].folder
    directory, path = RunDir(folder), folder / name
    good = path.read_bytes()
    before = checkpoints.load(directory.checkpoint), directory.result()
    bad = bytearray(good)
    bad[data.draw(st.integers(0, len(bad) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        path.write_bytes(bad)
        if name == "checkpoint.pt":
            found = checkpoints.load(directory.checkpoint)
            assert found is None or same(found, before[0])  # a bit of the zip's own bookkeeping
        else:
            assert directory.status() != "finished" or directory.result() == before[1]
            assert name == "result.json" or directory.status() != "finished"
    finally:
        path.write_bytes(good)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def test_another_runs_checkpoint_is_not_gone_on_with(cut: Path, whole: Path, job: Job, tmp_path: Path) -> None:
    shutil.copytree(cut, tmp_path, dirs_exist_ok=True)
    folders = [tmp_path / "runs" / run.folder for run in job.runs]
    (folders[1] / "checkpoint.pt").write_bytes((folders[2] / "checkpoint.pt").read_bytes())
    torch.save({"learner": {}, "provenance": 3, "rows": "x"}, folders[2] / "checkpoint.pt")
    (folders[4] / "checkpoint.pt").write_bytes((folders[0] / "checkpoint.pt").read_bytes())  # of the same shapes
    train_job(job, command_in(tmp_path), lambda _: None)
    assert numbers(tmp_path) == numbers(whole)


@pytest.mark.parametrize("status", ["finished", "failed"])
def test_a_copy_of_another_run_does_not_count(whole: Path, job: Job, tmp_path: Path, status: str) -> None:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    copy, of = (RunDir(tmp_path / "runs" / run.folder) for run in (job.runs[0], job.runs[4]))
    command = command_in(tmp_path)
    if status == "failed":  # while this command is at work
        amend(of, status="failed", attempt="another runner's")
        of.forget()
    shutil.rmtree(copy.folder)
    shutil.copytree(of.folder, copy.folder)
    assert copy.misplaced()
    messages: list[Message] = []
    train_job(job, command, messages.append)
    assert [m.run for m in messages if m.kind == "finished" and not m.before] == [job.runs[0]]
    assert not copy.misplaced()
    assert numbers(tmp_path)["/".join(copy.folder.parts[-2:])] == numbers(whole)["/".join(copy.folder.parts[-2:])]


def test_a_failure_recorded_over_a_copy_is_of_the_run_whose_place_it_is(job: Job, tmp_path: Path) -> None:
    of, copy = (RunDir(tmp_path / "runs" / run.folder) for run in job.runs[:2])
    record_failure(job.runs[0], command_in(tmp_path), "one")
    shutil.copytree(of.folder, copy.folder)
    record_failure(job.runs[1], command_in(tmp_path), "other")
    assert not copy.misplaced()


OWN = {"its own": ZeroDivisionError("mine"), "no number": RuntimeError("the loss is no number")}
MACHINES = {
    "disk": OSError(errno.ENOSPC, "No space left on device"),
    "memory": MemoryError(),
    "GPU": torch.OutOfMemoryError("CUDA out of memory"),
    "torch's memory": RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
}
PLACES = {"step": (Learner, "step"), "restore": (Learner, "restore"), "read": (Path, "read_bytes")}


@pytest.mark.parametrize(
    ("where", "what"),
    [("step", what) for what in (*OWN, *MACHINES)]
    + [(where, what) for where in ("restore", "read") for what in MACHINES]
    + [("stream", "its own")],
)
def test_a_failure_that_is_not_the_runs_own_keeps_its_checkpoint(
    cut: Path, whole: Path, job: Job, tmp_path: Path, where: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(cut, tmp_path, dirs_exist_ok=True)
    messages: list[Message] = []

    def fail(*_: Any) -> None:
        raise (OWN | MACHINES)[what]

    with monkeypatch.context() as patch:
        patch.setattr(*(PLACES | {"stream": (Stream, "train")})[where], fail)
        train_job(job, command_in(tmp_path), messages.append)
    assert [m.run for m in messages if m.kind == "failed"] == list(job.runs)
    assert {RunDir(tmp_path / "runs" / run.folder).status() for run in job.runs} == {"failed"}
    messages.clear()
    train_job(job, command_in(tmp_path), messages.append)
    goes_on_from = 0 if where == "step" and what in OWN else 2
    assert {m.metrics["epoch"] for m in messages if m.kind == "began"} == {goes_on_from}
    assert numbers(tmp_path) == numbers(whole)
    steps_once(tmp_path, EPOCHS)


class _Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize("error", [ValueError("half a pair: \udc80"), _Mute()], ids=["half a pair", "mute"])
def test_a_failure_that_cannot_be_said_is_recorded(
    job: Job, tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise error

    def no_log(*_: Any) -> None:
        raise ValueError("TensorBoard can't take it")

    monkeypatch.setattr(Learner, "step", fail)
    monkeypatch.setattr(RunLog, "fail", no_log)
    messages: list[Message] = []
    train_job(job, command_in(tmp_path), messages.append)
    failed = [m for m in messages if m.kind == "failed"]
    assert [m.run for m in failed] == list(job.runs)
    for message in failed:
        directory = RunDir(tmp_path / "runs" / message.run.folder)
        assert message.cause.startswith(type(error).__name__)
        assert "TensorBoard can't take it" in message.cause
        assert directory.status() == "failed"
        assert type(error).__name__ in (directory.folder / "traceback.txt").read_text(encoding="utf-8")


def test_a_stop_has_at_most_four_checkpoints_in_memory(
    cut: Path, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(cut, tmp_path, dirs_exist_ok=True)
    now, most, guard = 0, 0, threading.Lock()

    def slow(_: TrainingRun) -> None:
        nonlocal now, most
        with guard:
            now, most = now + 1, max(most, now + 1)
        time.sleep(0.2)
        with guard:
            now -= 1

    monkeypatch.setattr(TrainingRun, "interrupted", slow)
    with pytest.raises(Interrupted):
        train_job(job, command_in(tmp_path), lambda _: None, lambda: True)
    assert most == 4 < len(job.runs)


@pytest.mark.parametrize("trouble", [None, OSError(errno.ENOSPC, "full"), MemoryError()], ids=["", "disk", "memory"])
def test_a_searchs_run_that_is_told_to_stop_while_it_asks_has_not_failed(
    cut: Path, whole: Path, job: Job, tmp_path: Path, trouble: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(cut, tmp_path, dirs_exist_ok=True)

    def ask(message: Message) -> None:
        if message.kind == "epoch":
            raise Interrupted

    def no_room(*_: Any) -> None:
        assert trouble
        raise trouble

    with monkeypatch.context() as patch:
        if trouble:
            patch.setattr(checkpoints, "save", no_room)
        with pytest.raises(Interrupted):
            train_job(job, command_in(tmp_path), ask)
    assert {RunDir(tmp_path / "runs" / run.folder).status() for run in job.runs} == {"started"}
    train_job(job, command_in(tmp_path), lambda _: None)
    assert numbers(tmp_path) == numbers(whole)


def test_what_a_killed_process_left_half_written_is_swept_up(cut: Path, job: Job, tmp_path: Path) -> None:
    shutil.copytree(cut, tmp_path, dirs_exist_ok=True)
    folder = tmp_path / "runs" / job.runs[0].folder
    (folder / ".checkpoint.pt.123-abc.tmp").write_bytes(b"half")
    train_job(job, command_in(tmp_path), lambda _: None)
    assert not list(folder.glob("*.tmp"))
    assert not list(folder.glob(".*.tmp"))


def _train(job: Job, command: Command) -> None:
    """A worker's work, with a checkpoint at every epoch."""
    torch.set_num_threads(1)
    training.CHECKPOINT_SECONDS = 0
    train_job(job, command, lambda _: None)


@pytest.mark.slow
def test_law_1_killed_at_random_moments_it_ends_in_the_same_bits(cache: Path, tmp_path: Path) -> None:
    every = job_of(cache, epochs=15)
    job = Job(every.runs[:3], every.data)
    train_job(job, command_in(tmp_path / "whole"), lambda _: None)
    context = multiprocessing.get_context("forkserver")  # children that have their imports behind them
    context.set_forkserver_preload(["runner.execute._job"])
    moments, kills = random.Random(7), 0
    seen: dict[Path, int] = {}
    while True:
        process = context.Process(target=_train, args=(job, command_in(tmp_path)))
        process.start()
        process.join(moments.uniform(0.1, 1.2) if kills < 10 else 100)
        if process.exitcode is not None:
            break
        process.kill()
        process.join()
        kills += 1
        now = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/*/seed0/result.json")}
        assert seen.items() <= now.items()  # what was finished is finished
        seen = now
    assert process.exitcode == 0
    assert kills > 2
    assert numbers(tmp_path) == numbers(tmp_path / "whole")
    steps_once(tmp_path, 15)


@pytest.mark.slow
def test_the_short_soak_loses_nothing() -> None:
    command = [sys.executable, "-m", "benchmarks.soak", "--kills", "3", "--longest", "3", "--seed", "1"]
    small = ["--epochs", "20", "--seeds", "1", "--workers", "1"]
    result = subprocess.run([*command, *small], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    for words in ("random moments | 3:", "finished runs that were retrained | 0", "a number that differs | 0"):
        assert words in result.stdout


def test_the_soak_counts_what_a_kill_would_take(cut: Path, whole: Path, tmp_path: Path) -> None:
    shutil.copytree(cut / "runs", tmp_path / "runs")
    for folder in tmp_path.glob("runs/*/*/seed*"):
        for name, moment in ("run.json", 100), ("checkpoint.pt", 120), ("metrics.csv", 127):
            os.utime(folder / name, (moment, moment))
        assert unsafe_seconds(folder, 90) == 0  # nobody trains it
        with lock(folder):
            assert unsafe_seconds(folder, 90) == 7  # the epochs since the checkpoint
            assert unsafe_seconds(folder, 130) == 0  # those were lost at an earlier kill
            os.utime(folder / "run.json", (140, 140))
            assert unsafe_seconds(folder, 130) == 0  # it has begun and waits for its cohort
            (folder / "checkpoint.pt").unlink()
            os.utime(folder / "metrics.csv", (150, 150))
            assert unsafe_seconds(folder, 130) == 10
    shutil.copytree(whole / "runs", tmp_path / "whole")
    for folder in tmp_path.glob("whole/*/*/seed*"):
        for name, moment in ("metrics.csv", 127), ("run.json", 128):  # in which order they are written at its end
            os.utime(folder / name, (moment, moment))
        with lock(folder):
            assert unsafe_seconds(folder, 90) == 0  # it has finished
