"""Runners that share a directory: real commands at once, stopped, continued and killed at chosen moments."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from runner.events import event_files
from runner.execute import Job, Message
from runner.execute._claims import ended_attempts
from runner.execute._job import train_job
from runner.execute._messages import Command
from runner.files import read_json, write_json
from runner.spec import Settings
from runner.store import RunDir, mean_tag, read_rows
from tests.commands import numbers, run, start, wait_for
from tests.conftest import BASE
from tests.studies import amend, vouch

STUDY: dict[str, Any] = {"baseline": BASE | {"epochs": 20}, "variants": {"b": {"dropout": 0.5}}, "seeds": 3}
BAD = Settings.model_validate(BASE | {"model": "tests.fakes:raising"})


def trained(output: str) -> list[str]:
    """The runs that this command trained itself."""
    return re.findall(r"\] (\S+  \S+  seed \d+)  (?!\(done already\))", output)


@pytest.mark.slow
def test_two_runners_share_the_work(tmp_path: Path) -> None:
    first = start(tmp_path, "--workers", "1", study=STUDY)
    wait_for(lambda: any(map(read_rows, tmp_path.glob("runs/*/*/seed*/metrics.csv"))), first)
    os.killpg(first.pid, signal.SIGSTOP)
    (held,) = {path.parent.name for path in tmp_path.glob("runs/*/*/seed*/run.json")}  # one job, of one seed
    second = start(tmp_path, "--workers", "1")
    wait_for(lambda: len(list(tmp_path.glob("runs/*/*/seed*/result.json"))) == 4, second)
    assert not list(tmp_path.glob(f"runs/*/*/{held}/result.json"))  # a live process has it
    os.killpg(first.pid, signal.SIGCONT)
    outputs = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0)
    assert "another runner is training some of these runs" in outputs[1]
    assert len(trained(outputs[1])) == 4
    together = trained(outputs[0]) + trained(outputs[1])
    assert len(together) == len(set(together)) == 6
    run(STUDY, tmp_path / "alone", workers=1)
    assert numbers(tmp_path) == numbers(tmp_path / "alone")
    for folder in tmp_path.glob("runs/*/*/mean"):
        (events,) = event_files(folder)
        board = EventAccumulator(str(events)).Reload()
        assert [point.step for point in board.Scalars(mean_tag("val/loss"))] == list(range(1, 21))


@pytest.mark.slow
def test_two_studies_at_once_share_one_root(tmp_path: Path) -> None:
    studies = {
        "one": STUDY | {"baseline": BASE | {"epochs": 2}, "seeds": 1},
        "two": {"baseline": BASE | {"epochs": 2}, "factors": {"lr": [0.002, 0.003]}, "seeds": 1},
    }
    processes = [start(tmp_path, "--workers", "1", **{name: study}) for name, study in studies.items()]
    for process in processes:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
    assert len([path for path in tmp_path.glob("runs/*/*/seed0") if RunDir(path).status() == "finished"]) == 5
    (events,) = event_files(tmp_path / "runs")
    metadata = EventAccumulator(str(events)).Reload().SummaryMetadata("_hparams_/experiment")
    content = plugin_data_pb2.HParamsPluginData.FromString(metadata.plugin_data.content)
    columns = {column.name: set(column.domain_discrete) for column in content.experiment.hparam_infos}
    assert len(columns["study"]) == 2
    assert len(columns["lr"]) == 3
    assert len(columns["dropout"]) == 2
    pages = [(tmp_path / "reports" / f"{name}-digits" / "summary.md").read_text() for name in studies]
    assert all(re.search(r"\| \*\*baseline\*\*†? \| 1 \|", page) for page in pages)
    assert all(f"[{name}-digits]" in (tmp_path / "reports" / "summary.md").read_text() for name in studies)


HOLD = """
import sys, time, pathlib, runner.files
held = runner.files.lock(pathlib.Path(sys.argv[1]))
held.acquire()
print(flush=True)
time.sleep(99)
"""


def test_the_lock_of_a_dead_process_is_taken_over(job: Job, command: Command) -> None:
    folder = command.runs / job.runs[0].folder
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE)
    assert holder.stdout
    holder.stdout.readline()
    assert kinds(job, command) == ["taken"]
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert kinds(job, command) == ["began", "epoch", "finished"]
    assert kinds(job, command) == ["finished"]  # and is not trained again


def test_what_failed_in_another_runners_hands_is_tried_again_by_the_next_command_alone(
    job: Job, command: Command
) -> None:
    bad = replace(job.runs[0], variant=replace(job.runs[0].variant, settings=BAD))
    failing = Job((bad,), job.data)
    assert kinds(failing, command) == ["failed"]
    messages: list[Message] = []
    train_job(failing, command, messages.append)
    assert [(message.kind, message.before) for message in messages] == [("failed", True)]
    assert "no such model today" in messages[0].cause
    messages.clear()
    train_job(failing, replace(command, ended=ended_attempts([bad], command.runs)), messages.append)
    assert [(message.kind, message.before) for message in messages] == [("failed", False)]


def test_two_that_retrain_make_each_run_anew_once(job: Job, command: Command) -> None:
    assert kinds(job, command)[-1] == "finished"
    again = replace(command, ended=ended_attempts(job.runs, command.runs), retrain=True)
    assert kinds(job, again) == ["began", "epoch", "finished"]
    assert kinds(job, again) == ["finished"]


def kinds(job: Job, command: Command) -> list[str]:
    messages: list[Message] = []
    train_job(job, command, messages.append)
    return [message.kind for message in messages]


def test_no_clock_decides_whether_a_run_ended_during_a_command(job: Job, command: Command) -> None:
    """Another machine's clock was an hour ahead."""
    assert kinds(job, command)[-1] == "finished"
    folder = RunDir(command.runs / job.runs[0].folder)
    for status, retrain in (("finished", True), ("failed", False)):
        amend(folder, status=status, ended=time.time() + 3600)
        if status == "failed":
            folder.forget()
        noted = replace(command, ended=ended_attempts(job.runs, command.runs), retrain=retrain)
        assert kinds(job, noted) == ["began", "epoch", "finished"]
        assert kinds(job, noted) == ["finished"]  # once


def test_an_attempt_keeps_its_id_to_its_end_and_the_next_has_another(job: Job, command: Command) -> None:
    folder = RunDir(command.runs / job.runs[0].folder)
    found: list[str] = []
    for retrain in (False, True):
        noted = replace(command, ended=ended_attempts(job.runs, command.runs), retrain=retrain)
        attempts: set[str] = set()

        def note(_: Message, seen: set[str] = attempts) -> None:
            known = folder.run_json()
            assert known
            seen.add(known.attempt)

        train_job(job, noted, note)
        found += attempts
    assert len(set(found)) == len(found) == 2


def test_a_run_of_an_older_version_has_its_times_as_its_id(job: Job, command: Command) -> None:
    assert kinds(job, command)[-1] == "finished"
    folder = RunDir(command.runs / job.runs[0].folder)
    content = read_json(folder.folder / "run.json")
    assert content
    del content["attempt"]
    write_json(folder.folder / "run.json", content)
    vouch(folder)
    noted = replace(command, ended=ended_attempts(job.runs, command.runs), retrain=True)
    assert noted.ended
    assert kinds(job, noted) == ["began", "epoch", "finished"]
