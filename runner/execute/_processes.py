"""Starts child processes, sets them up, and says how one ended.

Imported before torch, so that the server can start with the command.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

UNSAFE, UNSAFE_MARK = "PYTHONSAFEPATH", "runner"  # any text means: not the working directory
_GROUPS = {signal.Signals[name] for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)}  # the terminal's


def exit_reason(code: int | None) -> str:
    """Returns how a process ended. Some signals have no name, and Windows has no SIGKILL."""
    if code is None or code >= 0:
        return f"with exit status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:  # a real-time signal
        name = str(-code)
    return f"by signal {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


def context() -> Any:
    """Returns the context of multiprocessing that starts children.

    They are forked from a server that has imported everything and has no threads: a fork of this process could copy
    locks that torch's threads hold. Windows has no such server, so each child imports for itself.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver as server
    from multiprocessing import resource_tracker

    forkserver = multiprocessing.get_context("forkserver")
    forkserver.set_forkserver_preload(["runner.execute.preload"])
    # Ctrl-C and a closed terminal reach the whole group; the server and what it starts leave them to the runner.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _GROUPS)
    try:
        resource_tracker.ensure_running()  # its start unblocks SIGINT again
        signal.pthread_sigmask(signal.SIG_BLOCK, _GROUPS)
        with _same_places():
            server.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return forkserver


@contextmanager
def _same_places() -> Iterator[None]:
    """Keeps the server from importing modules in the working directory where this process looks elsewhere first.

    It would mistake your own runner.py for this package. Its own module `preload` undoes the change.
    """
    first = sys.path[0] if sys.path else None
    if first in ("", os.getcwd()) or UNSAFE in os.environ:  # noqa: PTH109 (a text, as the others are)
        yield
        return
    os.environ[UNSAFE] = UNSAFE_MARK
    try:
        yield
    finally:
        del os.environ[UNSAFE]


def start_server() -> None:
    """Starts the server that children are forked from. It imports while this process does other things."""
    context()


def settle_in() -> None:
    """Prepares a child process: it leaves Ctrl-C to the runner, dies with it, and computes on one thread."""
    import torch

    from runner.train import set_up_arithmetic

    for number in _GROUPS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _GROUPS)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the server that it comes from ignores it
    with suppress(OSError):  # where memory runs out, Linux ends this child before the runner (man 5 proc)
        Path("/proc/self/oom_score_adj").write_text("1000")
    threading.Thread(target=_die_with_parent, daemon=True).start()
    set_up_arithmetic()
    torch.optim.SGD([torch.zeros(1)])  # its first use imports for seconds: now, while there is no work yet


def _die_with_parent() -> None:
    """Ends this process when the runner ends, so that a killed runner leaves no workers behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
