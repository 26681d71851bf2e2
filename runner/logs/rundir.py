"""The files of a run directory, apart from TensorBoard's: written whole, read with distrust."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from runner.files import crc, finite, read_json, replace, sweep, write_json, write_text
from runner.spec.plain import is_plain
from runner.spec.problems import words

State = dict[str, Any]
_NUMBER = (int, float)
_IDENTITY = {"seed": int, "status": str, "settings": dict, "provenance": dict}  # what run.json must hold
_MORE: dict[str, Any] = {  # and of which types the rest is, where it is there
    "study": str, "variant": str, "hash": str, "attempt": str, "changes": dict, "files": dict, "classes": list,
    "started": _NUMBER, "ended": (*_NUMBER, type(None)), "parameters": (int, type(None)), "cause": str,
}  # fmt: skip
_ENDED = ("finished", "failed", "pruned")  # what run.json says of an attempt that has ended
_VOUCHED = ("run.json", "metrics.csv", "predictions.npz", "best.pt")  # what a finished run consists of


@dataclass(frozen=True)
class RunDir:
    """One run's directory: run.json says what it is, result.json (written last) that it is finished."""

    folder: Path

    @property
    def checkpoint(self) -> Path:
        """Where an unfinished run's checkpoint is, if there is one."""
        return self.folder / "checkpoint.pt"

    def identity(self) -> dict[str, Any] | None:
        """What run.json says, or None where it says nothing that can be used."""
        identity = read_json(self.folder / "run.json") or {}
        good = all(isinstance(identity.get(key), kind) for key, kind in _IDENTITY.items()) and all(
            isinstance(identity[key], kind) for key, kind in _MORE.items() if key in identity
        )
        return identity if good and is_plain(identity["settings"]) and _is_provenance(identity["provenance"]) else None

    def ended_attempt(self) -> str | None:
        """The id of the attempt at this run that ended last; None while one is under way, or none was made.

        Runs that older versions recorded have no id; their times serve as one.
        """
        identity = self.identity()
        if not identity or identity["status"] not in _ENDED:
            return None
        return str(identity.get("attempt") or (identity.get("started"), identity.get("ended")))

    def misplaced(self) -> bool:
        """Whether run.json is of a run of another place: copied from there, or renamed. Unreadable, it says nothing."""
        identity, here = self.identity(), self.folder.absolute()
        if not identity:
            return False
        variant = f"{identity.get('variant')}-{identity.get('hash')}"
        return here.parts[-3:] != (identity.get("study"), variant, f"seed{identity['seed']}")

    def result(self) -> dict[str, Any] | None:
        """The final metrics, or None while there are none that can be read."""
        result = read_json(self.folder / "result.json")
        metrics = (result or {}).get("metrics")
        if not result or not isinstance(metrics, dict):
            return None
        if not all(value is None or isinstance(value, (int, float)) for value in metrics.values()):
            return None
        return result if isinstance(result.get("files"), dict) and result.get("check") == _check(result) else None

    def status(self) -> str:
        """finished, spoilt (it was finished), failed, pruned, started or new."""
        identity = self.identity()
        if (self.folder / "result.json").exists():
            return "finished" if not self.spoilt() else "spoilt"
        if identity and identity["status"] in ("failed", "pruned"):
            return str(identity["status"])
        return "started" if (self.checkpoint).exists() else "new"

    def own_status(self) -> str:
        """As `status`; new where what lies there is another run's."""
        return "new" if self.misplaced() else self.status()

    def spoilt(self) -> list[Path]:
        """The files that are not what the run wrote, by its result's sums; weights may have been pruned. The result
        itself, where it can't be read."""
        result = self.result()
        if not result:
            return [self.folder / "result.json"]
        bad = [] if self.identity() else [self.folder / "run.json"]
        for name in _VOUCHED:
            now = crc(self.folder / name)
            if now != result["files"].get(name) and not (name == "best.pt" and now is None):
                bad.append(self.folder / name)
        return list(dict.fromkeys(bad))

    def write_identity(self, identity: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / "run.json", identity)

    def write_result(self, result: dict[str, Any]) -> None:
        """The last thing that is written: from here on the run is finished. Its checkpoint may go."""
        result = finite(result | {"files": {name: crc(self.folder / name) for name in _VOUCHED}})
        write_json(self.folder / "result.json", result | {"check": _check(result)})
        with suppress(OSError):  # one that can't be removed costs its room, and the run nothing
            self.forget_checkpoint()

    def forget(self) -> None:
        """Makes a run unfinished again, and removes what a killed process left half written."""
        for name in ("result.json", "best.pt", "predictions.npz", "traceback.txt"):
            (self.folder / name).unlink(missing_ok=True)
        sweep(self.folder)

    def forget_checkpoint(self) -> None:
        (self.checkpoint).unlink(missing_ok=True)

    def save_checkpoint(self, state: State) -> None:
        _write(self.checkpoint, lambda file: torch.save(state, file))

    def load_checkpoint(self) -> State | None:
        """The last checkpoint, or None where there is none or it is spoilt. No code in it is run.

        An error of the machine's (too many open files, no memory) is raised: it says nothing about the file.
        """
        try:
            data = self.checkpoint.read_bytes()
        except FileNotFoundError:
            return None
        return _loaded(data)

    def save_best(self, weights: State) -> None:
        _write(self.folder / "best.pt", lambda file: torch.save(weights, file))

    def load_best(self) -> State | None:
        try:
            return _loaded((self.folder / "best.pt").read_bytes())
        except OSError:
            return None

    def save_predictions(self, **arrays: Any) -> None:
        _write(self.folder / "predictions.npz", lambda file: np.savez(file, allow_pickle=False, **arrays))

    def load_predictions(self) -> dict[str, Any] | None:
        """val_logits, val_labels, test_logits, test_labels, or None. No code in the file is run."""
        try:
            with np.load(self.folder / "predictions.npz", allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in archive.files}
            return arrays if _are_predictions(arrays) else None
        except Exception:  # a spoilt file raises whatever its bytes lead to
            return None

    def write_traceback(self, text: str) -> None:
        write_text(self.folder / "traceback.txt", text)


def _is_provenance(made: dict[str, Any]) -> bool:
    return is_plain(made) and isinstance(made.get("versions", {}), dict)


def _write(path: Path, save: Callable[[io.BytesIO], object]) -> None:
    """Through the memory: on a full disk torch speaks of positions, and holds the half-written file open, so that its
    room is not free for the words that say so."""
    buffer = io.BytesIO()
    save(buffer)
    replace(path, lambda beside: beside.write_bytes(buffer.getbuffer()))


def _are_predictions(arrays: dict[str, Any]) -> bool:
    """Whether each part has a row of logits for each label, and test is there."""
    parts = [part for part in ("val", "test") if part == "test" or f"{part}_logits" in arrays]
    pairs = [(arrays[f"{part}_logits"], arrays[f"{part}_labels"]) for part in parts]
    return all(
        logits.ndim == 2 and labels.shape == logits.shape[:1] and logits.dtype.kind == "f" and labels.dtype.kind == "i"
        and (not len(labels) or 0 <= labels.min() <= labels.max() < logits.shape[1])
        for logits, labels in pairs
    )  # fmt: skip


def _check(result: dict[str, Any]) -> int:
    """A sum over all of a result but the sum itself: a changed digit is valid JSON."""
    rest = {key: value for key, value in result.items() if key != "check"}
    return zlib.crc32(json.dumps(rest, sort_keys=True).encode())


def _loaded(data: bytes) -> State | None:
    """What torch.save wrote; from memory, where a spoilt file can't pass for a disk that fails."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if archive.testzip():  # torch does not look at the sums that it writes
                return None
            if any(part.file_size != part.compress_size for part in archive.infolist()):
                return None  # torch compresses nothing; a spoilt size may ask for more memory than there is
        file = io.BytesIO(data)
        state = torch.load(file, weights_only=True, map_location="cpu")
    except Exception as error:  # a spoilt file raises whatever its bytes lead to
        if is_machines(error):
            raise
        return None
    return state if isinstance(state, dict) else None


def is_machines(error: BaseException) -> bool:
    """Whether an error is the machine's (its disk, its memory, its GPU) and says nothing about the run or its files."""
    return isinstance(error, (OSError, torch.AcceleratorError)) or is_memory(error)


def is_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, the machine's or its GPU's."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return type(error) is RuntimeError and "DefaultCPUAllocator" in words(error)  # torch's for a CPU
