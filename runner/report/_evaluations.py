"""The runs of a study that were looked at closely (`make evaluate`), as a section of its page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from runner.files import read_json
from runner.sheets import read_sheet
from runner.store import RunDir
from runner.text import escaped, link, table

_FIGURES = {
    "loss_plot": "losses over the epochs",
    "metrics": "metrics of train, validation and test, and class by class",
    "train_confusion_matrix": "confusion matrix on train",
    "test_confusion_matrix": "confusion matrix on test",
}
_NOTE = "Train: all training images, in evaluation mode. The curves and tables above use a fixed part of them."


def evaluations(folder: Path, runs: Mapping[tuple[str, int], Path]) -> str:
    """A table of the evaluations in a study's report folder, their figures below it; empty where there are none.

    `runs` are the directories of those that count, by variant and seed: an evaluation of a variant as it was before an
    edit, or of a run that was retrained since, does not count.
    """
    rows, figures = [], []
    for path in sorted(folder.glob("*/seed*/metrics.json")):
        record = read_json(path) or {}
        try:
            run = RunDir(runs[record["variant"], record["seed"]]).run_json()
            if not run or (record["hash"], record["ended"]) != (run.digest, run.ended):
                continue
            cells = _cells(record, path.parent)
        except (OSError, KeyError, TypeError, ValueError):  # corrupt, incomplete, or of no run that counts
            continue
        name = f"{record['variant']}, seed {record['seed']}"
        place = quote(path.parent.relative_to(folder).as_posix())
        rows.append([link(name, place), *cells])
        figures += [f"!{link(f'{name}: {text}', f'{place}/{figure}.png')}" for figure, text in _FIGURES.items()]
    heads = ["run", "train loss", "accuracy, %", "test loss", "accuracy, %", "most confused on test"]
    return "\n\n".join((table(heads, rows), _NOTE, *figures)) if rows else ""


def _cells(record: dict[str, Any], folder: Path) -> list[str]:
    numbers = []
    for part in ("train", "test"):
        loss, accuracy = record[part]["loss"], record[part]["accuracy"]
        numbers += ["-" if loss is None else f"{loss:.3f}", f"{100 * accuracy:.2f}"]  # a diverged run has no loss
    pairs = read_sheet(folder / "confused_pairs.csv", text=("first", "second"))
    most = " and ".join(map(escaped, pairs.iloc[0][["first", "second"]])) if len(pairs) else "-"
    return [*numbers, most]
