"""The files of a run directory, apart from TensorBoard's events and the weights: written whole, read with distrust."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runner.files import crc, read_json, replace, sweep, write_json, write_text
from runner.store.records import (
    ENDED,
    FAILED,
    FINISHED,
    PRUNED,
    RunJson,
    RunResult,
    read_result,
    read_run_json,
    result_json,
)

CORRUPT, STARTED, NEW = "corrupt", "started", "new"  # states of a directory that no attempt has
_VOUCHED = ("run.json", "metrics.csv", "predictions.npz", "best.pt")  # what a finished run consists of


@dataclass(frozen=True)
class RunDir:
    """One run's directory: run.json says what it is, result.json (written last) that it is finished."""

    folder: Path

    @property
    def checkpoint(self) -> Path:
        """Where an unfinished run's checkpoint is, if there is one."""
        return self.folder / "checkpoint.pt"

    @property
    def best(self) -> Path:
        """Where a finished run's best weights are, unless they were pruned."""
        return self.folder / "best.pt"

    def run_json(self) -> RunJson | None:
        """What run.json says, or None where it says nothing that can be used."""
        return read_run_json(read_json(self.folder / "run.json"))

    def ended_attempt(self) -> str | None:
        """The id of the attempt at this run that ended last; None while one is under way, or none was made.

        Runs that older versions recorded have no id; their times serve as one.
        """
        known = self.run_json()
        if not known or known.status not in ENDED:
            return None
        return known.attempt or str((known.started, known.ended))

    def misplaced(self) -> bool:
        """Whether run.json is of a run of another place: copied from there, or renamed. Unreadable, it says nothing."""
        known = self.run_json()
        return known is not None and self.folder.absolute().parts[-3:] != known.place

    def result(self) -> RunResult | None:
        """The final metrics, or None while there are none that can be read."""
        return read_result(read_json(self.folder / "result.json"))

    def status(self) -> str:
        """finished, corrupt (it was finished), failed, pruned, started or new."""
        if (self.folder / "result.json").exists():
            return FINISHED if not self.corrupt_files() else CORRUPT
        known = self.run_json()
        if known and known.status in (FAILED, PRUNED):
            return known.status
        return STARTED if self.checkpoint.exists() else NEW

    def own_status(self) -> str:
        """As `status`; new where the files are another run's."""
        return NEW if self.misplaced() else self.status()

    def corrupt_files(self) -> list[Path]:
        """The files that are not what the run wrote, by its result's sums; weights may have been pruned. The result
        itself, where it can't be read."""
        result = self.result()
        if not result:
            return [self.folder / "result.json"]
        bad = [] if self.run_json() else [self.folder / "run.json"]
        for name in _VOUCHED:
            now = crc(self.folder / name)
            if now != result.files.get(name) and not (name == "best.pt" and now is None):
                bad.append(self.folder / name)
        return list(dict.fromkeys(bad))

    def write_run_json(self, content: RunJson) -> None:
        """Replaces run.json, in a directory that is made where there is none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / "run.json", content.plain())

    def write_result(self, result: RunResult) -> None:
        """Writes the last file: from here on the run is finished. Its checkpoint may go."""
        sums = {name: crc(self.folder / name) for name in _VOUCHED}
        write_json(self.folder / "result.json", result_json(result.model_copy(update={"files": sums})))
        with suppress(OSError):  # one that can't be removed costs its room, and the run nothing
            self.forget_checkpoint()

    def forget(self) -> None:
        """Makes a run unfinished again, and removes what a killed process left half written."""
        for name in ("result.json", "best.pt", "predictions.npz", "traceback.txt"):
            (self.folder / name).unlink(missing_ok=True)
        sweep(self.folder)

    def forget_checkpoint(self) -> None:
        """Removes the checkpoint, where there is one."""
        self.checkpoint.unlink(missing_ok=True)

    def save_predictions(self, **arrays: Any) -> None:
        """Writes predictions.npz: `<part>_logits` (N x classes, float32) and `<part>_labels` (N, int64)."""
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        replace(self.folder / "predictions.npz", lambda beside: beside.write_bytes(buffer.getbuffer()))

    def load_predictions(self) -> dict[str, Any] | None:
        """val_logits, val_labels, test_logits, test_labels, or None. No code in the file is run."""
        try:
            with np.load(self.folder / "predictions.npz", allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in archive.files}
            return arrays if _are_predictions(arrays) else None
        except Exception:  # a corrupt file raises whatever its bytes lead to
            return None

    def write_traceback(self, text: str) -> None:
        """Writes where a failed run's error came from."""
        write_text(self.folder / "traceback.txt", text)


def _are_predictions(arrays: dict[str, Any]) -> bool:
    """Whether each part has a row of logits for each label, and test is there."""
    parts = [part for part in ("val", "test") if part == "test" or f"{part}_logits" in arrays]
    pairs = [(arrays[f"{part}_logits"], arrays[f"{part}_labels"]) for part in parts]
    return all(
        logits.ndim == 2 and labels.shape == logits.shape[:1] and logits.dtype.kind == "f" and labels.dtype.kind == "i"
        and (not len(labels) or 0 <= labels.min() <= labels.max() < logits.shape[1])
        for logits, labels in pairs
    )  # fmt: skip
