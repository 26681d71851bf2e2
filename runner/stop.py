"""Signals that ask a command to stop: Ctrl-C, a cluster's notice, a closed terminal."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from contextlib import suppress
from typing import Any

STATUS = 130  # exit status of a command that was asked to stop


class Stop:
    """Turns each signal into a KeyboardInterrupt, and remembers it: libraries may turn that into another error.

    Until `working`, there is nothing to end cleanly, and imports are no place for an interrupt: the process ends.
    """

    def __init__(self) -> None:
        self.asked = False
        self.working = False

    def listen(self) -> None:
        """From a process's beginning on."""
        atexit.register(self._leave)  # the first to register is the last to be called
        self._handle()

    def _handle(self) -> None:
        """What is ignored at the start stays ignored: nohup, a shell's background jobs."""
        for number in _signals():
            if signal.getsignal(number) is not signal.SIG_IGN or number == signal.SIGTERM:
                signal.signal(number, self._on_signal)

    def begin(self) -> None:
        """From now on there is something to end cleanly."""
        self.asked, self.working = False, True
        self._handle()

    def _leave(self) -> None:
        if self.asked:  # else an interrupt in a library's own import would end Python by a signal
            os._exit(STATUS)

    def _on_signal(self, *_: Any) -> None:
        if not self.working:
            os._exit(STATUS)
        self.asked = True
        sys.unraisablehook = lambda _: None  # Python's words for an interrupt in a callback
        raise KeyboardInterrupt

    def end(self, text: str) -> None:
        """The last words, which no further signal interrupts; a closed terminal takes none."""
        for number in _signals():
            signal.signal(number, signal.SIG_IGN)
        if "multiprocessing" in sys.modules:
            for child in sys.modules["multiprocessing"].active_children():
                child.kill()  # one whose start was interrupted; else Python waits for it
        try:
            print(text, flush=True)
        except OSError:
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                for stream in (sys.stdout, sys.stderr):
                    os.dup2(nowhere, stream.fileno())


def _signals() -> list[signal.Signals]:
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    return [signal.Signals[name] for name in names if hasattr(signal, name)]
