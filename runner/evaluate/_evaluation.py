"""Turns a finished run's directory into its evaluation, on the disk and as values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import Timeout

from runner.evaluate._finished import FinishedRun, open_run
from runner.evaluate._metrics import PartMetrics, confused_pairs, part_metrics
from runner.evaluate._results import Evaluation
from runner.evaluate._store import write
from runner.evaluate._tables import PARTS
from runner.files import lock
from runner.places import unwritable
from runner.spec import Kind, Problem, RequestError

_SAME, _IMAGES = 1e-3, 2  # differences that a device may cause: share of the loss, images with another prediction


def evaluate(folder: Path, data: Path, reports: Path, device: str = "auto") -> Evaluation:
    """Evaluates the run in `folder` on all three parts; writes reports/<name>/<variant>/seed<k>/ and its events.

    Raises RequestError, with nothing written, where the run is not finished or busy, or where its data set has changed.
    """
    with _held(folder):
        return _evaluate(folder, data, reports, device)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Holds the run's lock, because a run that is retrained meanwhile would get pictures of the old weights."""
    if not (folder / "result.json").is_file() or unwritable(folder):  # refused later; a lock would leave a file here
        yield
        return
    try:
        held = lock(folder).acquire(blocking=False)
    except Timeout as error:
        what = "another command is training, evaluating or removing the run; try again when it has ended."
        raise RequestError([Problem(Kind.BUSY, str(folder), what)]) from error
    with held:
        yield


def _evaluate(folder: Path, data: Path, reports: Path, device: str) -> Evaluation:
    run = open_run(folder, data, device)
    target = reports / run.study / run.variant / f"seed{run.seed}"
    if problems := unwritable(target, folder):
        raise RequestError(problems)
    dataset = run.dataset
    parts = {
        name: part_metrics(run.logits(part), part.labels, dataset.classes)
        for name, part in (("train", dataset.train), ("val", dataset.val), ("test", dataset.test))
    }
    pairs = confused_pairs(parts["test"].confusion, dataset.classes)
    notes = [f"{PARTS[name]}: {note}." for name, part in parts.items() for note in part.notes] + _drift(
        run, parts["test"]
    )
    evaluation = Evaluation(run, parts, pairs, notes, target)
    write(evaluation)
    return evaluation


def _drift(run: FinishedRun, test: PartMetrics) -> list[str]:
    """Returns notes where the run itself measured other values: code, versions or device have changed."""
    notes = []
    images = test.overall["images"]
    for key, alike in (("loss", _SAME), ("accuracy", max(_SAME, (_IMAGES + 0.5) / images))):
        then, now = run.metrics.get(f"test/{key}"), test.overall[key]
        if isinstance(then, float) and abs(now - then) > alike * max(1.0, abs(then)):
            notes.append(
                f"test: {key} is {now:.4f}, but was {then:.4f} when the run ended: code, versions or device changed."
            )
    return notes
