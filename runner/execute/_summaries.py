"""Writes what TensorBoard shows of several runs: the columns of all, and the mean of a variant."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from runner.execute._messages import Message
from runner.expand import Run
from runner.files import lock
from runner.logs import hparams, is_older_mean, search_sessions, write_mean, write_root
from runner.spec import MOST_RUNS, is_plain
from runner.store import FAILED, FINISHED, NEW, RUNNING, STARTED, Provenance, RunDir, read_study, same_provenance

_MEAN_SECONDS = 10  # between two means of a variant while none of its runs ends
_MOST_TIME = 0.01  # the share of the runner's time that a variant's means may take, but for the last one


def write_columns(runs: Path) -> None:
    """Writes the root's charts and columns: the union over every run that exists or that a study or search plans.

    It also rewrites means that an older version wrote with other tags.
    """
    with lock(runs):
        sessions, ranges, own = [], None, dict[str, str]()
        for path in runs.glob("*/study.json"):
            if not (study := read_study(path.parent)):
                continue
            own |= study.metrics
            name, search = study.name, study.search
            variants = {key: each.settings for key, each in study.variants.items() if is_plain(each.settings)}
            sessions += [hparams(settings, name, variant) for variant, settings in variants.items()]
            if search is None:
                continue
            with suppress(AttributeError, LookupError, TypeError, ValueError):  # no search that the runner recorded
                sessions += search_sessions(search, name, len(variants) + min(search["runs"], MOST_RUNS))
                continuous = {key for key, space in search["space"].items() if "categorical" not in space}
                ranges = continuous | (ranges or set())
        for path in runs.glob("*/*/seed*/run.json"):
            directory = RunDir(path.parent)
            if (known := directory.run_json()) and not directory.misplaced():
                sessions.append(hparams(known.settings, known.study, known.variant))
        _rewrite_older_means(runs)
        write_root(runs, sessions, ranges, own)


class Means:
    """Writes each variant's mean over seeds while they train, and when they end."""

    def __init__(self, runs: Path, pending: Iterable[Run], console: Console) -> None:
        """`runs` is the directory of all runs, `pending` are the runs that the command trains."""
        self._runs, self._console = runs, console
        self._pending = {run: run.folder.parent for run in pending}
        self._open = Counter(self._pending.values())  # how many runs of a variant have not ended
        self._due: dict[Path, float] = {}  # when a variant's mean may be written again at a run's end
        self._diverged: set[Path] = set()

    def on_message(self, message: Message) -> None:
        """Writes the mean of the message's variant, where that is due or all its runs have ended."""
        if message.kind not in ("epoch", FINISHED, FAILED):
            return
        run, folder = message.run, message.run.folder.parent
        ended = message.kind != "epoch"
        if ended:
            self._open[folder] -= self._pending.pop(run, None) is not None
        last = ended and self._open[folder] <= 0
        now, wait = time.monotonic(), 0 if ended else _MEAN_SECONDS
        if last or now >= self._due.setdefault(folder, now) + wait:
            self._write(run, folder)

    def _write(self, run: Run, folder: Path) -> None:
        """Writes the mean. An error is only printed, because no run depends on it."""
        began = time.monotonic()
        try:
            with lock(self._runs):
                diverged = write_mean(self._runs / folder / "mean", *_comparable(self._runs / folder, run))
            if diverged and folder not in self._diverged:
                self._diverged.add(folder)
                write_columns(self._runs)  # its charts
        except OSError as error:
            self._console.print(f"{self._runs / folder / 'mean'} can't be written: {error}")
        now = time.monotonic()
        self._due[folder] = now + (now - began) / _MOST_TIME


def _comparable(folder: Path, run: Run | None) -> tuple[list[Path], list[Path]]:
    """Returns the metrics.csv of a variant's seeds that are comparable with the run: finished seeds, unfinished ones.

    Without a run, they are comparable with the variant's last one. A seed that failed is in neither list.
    """
    known = {path: RunDir(path).run_json() for path in sorted(folder.glob("seed*"))}
    made = {path: each for path, each in known.items() if each}
    newest = max(made.values(), key=lambda each: each.started, default=None)
    reference = newest if run is None else made.get(folder / run.folder.name)
    mine = reference.provenance if reference else Provenance()
    ended, running = [], []
    for path, each in made.items():
        if same_provenance(each.provenance, mine):
            status = RunDir(path).own_status()
            if status == FINISHED:
                ended.append(path / "metrics.csv")
            elif each.status == RUNNING and status in (NEW, STARTED) and not RunDir(path).misplaced():
                running.append(path / "metrics.csv")
    return ended, running


def _rewrite_older_means(runs: Path) -> None:
    """Rewrites the means that an older version wrote with other tags."""
    for folder in runs.glob("*/*/mean"):
        if is_older_mean(folder):
            write_mean(folder, *_comparable(folder.parent, None))
