"""Opens a finished run: its settings, its data, its model with the best epoch's weights."""

from __future__ import annotations

import math
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic
import torch
from rich.progress import track
from torch import nn

from runner import checkpoints
from runner.data import Dataset, Part, Stream, draw_split, load, prepare
from runner.machine import pick_device
from runner.models import autocast, build, logits_of
from runner.spec import Kind, Problem, RequestError, Settings, from_pydantic, references, refuse_modules_in, suggest
from runner.store import CORRUPT, FAILED, FINISHED, PRUNED, RunDir, RunJson, read_rows
from runner.train import evaluation_batch
from runner.typed import command

_MOST_LISTED = 12
_RETRAIN = "retrain the run with --retrain (of a search: remove its directory and run the same command)"
_CURVES = {"epoch", "train/loss", "train_eval/loss", "val/loss"}


@dataclass(frozen=True)
class FinishedRun:
    """A run that may be evaluated.

    study, variant, digest, seed  as in run.json
    ended                         when it ended, seconds since 1970, as in run.json
    metrics                       as in result.json
    rows                          as in metrics.csv
    """

    folder: Path
    study: str
    variant: str
    digest: str
    seed: int
    ended: float
    settings: Settings
    best_epoch: int
    metrics: dict[str, float]
    rows: list[dict[str, float]]
    dataset: Dataset
    model: nn.Module
    device: torch.device

    @property
    def stream(self) -> Stream:
        """The stream of the run's images as the model takes them, never augmented."""
        plain = self.settings.model_copy(update={"augment": ()})
        return Stream(self.dataset, plain, self.seed, self.device)

    def logits(self, part: Part) -> torch.Tensor:
        """Returns the model's output for a part in the part's order: float32, N x classes, on the CPU."""
        size = evaluation_batch(self.model, self.settings, self.dataset.shape)
        batches = track(
            self.stream.evaluation(part, size), "evaluating", math.ceil(len(part) / size), transient=True,
            disable=not sys.stdout.isatty(),
        )  # fmt: skip
        return torch.cat([self.output(images) for images, _ in batches])

    def output(self, images: torch.Tensor) -> torch.Tensor:
        """Returns the model's output for normalized images (float32, N x C x H x W): float32, N x classes, on a CPU."""
        with torch.inference_mode(), autocast(self.settings, self.device):
            output: torch.Tensor = logits_of(self.model(images))
            return output.float().cpu()


def open_run(folder: Path, data: Path, device: str) -> FinishedRun:
    """Reads a run directory, its data set and its model. Raises RequestError where one of them can't be used."""
    place = pick_device(device)
    known, metrics = _finished(folder)
    if metrics and "best_epoch" not in metrics:
        what = "was trained by your own training or adopted; only runs of the runner's own training can be evaluated."
        raise RequestError([Problem(Kind.STATE, str(folder), what)])
    try:
        names = (known.study, known.variant)
        if not all(name and name.isprintable() and Path(name).name == name.lstrip(".") for name in names):
            raise ValueError("study and variant are not names that a directory can have")
        best_epoch = int(metrics["best_epoch"])
        if not 0 < best_epoch < 2**31:
            raise ValueError(f"the best epoch is {best_epoch}")
        settings = Settings.model_validate(known.settings)
    except pydantic.ValidationError as error:
        raise RequestError(from_pydantic(error, f"{folder}/run.json", Settings)) from error
    except (KeyError, TypeError, ValueError) as error:
        what = f"run.json or result.json is not what the runner writes ({type(error).__name__}: {error})."
        raise RequestError([Problem(Kind.STATE, str(folder), f"{what} {_there(folder)}")]) from error
    rows = read_rows(folder / "metrics.csv")
    weights = None
    with suppress(OSError):
        weights = checkpoints.load(RunDir(folder).best)
    problems = [
        Problem(Kind.PATH, f"{folder}/{name}", f"is missing or corrupt; {_RETRAIN}.")
        for name, whole in (("metrics.csv", rows and rows[0].keys() >= _CURVES), ("best.pt", weights))
        if not whole
    ]
    if problems or weights is None:
        raise RequestError(problems)
    refuse_modules_in(folder.resolve().parents[:3][-1], references(settings))
    # The fingerprint below shows that the run skipped the same images.
    dataset = load(prepare(settings, data, skip_unreadable=True))
    if dataset.fingerprint != known.provenance.data:
        then = str(known.provenance.data)
        raise RequestError([_other_data(folder, settings, data, then, dataset.fingerprint)])
    dataset = draw_split(dataset, settings, known.seed)
    model = _model(folder, settings, dataset, known.seed, weights).to(place)
    return FinishedRun(
        folder, known.study, known.variant, known.digest, known.seed, known.ended or 0.0, settings, best_epoch,
        metrics, rows, dataset, model, place,
    )  # fmt: skip


def _finished(folder: Path) -> tuple[RunJson, dict[str, float]]:
    """Returns run.json and the metrics of result.json. Raises RequestError where the run is not finished."""
    directory = RunDir(folder)
    known, result, status = directory.run_json(), directory.result(), directory.status()
    if known and result and status == FINISHED:
        return known, result.numbers
    if not folder.is_dir():
        what = "there is no such directory."
    elif not known:
        what = "is not a run's directory: expected a run.json that can be read."
    elif status == CORRUPT:
        names = ", ".join(path.name for path in directory.corrupt_files())
        what = f"files of the run are corrupt ({names}); the command that trained it retrains it."
    elif status == FAILED:
        what = f"the run failed ({known.cause or 'no cause recorded'}); only a finished run can be evaluated."
    elif status == PRUNED:
        cause = known.cause or "no cause recorded"
        what = f"the search stopped the run ({cause}); only a finished run can be evaluated."
    else:
        what = "the run is not finished; the command that began it resumes it."
    raise RequestError([Problem(Kind.STATE, str(folder), f"{what} {_there(folder)}")])


def _there(folder: Path) -> str:
    """Lists the finished runs nearest to a folder, for a message."""
    for place in [near for near in (folder, *folder.parents)[:4] if near.is_dir() and near != near.parent]:
        found: list[str] = []
        for depth in range(4):  # as deep as from a project's root: your whole disk is not searched
            found += sorted(str(path.parent) for path in place.glob("*/" * depth + "seed*/result.json"))
        if found and not folder.exists():
            return suggest(str(folder), found)
        if found:
            more = f" and {len(found) - _MOST_LISTED} more" if len(found) > _MOST_LISTED else ""
            return f"Finished runs in {place}: {', '.join(found[:_MOST_LISTED])}{more}."
    trains = command("run", make="make ablations")
    return f"There are no finished runs near it; {trains} trains some in runs/."


def _other_data(folder: Path, settings: Settings, data: Path, then: str, now: str) -> Problem:
    where = settings.dataset if settings.dataset.startswith("folder:") else f"{settings.dataset} (--data {data})"
    what = (
        f"{where} is not what the run was trained on: its fingerprint was {then} and is {now}. "
        f"Give the same data set, or {_RETRAIN}."
    )
    return Problem(Kind.DATA, str(folder), what)


def _model(folder: Path, settings: Settings, dataset: Dataset, seed: int, weights: dict[str, Any]) -> nn.Module:
    """Returns the model of the settings with the weights of best.pt, in evaluation mode."""
    try:
        plain = settings.model_copy(update={"weights": "none"})  # their file may be gone
        model = build(plain, dataset.shape, len(dataset.classes), seed)
        model.load_state_dict(weights)
    except Exception as error:  # your own model may raise anything
        what = (
            "the model in run.json can't be built, or does not fit these weights; restore its code, or retrain the run "
            f"({type(error).__name__}: {' '.join(str(error).split())[:300]})"
        )
        raise RequestError([Problem(Kind.CODE, f"{folder}/best.pt", what)]) from error
    return model.eval()
