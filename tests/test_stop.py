"""Signals that ask a command to stop, at every moment of its life."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.store import RunDir, read_rows
from tests.commands import ROOT, numbers, run, start, wait_for
from tests.conftest import BASE

STUDY = {"baseline": BASE | {"epochs": 60}, "seeds": 1}


def training(place: Path) -> bool:
    return any(len(read_rows(path)) > 3 for path in place.glob("runs/*/*/seed0/metrics.csv"))


@pytest.mark.slow
def test_a_closed_terminal_stops_as_cleanly_as_ctrl_c(tmp_path: Path) -> None:
    process = start(tmp_path, "--workers", "1", study=STUDY)
    wait_for(lambda: training(tmp_path), process)
    assert process.stdout
    process.stdout.close()  # nobody listens any more
    os.killpg(process.pid, signal.SIGHUP)
    assert process.wait(timeout=60) == 130
    (folder,) = tmp_path.glob("runs/*/*/seed0")
    assert RunDir(folder).status() == "started"
    assert (folder / "checkpoint.pt").exists()
    run(STUDY, tmp_path, workers=1)
    run(STUDY, tmp_path / "whole", workers=1)
    assert numbers(tmp_path) == numbers(tmp_path / "whole")


@pytest.mark.slow
def test_what_nohup_started_stays_when_the_terminal_closes(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = start(tmp_path, "--workers", "1", study=STUDY)
    finally:
        signal.signal(signal.SIGHUP, before)
    wait_for(lambda: training(tmp_path), process)
    os.killpg(process.pid, signal.SIGHUP)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.1, 0.4, 1, 2, 3])
def test_ctrl_c_twice_during_the_start_is_an_end_without_a_traceback(tmp_path: Path, seconds: float) -> None:
    process = start(tmp_path, "--workers", "2", study=STUDY)
    time.sleep(seconds)
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.1)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in output
    assert "Exception" not in output


def test_an_interrupt_that_a_library_swallows_still_ends_the_command(tmp_path: Path) -> None:
    """As numpy's import does: it makes an ImportError of it."""
    code = """
import os, signal, sys
from runner import __main__ as commands
def swallowing(*_):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        raise ImportError("no numpy")
commands.app = swallowing
commands.main()
"""
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (130, "")


def test_the_server_of_the_workers_leaves_the_terminals_signals_to_the_runner(tmp_path: Path) -> None:
    """From its first moment: while it imports, Python would show a traceback of each."""
    code = """
from runner.execute._processes import context
from multiprocessing import forkserver, resource_tracker
context()
for pid in (forkserver._forkserver._forkserver_pid, resource_tracker._resource_tracker._pid):
    lines = open(f"/proc/{pid}/status").read().splitlines()
    print(*(line.split()[1] for line in lines if line.startswith(("SigBlk", "SigIgn"))))
"""
    if not Path("/proc/self/status").exists():
        pytest.skip("there is no /proc here")
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    server, tracker = (int(line.split()[0], 16) | int(line.split()[1], 16) for line in result.stdout.splitlines())
    for number in (signal.SIGINT, signal.SIGHUP):
        assert server >> (number - 1) & 1
    assert tracker >> (signal.SIGHUP - 1) & 1
