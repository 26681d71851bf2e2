"""A study's run directories, as far as their runs have ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.store import CORRUPT, FAILED, FINISHED, RunDir, RunJson, RunResult, StudyFile
from runner.verdicts._imbalance import Guesses, guesses


@dataclass(frozen=True)
class EndedRun:
    """A run that finished (it has a result), failed, or had finished and has corrupt files."""

    variant: str
    path: Path
    run_json: RunJson | None  # None where it can't be read; a finished run has one
    result: RunResult | None
    corrupt: Sequence[Path] = ()
    guesses: Guesses | None = None

    @property
    def seed(self) -> int:
        """The run's seed; -1 where run.json can't be read."""
        return self.run_json.seed if self.run_json else -1


def ended_runs(folder: Path, study: StudyFile) -> Iterator[EndedRun]:
    """The runs of the study as it was last asked for, as far as they have ended."""
    for name, variant in study.variants.items():
        for path in sorted((folder / variant.directory).glob("seed*"), key=lambda p: (len(p.name), p.name)):
            directory = RunDir(path)
            if directory.misplaced():  # a copy beside its original
                continue
            status = directory.status()  # first: a run that finishes in the meantime has a result by then
            known, result = directory.run_json(), directory.result()
            predictions = directory.load_predictions() if status == FINISHED else None
            if status == FINISHED and predictions is None:
                yield EndedRun(name, path, known, None, [path / "predictions.npz"])
            elif status == CORRUPT:
                yield EndedRun(name, path, known, None, directory.corrupt_files())
            elif status == FAILED:
                yield EndedRun(name, path, known, None)
            elif predictions is not None and result:
                yield EndedRun(name, path, known, result, guesses=guesses(predictions))
