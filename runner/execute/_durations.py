"""How long runs take that their study trains itself: what ended runs tell about the next ones."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from runner.expand import Run
from runner.store import FINISHED, RunDir


class Durations:
    """The seconds of runs that ended, and how far the others are. Threads may ask while it learns.

    A run is expected to take the median of its variant's runs, else of its study's. Where none has ended, nothing is
    known.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[str, list[float]]] = {}  # study -> digest of the settings -> seconds
        self._pending: dict[Run, None] = {}
        self._began: dict[Run, float] = {}  # those in training
        self._spent = 0.0  # by those that trained and ended

    def read(self, runs: Path, wanted: Iterable[Run], device: str) -> None:
        """Learns from the finished runs of the wanted runs' studies; from those on another kind of device nothing.

        A run that was resumed counts as unknown, because its run.json has the times of its last attempt.
        """
        for study in {run.study for run in wanted}:
            known = self._known[study] = dict[str, list[float]]()
            for folder in (runs / study).glob("*/seed*"):
                made = RunDir(folder).run_json()
                if not made or made.status != FINISHED or made.resumed or made.provenance.device != device:
                    continue
                if made.ended is not None:
                    known.setdefault(made.digest, []).append(made.ended - made.started)

    def expected(self, run: Run) -> float | None:
        """Returns the seconds that a run takes; None where nothing is known."""
        known = self._known.get(run.study, {})
        mine = known.get(run.variant.digest) or [each for seconds in list(known.values()) for each in seconds]
        return median(mine) if mine else None

    def follow(self, pending: Iterable[Run]) -> None:
        """Begins to follow these runs."""
        self._pending = dict.fromkeys(pending)

    def begin(self, run: Run) -> None:
        """Notes that a run begins to train, perhaps again."""
        self._began[run] = time.monotonic()

    def end(self, run: Run, seconds: float | None) -> None:
        """Notes that a run has ended; `seconds` is what it took, where it trained from its beginning to its end."""
        self._spent += self.elapsed(run)
        self._began.pop(run, None)
        self._pending.pop(run, None)
        if seconds is not None:
            self._known.setdefault(run.study, {}).setdefault(run.variant.digest, []).append(seconds)

    def elapsed(self, run: Run) -> float:
        """Returns the seconds since a run in training began; 0 for any other."""
        began = self._began.get(run)
        return 0.0 if began is None else time.monotonic() - began

    @property
    def spent(self) -> float:
        """The seconds of training so far, of all workers together."""
        return self._spent + sum(map(self.elapsed, list(self._began)))

    def left(self) -> list[float] | None:
        """Returns the remaining seconds of each run that has not ended; None where one's are unknown."""
        found = []
        for run in list(self._pending):
            expected = self.expected(run)
            if expected is None:
                return None
            found.append(max(expected - self.elapsed(run), 0.0))
        return found
