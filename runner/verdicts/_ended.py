"""A study's run directories, as far as their runs have ended."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from runner.files import is_plain_file, is_within
from runner.measures import OURS, MetricSet
from runner.store import CORRUPT, FAILED, FINISHED, MEAN_SCALARS, Guesses, RunDir, RunJson, RunResult, StudyFile

Stamp = tuple[tuple[str, int, int, int], ...]  # of a directory's files: name, time, size, inode
_MOST = {  # bytes of the files that are read, where a log directory is not trusted; checkpoint.pt is not read
    "run.json": 2**26, "result.json": 2**26, "metrics.csv": 2**26, "correct.npz": 2**26, "predictions.npz": 2**30,
    "best.pt": 2**33, "checkpoint.pt": 2**60,
}  # fmt: skip


@dataclass(frozen=True)
class EndedRun:
    """A run that finished (it has a result), failed, or had finished and has corrupt files.

    `epochs` is metrics.csv of a finished run: a row an epoch. Of your own training it is a row a step, by `read_steps`.
    """

    variant: str
    path: Path
    run_json: RunJson | None  # None where it can't be read; a finished run has one
    result: RunResult | None
    corrupt: Sequence[Path] = ()
    guesses: Guesses | None = None
    epochs: pd.DataFrame | None = None

    @property
    def seed(self) -> int:
        """The run's seed; -1 where run.json can't be read."""
        return self.run_json.seed if self.run_json else -1


class RunReader:
    """Reads run directories that have ended, each once until one of its files changes.

    With `within`, it skips run directories that are not inside this directory, and those where a file that it would
    read is a link, a pipe, a directory or very large.
    """

    def __init__(self, within: Path | None = None) -> None:
        self._within = within.resolve() if within else None
        self._known: dict[tuple[str, Path, tuple[str, ...]], tuple[Stamp, EndedRun | None]] = {}

    def read(self, variant: str, path: Path, measures: MetricSet = OURS) -> EndedRun | None:
        """Returns the run in a directory of this variant; None where it has not ended. `measures` are the study's."""
        stamp, key = self._stamp(path), (variant, path, tuple(measures.table))
        known = self._known.get(key)
        if known and known[0] == stamp:
            return known[1]
        found = _read(variant, path, measures) if stamp else None
        self._known[key] = stamp, found
        return found

    def _stamp(self, path: Path) -> Stamp:
        """Returns the state of a run directory's files; empty where the run must be skipped."""
        try:
            if self._within and not is_within(path, self._within):
                return ()
            with os.scandir(path) as entries:
                ours = [entry for entry in entries if entry.name in _MOST]
            found = [(entry.name, entry.stat(follow_symlinks=self._within is None)) for entry in ours]
        except OSError:
            return ()
        if self._within and not all(is_plain_file(each, _MOST[name]) for name, each in found):
            return ()
        return tuple(sorted((name, each.st_mtime_ns, each.st_size, each.st_ino) for name, each in found))


def _read(variant: str, path: Path, measures: MetricSet) -> EndedRun | None:
    directory = RunDir(path)
    state = directory.look()
    known, result = state.run_json, state.result
    if state.misplaced:  # a copy beside its original
        return None
    if state.status == CORRUPT:
        return EndedRun(variant, path, known, None, state.corrupt)
    if state.status == FAILED:
        return EndedRun(variant, path, known, None)
    if state.status != FINISHED:
        return None
    if not measures.is_ours:
        steps = read_steps(path / "metrics.csv", measures)
        return EndedRun(variant, path, known, result, (), None, steps) if result else None
    guesses, epochs = directory.guesses(), _epochs(path / "metrics.csv")
    if guesses is None or epochs is None:
        wrong = path / "metrics.csv" if epochs is None else directory.guesses_file
        return EndedRun(variant, path, known, None, [wrong])
    return EndedRun(variant, path, known, result, (), guesses, epochs) if result else None


def _epochs(path: Path) -> pd.DataFrame | None:
    """Returns a finished run's epochs; None for another table, whose checksum somebody made fit."""
    try:
        found = pd.read_csv(path)
    except (OSError, ValueError):
        return None
    if not {"epoch", *MEAN_SCALARS} <= set(found) or any(kind.kind not in "iuf" for kind in found.dtypes):
        return None
    return found if len(found) and found["epoch"].notna().all() and found["epoch"].is_unique else None


def read_steps(path: Path, measures: MetricSet) -> pd.DataFrame:
    """Returns the steps that your own training logged: the column `epoch` has the step, the others are metrics.

    A cell is nan where a metric was not logged. Of several rows at one step, the last counts. A table that can't be
    read, and a last line that is not complete, have no steps.
    """
    nothing = pd.DataFrame(columns=["epoch", *measures.table], dtype=float)
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        found = pd.read_csv(io.StringIO(text[: text.rfind("\n") + 1]), low_memory=False)
    except (OSError, ValueError):
        return nothing
    if "step" not in found:
        return nothing
    numbers = found[["step", *(name for name in measures.table if name in found and name not in ("epoch", "step"))]]
    if any(kind.kind not in "iuf" for kind in numbers.dtypes):
        numbers = numbers.apply(pd.to_numeric, errors="coerce")
    rows = numbers.rename(columns={"step": "epoch"}).dropna(subset=["epoch"])
    last: pd.DataFrame = rows.drop_duplicates("epoch", keep="last")
    return last.sort_values("epoch").reset_index(drop=True)


def ended_runs(folder: Path, study: StudyFile, reader: RunReader | None = None) -> Iterator[EndedRun]:
    """The runs of the study as it was last asked for, as far as they have ended."""
    reader = reader or RunReader()
    for name, variant in study.variants.items():
        for path in sorted((folder / variant.directory).glob("seed*"), key=lambda p: (len(p.name), p.name)):
            if found := reader.read(name, path, study.measures):
                yield found
