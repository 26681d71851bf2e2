"""Reads and writes the files of a run directory, except TensorBoard's events and the weights.

It writes a file whole or not at all, and expects that any file may be corrupt.
"""

from __future__ import annotations

import glob
import io
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runner.files import crc, read_json, replace, sweep, write_json, write_text
from runner.store._guesses import Guesses, guesses, packed, unpacked
from runner.store._records import (
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

CORRUPT, STARTED, NEW = "corrupt", "started", "new"  # states of a directory, beside those of an attempt
_VOUCHED = ("run.json", "metrics.csv", "predictions.npz", "correct.npz", "best.pt")  # result.json has their CRCs
_MOST_BYTES = 2**30  # of an npz file's arrays: a small file may unpack to any size
_MOST_BITS = 2**26  # of correct.npz, whose bits become bytes


@dataclass(frozen=True)
class RunState:
    """What the files of a run directory say, each read once.

    status     finished, corrupt (it was finished), failed, pruned, started or new
    run_json   its content; None where it is missing or not valid, as `result`
    corrupt    the files of a finished run that are not what was written
    misplaced  whether run.json belongs to another place, because the directory was copied or renamed
    """

    status: str
    run_json: RunJson | None = None
    result: RunResult | None = None
    corrupt: Sequence[Path] = ()
    misplaced: bool = False

    @property
    def own_status(self) -> str:
        """The status, but "new" where the files belong to another run."""
        return NEW if self.misplaced else self.status


@dataclass(frozen=True)
class RunDir:
    """One run's directory. run.json says what the run is; result.json, written last, says that it is finished."""

    folder: Path

    @property
    def checkpoint(self) -> Path:
        """The path of an unfinished run's checkpoint; there may be none."""
        return self.folder / "checkpoint.pt"

    @property
    def best(self) -> Path:
        """The path of a finished run's best weights; they may have been pruned."""
        return self.folder / "best.pt"

    def final_states(self) -> list[Path]:
        """Returns the files with the state in which a finished run ended, from which a longer one continues."""
        return sorted(self.folder.glob("final-*.pt"))

    def run_json(self) -> RunJson | None:
        """Reads run.json; None where it is missing or not valid."""
        return read_run_json(read_json(self.folder / "run.json"))

    def own_run_json(self) -> RunJson | None:
        """Reads run.json; None where it is missing, not valid, or belongs to another place."""
        known = self.run_json()
        return None if self._is_misplaced(known) else known

    def ended_attempt(self) -> str | None:
        """Returns the id of the run's last attempt; None while it is running, and where there was none.

        Runs of older versions have no id; their times are used as one.
        """
        known = self.run_json()
        if not known or known.status not in ENDED:
            return None
        return known.attempt or str((known.started, known.ended))

    def misplaced(self) -> bool:
        """Whether run.json belongs to another place, because the directory was copied or renamed.

        False where run.json can't be read.
        """
        return self._is_misplaced(self.run_json())

    def _is_misplaced(self, known: RunJson | None) -> bool:
        return known is not None and self.folder.absolute().parts[-3:] != known.place

    def result(self) -> RunResult | None:
        """Reads result.json; None where it is missing or not valid."""
        return read_result(read_json(self.folder / "result.json"))

    def look(self) -> RunState:
        """Reads the state. result.json comes first: a run that finishes in the meantime is still unfinished then."""
        if (self.folder / "result.json").exists():
            result, known = self.result(), self.run_json()
            corrupt = self._corrupt(known, result)
            status = CORRUPT if corrupt else FINISHED
            return RunState(status, known, result, corrupt, self._is_misplaced(known))
        known = self.run_json()
        if known and known.status in (FAILED, PRUNED):
            status = known.status
        else:
            status = STARTED if self.checkpoint.exists() else NEW
        return RunState(status, known, misplaced=self._is_misplaced(known))

    def status(self) -> str:
        """Returns the state: finished, corrupt (it was finished), failed, pruned, started or new."""
        return self.look().status

    def own_status(self) -> str:
        """Returns the state as `status`, but "new" where the files belong to another run."""
        return self.look().own_status

    def corrupt_files(self) -> list[Path]:
        """Returns the files that differ from their CRCs in result.json, or result.json where it is not valid.

        Missing weights do not count, because they may have been pruned.
        """
        return self._corrupt(self.run_json(), self.result())

    def _corrupt(self, known: RunJson | None, result: RunResult | None) -> list[Path]:
        if not result:
            return [self.folder / "result.json"]
        bad = [] if known else [self.folder / "run.json"]
        for name in _VOUCHED:
            now = crc(self.folder / name)
            if now != result.files.get(name) and not (name == "best.pt" and now is None):
                bad.append(self.folder / name)
        return list(dict.fromkeys(bad))

    def write_run_json(self, content: RunJson) -> None:
        """Replaces run.json, and makes the directory where there is none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / "run.json", content.plain())

    def write_result(self, result: RunResult) -> None:
        """Writes result.json, which makes the run finished, and removes the checkpoint."""
        sums = {name: crc(self.folder / name) for name in _VOUCHED}
        write_json(self.folder / "result.json", result_json(result.model_copy(update={"files": sums})))
        with suppress(OSError):  # a checkpoint that can't be removed only takes space
            self.forget_checkpoint()

    def forget(self) -> None:
        """Makes a run unfinished again, and removes half-written files of a killed process."""
        for name in ("result.json", "best.pt", "predictions.npz", "correct.npz", "traceback.txt"):
            (self.folder / name).unlink(missing_ok=True)
        for path in self.final_states():
            path.unlink(missing_ok=True)
        sweep(self.folder)

    def forget_checkpoint(self) -> None:
        """Removes the checkpoint where there is one."""
        self.checkpoint.unlink(missing_ok=True)

    def save_predictions(self, **arrays: Any) -> None:
        """Writes predictions.npz, and from it correct.npz, which judging reads.

        `arrays` are `<part>_logits` (N x classes, float32) and `<part>_labels` (N, int64).
        """
        _save(self.folder / "predictions.npz", arrays)
        _save(self.folder / "correct.npz", packed(guesses(arrays)))

    def load_predictions(self) -> dict[str, Any] | None:
        """Reads val_logits, val_labels, test_logits and test_labels (shapes as in `save_predictions`).

        None where the file is missing or corrupt. Older files may have test only. No code in the file is run.
        """
        arrays = _load(self.folder / "predictions.npz")
        return arrays if arrays and _are_predictions(arrays) else None

    @property
    def guesses_file(self) -> Path:
        """The path of the file that `guesses` reads."""
        packed_bits = self.folder / "correct.npz"
        return packed_bits if packed_bits.exists() else self.folder / "predictions.npz"

    def guesses(self) -> Guesses | None:
        """Reads which images the run predicted correctly; of an older run from its logits. None where it can't."""
        if self.guesses_file.name == "correct.npz":
            arrays = _load(self.guesses_file, _MOST_BITS)
            return None if arrays is None else unpacked(arrays)
        archive = self.load_predictions()
        return None if archive is None else guesses(archive)

    def write_traceback(self, text: str) -> None:
        """Writes a failed run's traceback."""
        write_text(self.folder / "traceback.txt", text)


def has_finished(runs: Path, directory: str) -> bool:
    """Whether a run in a variant's directory of this name has finished, in any study; `runs` has all runs."""
    return any(runs.glob(f"*/{glob.escape(directory)}/seed*/result.json"))


def _save(path: Path, arrays: Mapping[str, Any]) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    replace(path, lambda beside: beside.write_bytes(buffer.getbuffer()))


def _load(path: Path, most: int = _MOST_BYTES) -> dict[str, Any] | None:
    """Reads an npz file without running code in it; None where it is missing, corrupt or over `most` bytes."""
    try:
        with zipfile.ZipFile(path) as file:
            if sum(entry.file_size for entry in file.infolist()) > most:
                return None
            return {name.removesuffix(".npy"): _array(file, name) for name in file.namelist()}
    except Exception:  # a corrupt file may raise any error
        return None


def _array(file: zipfile.ZipFile, name: str) -> Any:
    with file.open(name) as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def _are_predictions(arrays: dict[str, Any]) -> bool:
    """Whether each part has one row of logits for each label and the same classes, and test is there."""
    parts = [part for part in ("val", "test") if part == "test" or f"{part}_logits" in arrays]
    if not {f"{part}_{name}" for part in parts for name in ("logits", "labels")} <= arrays.keys():
        return False
    pairs = [(arrays[f"{part}_logits"], arrays[f"{part}_labels"]) for part in parts]
    return len({logits.shape[1:] for logits, _ in pairs}) == 1 and all(
        logits.ndim == 2 and labels.shape == logits.shape[:1] and logits.dtype.kind == "f" and labels.dtype.kind == "i"
        and (not len(labels) or 0 <= labels.min() <= labels.max() < logits.shape[1])
        for logits, labels in pairs
    )  # fmt: skip
