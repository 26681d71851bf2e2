"""Handles signals that ask a command to stop: Ctrl-C, a cluster's notice, a closed terminal."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

STATUS = 130  # exit status of a command that was asked to stop


class Stop:
    """Turns each signal into a KeyboardInterrupt and sets `asked`, because libraries may replace the interrupt.

    Until `begin` is called, a signal ends the process at once. Nothing needs a clean end yet, and an interrupt can
    break an import.
    """

    def __init__(self) -> None:
        self.asked = False
        self.working = False

    def listen(self) -> None:
        """Starts to handle signals. Call it first in a process."""
        atexit.register(self._leave)  # Python calls first what was registered last
        self._handle()

    def _handle(self) -> None:
        """Handles each signal, except those ignored at the start (nohup, background jobs of a shell)."""
        for number in _signals():
            if signal.getsignal(number) is not signal.SIG_IGN or number == signal.SIGTERM:
                signal.signal(number, self._on_signal)

    def begin(self) -> None:
        """Raises KeyboardInterrupt on signals from now on."""
        self.asked, self.working = False, True
        self._handle()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """While it is open, a signal ends the process at once. Torch's import aborts on an interrupt in its C++."""
        before, self.working = self.working, False
        try:
            yield
        finally:
            self.working = before

    def _leave(self) -> None:
        if self.asked:  # otherwise an interrupt within a library's import ends Python by a signal
            os._exit(STATUS)

    def _on_signal(self, *_: Any) -> None:
        if not self.working:
            os._exit(STATUS)
        self.asked = True
        sys.unraisablehook = lambda _: None  # prints nothing about an interrupt in a callback
        raise KeyboardInterrupt

    def end(self, text: str) -> None:
        """Prints the last message, ignores further signals, and ends child processes; a closed terminal is fine."""
        for number in _signals():
            signal.signal(number, signal.SIG_IGN)
        if "multiprocessing" in sys.modules:
            for child in sys.modules["multiprocessing"].active_children():
                child.kill()  # Python would wait for a child whose start was interrupted
        try:
            print(text, flush=True)
        except OSError:
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                for stream in (sys.stdout, sys.stderr):
                    os.dup2(nowhere, stream.fileno())


STOP = Stop()  # of this process


def _signals() -> list[signal.Signals]:
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    return [signal.Signals[name] for name in names if hasattr(signal, name)]
