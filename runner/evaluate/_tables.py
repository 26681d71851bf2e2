"""Shows an evaluation as tables: their rows, and their form on the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from runner.classnames import legend
from runner.evaluate._metrics import PartMetrics
from runner.evaluate._results import Classified, Evaluation
from runner.metrics import PART_METRICS, Unit
from runner.scores import TOP
from runner.text import one_line
from runner.typed import command

PARTS = {"train": "training", "val": "validation", "test": "test"}
_HEADS = {
    "f1": "F1", "roc_auc": "ROC AUC", "false_positive_rate": "false positive rate",
    "average_precision": "average precision",
}  # fmt: skip
_PAIRS = 10  # shown
Rows = list[list[str]]


def number(value: float) -> str:
    """Formats a metric with four digits; a dash where it has no value.

    >>> number(0.25), number(math.nan)
    ('0.2500', '-')
    """
    return "-" if math.isnan(value) else f"{value:.4f}"


def overall_table(parts: Mapping[str, PartMetrics]) -> Rows:
    """Returns a head, then a row for each metric, with a column for each part."""
    rows = [["", *(PARTS[name] for name in parts)]]
    values = [part.overall for part in parts.values()]
    for key, metric in PART_METRICS.items():
        if key in values[0]:
            written = str if metric.unit is Unit.COUNT else number
            rows.append([metric.label, *(written(each[key]) for each in values)])
        if key == "accuracy":
            intervals = (f"{each['accuracy_low']:.4f}-{each['accuracy_high']:.4f}" for each in values)
            rows.append(["  95% interval over images", *intervals])
    return rows


def class_table(part: PartMetrics) -> Rows:
    """Returns a head, then a row for each class."""
    rows = [["class", *(_HEADS.get(name, name) for name in part.classes.columns)]]
    for name, values in part.classes.iterrows():
        rows.append([str(name), f"{values['images']:.0f}", *map(number, values.drop("images"))])
    return rows


def pair_table(pairs: pd.DataFrame) -> Rows:
    """Returns a head, then a row for each of the ten most confused pairs of classes."""
    rows = [["classes", "confused", "of both classes' images", "first as second", "second as first"]]
    for _, pair in pairs.head(_PAIRS).iterrows():
        counts = [str(pair["first_as_second"]), str(pair["second_as_first"])]
        rows.append([f"{pair['first']} / {pair['second']}", str(pair["images"]), f"{pair['share']:.1%}", *counts])
    return rows


def show(evaluation: Evaluation, console: Console) -> None:
    """Prints overall metrics, each class on test, the most confused pairs, and where everything is."""
    run = evaluation.run
    console.print(f"{run.study}, {run.variant}, seed {run.seed}: weights of epoch {run.best_epoch}\n")
    console.print(_rich(overall_table(evaluation.parts)))
    console.print("\neach class against the rest, on test", style="bold")
    console.print(_rich(class_table(evaluation.parts["test"])))
    if len(evaluation.pairs):
        console.print("\nclasses mistaken for each other, on test", style="bold")
        console.print(_rich(pair_table(evaluation.pairs)))
    for note in evaluation.notes:
        console.print(f"\n{note}")
    if numbers := legend(run.dataset.classes, one_line):
        console.print(f"\nNumbers on figures: {numbers}.", soft_wrap=True)
    console.print(f"\nreport:       {evaluation.folder}\nTensorBoard:  evaluate/ in {run.folder}")
    places = {"runs": _above(run.folder, 3), "reports": _above(evaluation.folder, 3)}
    options = [word for name, path in places.items() if path != Path(name) for word in (f"--{name}", str(path))]
    console.print(f"study's page: {command('report', run.study, *options)} adds this evaluation to it", soft_wrap=True)


def _above(folder: Path, levels: int) -> Path:
    """Returns the directory so many levels above, relative to the working directory where it is inside it."""
    place = folder.resolve().parents[levels - 1]
    return place.relative_to(Path.cwd()) if place.is_relative_to(Path.cwd()) else place


def show_classes(found: Classified, console: Console) -> None:
    """Prints each image's class probabilities, the most probable first, then notes and problems.

    Of more than ten classes it prints the first five.
    """
    for file, shares in zip(found.files, found.shares, strict=True):
        console.print(f"{file}", style="bold")
        if shares.isna().any():
            console.print("  the model's output is not finite")
            continue
        shown = shares if len(shares) <= 2 * TOP else shares.head(TOP)
        rows = [["class", "probability"], *([str(name), f"{share:.4f}"] for name, share in shown.items())]
        if rest := len(shares) - len(shown):
            rows.append([f"{rest} others", f"{shares.iloc[len(shown) :].sum():.4f}"])
        console.print(_rich(rows))
    for line in (*found.notes, *found.problems):
        console.print(str(line), soft_wrap=True)


def _rich(rows: Rows) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column, head in enumerate(rows[0]):
        table.add_column(head, justify="right" if column else "left")
    for row in rows[1:]:
        table.add_row(*row)
    return table
