"""Learning curves for the tab: means with bands over the seeds that are done, and over those still training."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import Any

import pandas as pd

from runner.board._library import Snapshot
from runner.board._progress import INTERRUPTED, MOST_BYTES, TRAINING, RunState
from runner.files import is_plain_file
from runner.metrics import CURVES
from runner.report import banded
from runner.store import read_rows

SHOWN = ("val/accuracy", "val/loss", "train_eval/accuracy", "train_eval/loss")


class RunningCurves:
    """Reads metrics.csv of runs that have not ended, each again only once it has changed."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, int], pd.DataFrame]] = {}

    def read(self, path: Path) -> pd.DataFrame:
        """Returns the epochs of a run so far, a row each."""
        try:
            known = path.lstat()
            if not is_plain_file(known, MOST_BYTES):
                return pd.DataFrame()
            state = known.st_mtime_ns, known.st_size
            if path not in self._known or self._known[path][0] != state:
                self._known[path] = state, _epochs(path)
        except OSError:
            return pd.DataFrame()
        return self._known[path][1]


def _epochs(path: Path) -> pd.DataFrame:
    """The rows of a metrics.csv, as far as they are epochs one after another."""
    rows = read_rows(path)
    whole = takewhile(lambda pair: pair[1]["epoch"] == pair[0], enumerate(rows, start=1))
    return pd.DataFrame([row for _, row in whole])


def curves(snapshot: Snapshot, states: dict[str, list[RunState]], running: RunningCurves) -> dict[str, Any]:
    """Returns for each curve and variant the epochs, mean, low, high and n, as JSON has them."""
    found: dict[str, Any] = {}
    for name, entry in snapshot.study.variants.items():
        folder = snapshot.folder / entry.directory
        epochs = snapshot.data.curves[snapshot.data.curves["variant"] == name]
        ended = set(epochs["seed"])  # one that was retrained since the snapshot is in the next one
        open_seeds = [each.seed for each in states.get(name, ()) if each.state in (TRAINING, INTERRUPTED)]
        tables = {
            seed: running.read(folder / f"seed{seed}" / "metrics.csv") for seed in open_seeds if seed not in ended
        }
        more = [table.assign(seed=seed) for seed, table in tables.items() if len(table)]
        together = pd.concat([epochs, *more], ignore_index=True) if more else epochs
        for curve in SHOWN if len(together) else ():
            band = banded(together, curve, [seed for seed in tables if len(tables[seed])])
            found.setdefault(curve, {})[name] = {column: band[column].tolist() for column in band}
    return {"labels": {curve: CURVES[curve].label for curve in SHOWN}, "curves": found}
