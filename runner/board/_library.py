"""The studies below a log directory, read with distrust and kept: a refresh reads only what has changed."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from runner.files import is_plain_file, is_within
from runner.store import StudyFile, deciding_files, present_provenance, read_study
from runner.verdicts import (
    EffectsTable,
    EndedRun,
    RunReader,
    StudyRuns,
    Verdict,
    effects_table,
    ended_runs,
    gather,
    judge,
)

_MOST_BYTES = 64 * 2**20  # of a study.json


class UnknownStudy(LookupError):
    """The log directory has no study of this name."""


@dataclass(frozen=True)
class Snapshot:
    """A study as its run directories are now. What follows from them is computed once, when it is asked for.

    `code` are the times of the files whose code decides which runs count.
    """

    folder: Path
    study: StudyFile
    ended: tuple[EndedRun, ...]
    code: tuple[int, ...]

    @cached_property
    def data(self) -> StudyRuns:
        """The finished and failed runs that count."""
        return gather(self.folder, self.study, self.ended)

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """Every question's verdict, as the runs that have ended allow."""
        return judge(self.data)

    @cached_property
    def effects(self) -> EffectsTable:
        """The table of summary.csv."""
        return effects_table(self.data, self.verdicts)


class Library:
    """Finds and reads the studies of a log directory. Threads may share it.

    Files that are no regular files inside the log directory are skipped, and so are very large ones.
    """

    def __init__(self, logdir: Path) -> None:
        self.logdir = logdir.resolve()
        self._reader = RunReader(within=self.logdir)
        self._studies: dict[Path, tuple[tuple[int, int], StudyFile | None]] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._code = _code()

    def names(self) -> list[str]:
        """Returns the names of the studies that can be read, sorted. Searches are not among them."""
        return sorted(self._found())

    def own(self) -> list[str]:
        """Returns how the names of runs begin in TensorBoard whose training or logs are not the runner's."""
        found = [folder for folder, study in self._found().values() if not study.measures.is_ours]
        inside = [folder.relative_to(self.logdir).as_posix() for folder in found if folder.is_relative_to(self.logdir)]
        return ["" if place == "." else f"{place}/" for place in inside]

    def folder(self, name: str) -> Path:
        """Returns a study's directory. Raises UnknownStudy."""
        return self._find(name)[0]

    def study(self, name: str) -> StudyFile:
        """Returns the content of its study.json. Raises UnknownStudy."""
        return self._find(name)[1]

    def snapshot(self, name: str) -> Snapshot:
        """Returns the study as it is now: the object of the last call where nothing has changed.

        Raises UnknownStudy.
        """
        folder, study = self._find(name)
        with self._locks.setdefault(name, threading.Lock()):
            now = Snapshot(folder, study, tuple(ended_runs(folder, study, self._reader)), self._present_code())
            known = self._snapshots.get(name)
            if known is None or not _are_same(known, now):
                known = self._snapshots[name] = now
            _ = known.effects  # under the lock, so that no two requests compute the same
            return known

    def _find(self, name: str) -> tuple[Path, StudyFile]:
        found = self._found().get(name)
        if found is None:
            raise UnknownStudy(name)
        return found

    def _found(self) -> dict[str, tuple[Path, StudyFile]]:
        """The directories below the log directory, or it itself, that have a study.json."""
        found = {}
        for file in (self.logdir / "study.json", *self.logdir.glob("*/study.json")):
            study = self._read(file)
            if study is not None and study.search is None:
                found[study.name] = file.parent.resolve(), study  # a linked directory has its own name
        return found

    def _read(self, file: Path) -> StudyFile | None:
        try:
            known = file.lstat()
        except OSError:
            return None
        if not is_plain_file(known, _MOST_BYTES) or not is_within(file, self.logdir):
            return None
        state = known.st_mtime_ns, known.st_size
        if file not in self._studies or self._studies[file][0] != state:
            self._studies[file] = state, read_study(file.parent)
        return self._studies[file][1]

    def _present_code(self) -> tuple[int, ...]:
        """Returns the times of the deciding files. An edit makes the runner forget which provenance is the present."""
        now = _code()
        if now != self._code:
            present_provenance.cache_clear()
            self._code = now
        return now


def _code() -> tuple[int, ...]:
    """Returns the times of the deciding files; a file that an editor is replacing counts as 0."""
    times = []
    for file in deciding_files():
        try:
            times.append(file.stat().st_mtime_ns)
        except OSError:
            times.append(0)
    return tuple(times)


def _are_same(one: Snapshot, other: Snapshot) -> bool:
    """Whether nothing was read anew: the reader returns the same objects then."""
    runs = tuple(map(id, one.ended)) == tuple(map(id, other.ended))
    return runs and one.study is other.study and one.folder == other.folder and one.code == other.code
