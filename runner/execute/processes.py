"""How child processes are started. Light: imported before torch, so that the server can start with the command."""

from __future__ import annotations

import multiprocessing
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

_PRELOADED = ["runner.execute.preload"]


def context() -> Any:
    """Workers are forked from a server that has imported everything and has no threads; a fork of this
    process would copy torch's threads in mid-air. Windows has no such server: there each imports anew."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    forkserver = multiprocessing.get_context("forkserver")
    forkserver.set_forkserver_preload(_PRELOADED)
    return forkserver


def start_server() -> None:
    """Starts the server that workers are forked from; it imports while this process does other things."""
    if "forkserver" in multiprocessing.get_all_start_methods():
        from multiprocessing.forkserver import ensure_running

        context()
        ensure_running()


def first_to_go() -> None:
    """Where memory runs out, Linux ends this child before the runner (man 5 proc, oom_score_adj)."""
    with suppress(OSError):  # another system
        Path("/proc/self/oom_score_adj").write_text("1000")


def how(code: int | None) -> str:
    """How a process ended, in words. Some signals have no name, and Windows has no SIGKILL."""
    if code is None or code >= 0:
        return f"with exit status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:  # a real-time signal
        name = str(-code)
    return f"by signal {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
