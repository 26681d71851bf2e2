"""Writes an evaluation to the disk and to TensorBoard: JSON, CSV, figures, event tags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from runner.classnames import legend, numbered
from runner.evaluate import _figures as figures
from runner.evaluate._results import Evaluation, Mistake
from runner.evaluate._tables import PARTS, Rows, class_table, overall_table, pair_table
from runner.files import write_json
from runner.logs import write_evaluation
from runner.sheets import write_sheet
from runner.text import escaped, table

_PAIRS = 6  # in the figure


def write(evaluation: Evaluation) -> None:
    """Replaces an evaluation's files in its report folder, and its tags in the run's directory."""
    folder, parts, pairs = evaluation.folder, evaluation.parts, evaluation.pairs
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").unlink(missing_ok=True)
    per_class = pd.concat({name: part.classes for name, part in parts.items()}, names=["part"])
    write_sheet(folder / "per_class.csv", per_class.reset_index())
    write_sheet(folder / "confused_pairs.csv", pairs)
    classes = pd.Index(evaluation.run.dataset.classes, name="true \\ predicted")
    for name, part in parts.items():
        counts = pd.DataFrame(part.confusion, index=classes, columns=classes)
        write_sheet(folder / f"{name}_confusion_matrix.csv", counts.reset_index())
        shares = counts.div(part.confusion.sum(axis=1), axis=0)  # nan where a class has no images
        write_sheet(folder / f"{name}_confusion_matrix_normalized.csv", shares.reset_index())
    texts = {
        "metrics": "\n\n".join([_markdown(overall_table(parts)), *map(escaped, evaluation.notes)]),
        "test_per_class": _markdown(class_table(parts["test"])),
        "test_confused_pairs": _markdown(pair_table(pairs)) or "No image was mistaken for another class.",
    }
    if numbered(evaluation.run.dataset.classes):
        texts["metrics"] += f"\n\nNumbers on figures: {legend(evaluation.run.dataset.classes)}."
    write_evaluation(evaluation.run.folder, _draw(evaluation), texts, evaluation.run.best_epoch)
    write_json(folder / "metrics.json", _record(evaluation))  # last: where it exists, all files do


def _record(evaluation: Evaluation) -> dict[str, Any]:
    """Returns the content of metrics.json: what was evaluated, and all numbers except confusion matrices."""
    run = evaluation.run
    identity = {
        "study": run.study, "variant": run.variant, "hash": run.digest, "seed": run.seed,
        "ended": run.ended, "data": run.dataset.fingerprint,
    }  # fmt: skip
    parts = {
        name: part.overall | {"per_class": part.classes.reset_index().to_dict("records")}
        for name, part in evaluation.parts.items()
    }
    return identity | {"best_epoch": run.best_epoch, "notes": evaluation.notes} | parts


def _draw(evaluation: Evaluation) -> dict[str, Path]:
    """Draws every figure; returns their paths by their tags."""
    run, parts, folder = evaluation.run, evaluation.parts, evaluation.folder
    tags = ["loss_plot", "metrics", *(f"{name}_confusion_matrix" for name in parts), "confused_pairs"]
    drawn = {tag: folder / f"{tag}.png" for tag in tags}
    figures.losses(run.rows, run.best_epoch, run.settings.label_smoothing, drawn["loss_plot"])
    figures.overview(parts, drawn["metrics"])
    for name, part in parts.items():
        figures.confusion(part.confusion, run.dataset.classes, PARTS[name], drawn[f"{name}_confusion_matrix"])
    shown = evaluation.pairs.head(_PAIRS)
    examples = [mistakes(evaluation, pair) for _, pair in shown.iterrows()]
    figures.confused(shown, examples, run.dataset.classes, drawn["confused_pairs"])
    return drawn


def mistakes(evaluation: Evaluation, pair: pd.Series[Any]) -> list[Mistake]:
    """Returns the test images of one class of the pair that were mistaken for the other, the surest first."""
    dataset, metrics = evaluation.run.dataset, evaluation.parts["test"]
    names = np.array(dataset.classes, dtype=object)
    true, guess = names[dataset.test.labels], names[metrics.guesses]
    one, other = pair["first"], pair["second"]
    confused = np.flatnonzero(((true == one) & (guess == other)) | ((true == other) & (guess == one)))
    surest = confused[np.argsort(-metrics.sureness[confused], kind="stable")][: figures.EXAMPLES]
    return [Mistake(np.array(dataset.test.images[i]), true[i], guess[i], float(metrics.sureness[i])) for i in surest]


def _markdown(rows: Rows) -> str:
    head, *rest = [[escaped(cell) for cell in row] for row in rows]
    return table(head, rest)
