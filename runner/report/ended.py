"""A study's run directories, as far as their runs have ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.logs.rundir import RunDir
from runner.logs.studyfile import read_study
from runner.report.imbalance import Guesses, guesses
from runner.spec import RequestError


@dataclass(frozen=True)
class EndedRun:
    """A run that finished (it has a result), failed, or had finished and has spoilt files."""

    variant: str
    path: Path
    identity: dict[str, Any]
    result: dict[str, Any] | None
    spoilt: Sequence[Path] = ()
    guesses: Guesses | None = None

    @property
    def seed(self) -> int:
        return int(self.identity["seed"])


def ended_runs(folder: Path, study: dict[str, Any]) -> Iterator[EndedRun]:
    """The runs of the study as it was last asked for, as far as they have ended."""
    for name, variant in study["variants"].items():
        for path in sorted((folder / variant["directory"]).glob("seed*"), key=lambda p: (len(p.name), p.name)):
            directory = RunDir(path)
            if directory.misplaced():  # a copy beside its original
                continue
            status = directory.status()  # first: a run that finishes in the meantime has a result by then
            identity, result = directory.identity() or {}, directory.result()
            predictions = directory.load_predictions() if status == "finished" else None
            if status == "finished" and predictions is None:
                yield EndedRun(name, path, identity, None, [path / "predictions.npz"])
            elif status == "spoilt":
                yield EndedRun(name, path, identity, None, directory.spoilt())
            elif status == "failed":
                yield EndedRun(name, path, identity, None)
            elif predictions is not None and result:
                yield EndedRun(name, path, identity, result, guesses=guesses(predictions))


def is_readable(folder: Path) -> bool:
    """Whether a directory's study.json is a study's, or a search's with its record."""
    study = read_study(folder)
    if study and "search" in study:
        from runner.search.record import read_record  # with Optuna

        with suppress(RequestError):
            return bool(read_record(folder))
        return False
    return study is not None
