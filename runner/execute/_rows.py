"""What the progress display says of each job in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runner.execute._messages import Job
from runner.expand import Run
from runner.text import duration

_MOST_NAMES = 44  # characters


@dataclass(frozen=True)
class Row:
    """One job in training.

    names  its variants, or how many runs it has
    far    how far it is, such as "epoch 3 of 30"
    value  its latest metric, such as "val 0.9120"; empty before there is one
    best   the variant that has it, where a job has several
    """

    names: str
    seed: int
    far: str
    value: str
    best: str = ""


def our_row(job: Job, runs: Mapping[Run, Mapping[str, float]]) -> Row:
    """Returns a cohort's row: its epochs, and its best validation accuracy. `runs` has each run's latest metrics."""
    first = job.runs[0]
    epochs = [int(metrics["epoch"]) for metrics in runs.values()]
    now = f"{min(epochs)}" if min(epochs) == max(epochs) else f"{min(epochs)}-{max(epochs)}"
    best = max(runs, key=lambda run: runs[run].get("val/accuracy", -1.0))
    accuracy = runs[best].get("val/accuracy")
    names = ", ".join(run.variant.name for run in runs)
    far = f"epoch {now} of {max(run.variant.settings.epochs for run in runs)}"
    value = f"val {accuracy:.4f}" if accuracy is not None else ""
    names = names if len(names) < _MOST_NAMES else f"{len(runs)} runs of {first.study}"
    return Row(names, first.seed, far, value, best.variant.name if value else "")


def own_row(run: Run, metrics: Mapping[str, float], elapsed: float, expected: float | None) -> Row:
    """Returns the row of a run that its study trains itself.

    It has the latest step and the first of the study's metrics, where the run has logged them, and the seconds so far.
    """
    step = f"step {metrics['step']:.0f}, " if "step" in metrics else ""
    of = f" of about {duration(expected)}" if expected is not None and expected > elapsed else ""
    names = run.own.metrics if run.own else ()
    value = next((f"{name} {metrics[name]:.4g}" for name in names if name in metrics), "")
    return Row(run.variant.name, run.seed, f"{step}{duration(elapsed)}{of}", value)
