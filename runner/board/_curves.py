"""Learning curves for the tab: means with bands over the seeds that are done, and over those still training."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import Any

import pandas as pd

from runner.board._library import Snapshot
from runner.board._progress import INTERRUPTED, MOST_BYTES, TRAINING, RunState
from runner.files import is_plain_file
from runner.measures import OURS, MetricSet
from runner.metrics import CURVES, Better
from runner.report import banded, stepped, suits_log
from runner.store import read_rows
from runner.verdicts import read_steps

SHOWN = ("val/accuracy", "val/loss", "train_eval/accuracy", "train_eval/loss")


class RunningCurves:
    """Reads metrics.csv of runs that have not ended, each again only once it has changed."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, int], pd.DataFrame]] = {}

    def read(self, path: Path, measures: MetricSet = OURS) -> pd.DataFrame:
        """Returns the epochs of a run so far, a row each; of your own training the steps."""
        try:
            known = path.lstat()
            if not is_plain_file(known, MOST_BYTES):
                return pd.DataFrame()
            state = known.st_mtime_ns, known.st_size
            if path not in self._known or self._known[path][0] != state:
                self._known[path] = state, _epochs(path) if measures.is_ours else read_steps(path, measures)
        except OSError:
            return pd.DataFrame()
        return self._known[path][1]


def _epochs(path: Path) -> pd.DataFrame:
    """The rows of a metrics.csv, as far as they are epochs one after another."""
    rows = read_rows(path)
    whole = takewhile(lambda pair: pair[1]["epoch"] == pair[0], enumerate(rows, start=1))
    return pd.DataFrame([row for _, row in whole])


def curves(snapshot: Snapshot, states: dict[str, list[RunState]], running: RunningCurves) -> dict[str, Any]:
    """Returns for each curve and variant the epochs, mean, low, high and n, as JSON has them.

    `axes` says of each curve what its points are along, whether it is a share, and which scale suits it.
    """
    measures = snapshot.data.measures
    names = SHOWN if measures.is_ours else tuple(measures.table)
    bands: dict[str, dict[str, pd.DataFrame]] = {}
    for name, entry in snapshot.study.variants.items():
        folder = snapshot.folder / entry.directory
        epochs = snapshot.data.curves[snapshot.data.curves["variant"] == name]
        ended = set(epochs["seed"])  # one that was retrained since the snapshot is in the next one
        open_seeds = [each.seed for each in states.get(name, ()) if each.state in (TRAINING, INTERRUPTED)]
        tables = {
            seed: running.read(folder / f"seed{seed}" / "metrics.csv", measures)
            for seed in open_seeds
            if seed not in ended
        }
        more = [table.assign(seed=seed) for seed, table in tables.items() if len(table)]
        together = pd.concat([epochs, *more], ignore_index=True) if more else epochs
        still = [seed for seed in tables if len(tables[seed])]
        for curve in names if len(together) else ():
            band = (banded if measures.is_ours else stepped)(together, curve, still)
            if len(band):
                bands.setdefault(curve, {})[name] = band
    if not measures.is_ours:  # one point is no curve
        bands = {curve: own for curve, own in bands.items() if any(len(band) > 1 for band in own.values())}
    labels = {curve: (CURVES if measures.is_ours else measures.table)[curve].label for curve in names}
    found = {
        curve: {name: {column: band[column].tolist() for column in band} for name, band in own.items()}
        for curve, own in bands.items()
    }
    return {"labels": labels, "axes": _axes(bands, measures), "curves": found}


def _axes(bands: dict[str, dict[str, pd.DataFrame]], measures: MetricSet) -> dict[str, dict[str, Any]]:
    if measures.is_ours:
        shares = {curve: curve.endswith("accuracy") for curve in bands}
        return {curve: {"x": "epoch", "percent": it, "log": not it, "rises": False} for curve, it in shares.items()}
    return {
        curve: {
            "x": "step",
            "percent": False,
            "log": suits_log(measures.table[curve], own.values()),
            "rises": measures.table[curve].better is Better.HIGHER,
        }
        for curve, own in bands.items()
    }
