"""How long runs of own training take: unknown until one has ended, then as the ended ones say."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from runner.execute import Job, Message, _durations
from runner.execute._durations import Durations
from runner.execute._progress import Progress
from runner.execute._schedule import own_costs
from runner.expand import Run
from runner.store import FINISHED, RunDir
from tests import commands
from tests.test_own_run import runs_of, study


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(_durations, "time", made)
    monkeypatch.setattr("runner.execute._progress.time", made)
    return made


def ends(durations: Durations, run: Run, seconds: float, clock: Clock) -> None:
    durations.begin(run)
    clock.now += seconds
    durations.end(run, seconds)


def test_a_run_takes_its_variants_median_else_its_studys(clock: Clock) -> None:
    baseline, trick, *_ = runs_of(study())
    durations = Durations()
    assert durations.expected(baseline) is None
    assert len(own_costs([baseline, trick], durations).unknown) == 2
    for seconds in (10.0, 90.0, 20.0):
        ends(durations, baseline, seconds, clock)
    assert durations.expected(baseline) == durations.expected(trick) == 20.0
    ends(durations, trick, 50.0, clock)
    assert (durations.expected(baseline), durations.expected(trick)) == (20.0, 50.0)
    costs = own_costs([baseline, trick], durations)
    assert not costs.unknown
    assert [costs.run(run) for run in (baseline, trick)] == [20.0, 50.0]


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_two_workers_end_when_their_pace_says(clock: Clock) -> None:
    runs = runs_of(study(variants={}, seeds=6, questions=[]))
    progress = Progress(runs, own_costs(runs, Durations()), Console(file=io.StringIO(), width=200))
    jobs = {run: Job((run,), Path()) for run in runs}
    for run in runs[:2]:
        progress.on_message(jobs[run], Message("began", run, {"epoch": 0.0}))
    clock.now += 10
    assert progress.time_left() is None
    progress.on_message(jobs[runs[1]], Message("logged", runs[1], {"step": 7.0, "val/loss": 0.25}))
    assert "step 7, 10 s, val/loss 0.25" in progress._now()
    for run in runs[:2]:
        progress.on_message(jobs[run], Message(FINISHED, run, {"val/f1": 0.5}, took=10.0))
    assert "val/f1 0.5  10 s  (about 20 s left)" in said(progress._console)
    for run in runs[2:4]:
        progress.on_message(jobs[run], Message("began", run, {"epoch": 0.0}))
    clock.now += 5
    assert progress.time_left() == 15.0
    assert "baseline, seed 2, 5 s of about 10 s" in progress._now()
    for run in runs[2:]:
        progress.on_message(jobs[run], Message(FINISHED, run, {"val/f1": 0.5}, before=True))
    assert progress.time_left() == 0.0


def test_the_last_run_takes_its_time_however_many_workers_there_were(clock: Clock) -> None:
    runs = runs_of(study(variants={}, seeds=5, questions=[]))
    progress = Progress(runs, own_costs(runs, Durations()), Console(file=io.StringIO(), width=200))
    for run in runs[:4]:
        progress.on_message(Job((run,), Path()), Message("began", run, {"epoch": 0.0}))
    clock.now += 10
    for run in runs[:4]:
        progress.on_message(Job((run,), Path()), Message(FINISHED, run, {"val/f1": 0.5}, took=10.0))
    assert progress.time_left() == 10.0


def test_finished_runs_of_earlier_commands_tell(tmp_path: Path) -> None:
    given = study(seeds=1, questions=[])
    alone = given | {"variants": {}}
    assert "1 of 1 run to do: unknown time" in commands.run(alone, tmp_path, name="own", dry_run=True)[1]
    commands.run(alone, tmp_path, name="own")
    (folder,) = tmp_path.glob("runs/own/*/seed0")
    took(folder, 600.0)
    _, text = commands.run(given, tmp_path, name="own", dry_run=True)
    assert "runs to do: about 10 min with" in text
    assert "MB" not in text


@pytest.mark.parametrize("changes", [{"resumed": True}, {"status": "failed"}, {"ended": None}])
def test_a_time_that_is_not_a_whole_runs_does_not_count(tmp_path: Path, changes: dict[str, Any]) -> None:
    given = study(seeds=1, questions=[], variants={})
    commands.run(given, tmp_path, name="own")
    (folder,) = tmp_path.glob("runs/own/*/seed0")
    durations = Durations()
    durations.read(tmp_path / "runs", runs_of(given), "cpu")
    assert durations.expected(runs_of(given)[0]) is not None
    known = RunDir(folder).run_json()
    assert known
    RunDir(folder).write_run_json(known.model_copy(update=changes))
    durations.read(tmp_path / "runs", runs_of(given), "cpu")
    assert durations.expected(runs_of(given)[0]) is None


def test_a_gpu_says_nothing_about_a_cpu(tmp_path: Path) -> None:
    given = study(seeds=1, questions=[], variants={})
    commands.run(given, tmp_path, name="own")
    durations = Durations()
    durations.read(tmp_path / "runs", runs_of(given), "cuda")
    assert durations.expected(runs_of(given)[0]) is None


def test_a_killed_and_resumed_run_says_that_it_was(tmp_path: Path) -> None:
    commands.run(study(seeds=1, variants={}, questions=[], baseline={"die_at": 2}), tmp_path, name="own")
    known = RunDir(next(tmp_path.glob("runs/own/*/seed0"))).run_json()
    assert known
    assert known.resumed


def took(folder: Path, seconds: float) -> None:
    """Writes into run.json that the run took so long."""
    known = RunDir(folder).run_json()
    assert known
    RunDir(folder).write_run_json(known.model_copy(update={"ended": known.started + seconds}))
