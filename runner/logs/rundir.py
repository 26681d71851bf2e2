"""The files of a run directory, apart from TensorBoard's: written whole, read with distrust."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from runner.files import read_json, replace, write_json, write_text

State = dict[str, Any]


@dataclass(frozen=True)
class RunDir:
    """One run's directory: run.json says what it is, result.json (written last) that it is finished."""

    folder: Path

    def identity(self) -> dict[str, Any] | None:
        return read_json(self.folder / "run.json")

    def result(self) -> dict[str, Any] | None:
        """The final metrics, or None while there are none."""
        result = read_json(self.folder / "result.json")
        return result if result and isinstance(result.get("metrics"), dict) else None

    def status(self) -> str:
        """finished, failed, started or new."""
        if self.result():
            return "finished"
        identity = self.identity()
        if identity and identity.get("status") == "failed":
            return "failed"
        return "started" if (self.folder / "checkpoint.pt").exists() else "new"

    def write_identity(self, identity: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / "run.json", identity)

    def write_result(self, result: dict[str, Any]) -> None:
        """The last thing that is written: from here on the run is finished. Its checkpoint may go."""
        write_json(self.folder / "result.json", result)
        (self.folder / "checkpoint.pt").unlink(missing_ok=True)

    def forget(self) -> None:
        """Makes an unfinished or failed run new again."""
        for name in ("result.json", "checkpoint.pt", "best.pt", "predictions.npz", "traceback.txt"):
            (self.folder / name).unlink(missing_ok=True)

    def save_checkpoint(self, state: State) -> None:
        replace(self.folder / "checkpoint.pt", lambda path: torch.save(state, path))

    def load_checkpoint(self) -> State | None:
        """The last checkpoint, or None where there is none or it is spoilt. No code in it is run."""
        return _load(self.folder / "checkpoint.pt")

    def save_best(self, weights: State) -> None:
        replace(self.folder / "best.pt", lambda path: torch.save(weights, path))

    def load_best(self) -> State | None:
        return _load(self.folder / "best.pt")

    def save_predictions(self, **arrays: Any) -> None:
        def write(path: Path) -> None:
            with open(path, "wb") as file:
                np.savez(file, allow_pickle=False, **arrays)

        replace(self.folder / "predictions.npz", write)

    def load_predictions(self) -> dict[str, Any] | None:
        """val_logits, val_labels, test_logits, test_labels, or None."""
        try:
            with np.load(self.folder / "predictions.npz", allow_pickle=False) as archive:
                return {key: archive[key] for key in archive.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError):
            return None

    def write_traceback(self, text: str) -> None:
        write_text(self.folder / "traceback.txt", text)


def _load(path: Path) -> State | None:
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except Exception:  # a spoilt file raises whatever its bytes lead to
        return None
    return state if isinstance(state, dict) else None
