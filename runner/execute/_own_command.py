"""Runs a study's own command: without a shell, killed as a group."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from runner.execute._own_attempts import left_metrics
from runner.execute._own_scalars import event_files_below
from runner.execute._placeholders import filled
from runner.spec import OwnTraining
from runner.train import Interrupted

_LOOK_SECONDS = 0.2  # between two looks whether the command has ended or must stop
_STOP_SECONDS = 8.0  # from SIGTERM to SIGKILL
_SHOWN = 2000  # characters of the output's end in a failure's cause


class CommandFailed(Exception):
    """A command exited with another status than 0, or took too long."""


def run_command(
    training: OwnTraining, settings: Mapping[str, Any], seed: int, folder: Path, stop: Callable[[], bool]
) -> Iterator[tuple[int, dict[str, float]]]:
    """Runs the command to its end, and yields the scalars that it has left below `folder`, step by step.

    Its output goes to output.txt in the run's directory. Raises CommandFailed, or Interrupted once `stop` returns True.
    """
    words = filled(training.command, {**settings, "seed": seed, "folder": folder.absolute()})
    output, before = folder.parent / "output.txt", event_files_below(folder)
    with open(output, "ab") as file:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 (it only calls prctl)
        )  # fmt: skip
        try:
            _await(process, training.time_limit, stop)
        finally:
            _kill(process)
    if process.returncode:
        raise CommandFailed(f"{words[0]} ended with exit status {process.returncode}; its output ends: {_end(output)}")
    found = left_metrics(folder, training.metrics, before)
    for step in sorted(found):
        yield step, found[step]


def _await(process: subprocess.Popen[bytes], limit: float | None, stop: Callable[[], bool]) -> None:
    began = time.monotonic()
    while process.poll() is None:
        if stop():
            _signal(process, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
            raise Interrupted
        if limit and time.monotonic() - began > limit:
            raise CommandFailed(f"the command took longer than its time_limit of {limit:g} s, so it was stopped")
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LOOK_SECONDS)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends the command and what it has started."""
    if hasattr(signal, "SIGKILL"):
        _signal(process, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number) if hasattr(os, "killpg") else process.send_signal(number)


def _die_with_parent() -> None:
    """Lets Linux end the command when its worker is killed (prctl(2), PR_SET_PDEATHSIG)."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _end(output: Path) -> str:
    text = output.read_text(encoding="utf-8", errors="replace").strip()
    return text[-_SHOWN:] or "(it printed nothing)"
