"""How far a study's runs are, from the files that are there: quick also for thousands of runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.store import FAILED, RUNNING, RunDir, StudyFile

FINISHED, TRAINING, INTERRUPTED, WAITING = "finished", "training", "interrupted", "waiting"
_QUIET = 600.0  # seconds without a new file: from then on a run counts as interrupted
_LATEST = 20  # finished runs that the pace is taken from


@dataclass(frozen=True)
class RunState:
    """One planned run: finished, training, interrupted, failed or waiting; `when` is its newest file's time.

    `epoch` is how many epochs it has trained, of at most `epochs`; `cause` says why it failed.
    """

    seed: int
    state: str
    when: float = 0.0
    epoch: int = 0
    epochs: int = 0
    cause: str = ""


def run_states(folder: Path, study: StudyFile) -> dict[str, list[RunState]]:
    """Returns the state of each variant's planned runs, by seed; of an older study.json the runs that are there."""
    plan = study.plan
    found: dict[str, list[RunState]] = {}
    for name, variant in study.variants.items():
        there = {_seed(path): path for path in (folder / variant.directory).glob("seed*")}
        first = plan.seeds[: plan.looks[0]] if plan else ()
        seeds = [*first, *(seed for seed in sorted(there) if seed not in first and (not plan or seed in plan.seeds))]
        epochs = int(variant.settings.get("epochs", 0) or 0)
        found[name] = [_state(there.get(seed), seed, epochs) for seed in seeds if seed >= 0]
    return found


def _seed(path: Path) -> int:
    digits = path.name.removeprefix("seed")
    return int(digits) if digits.isdecimal() else -1


def _state(path: Path | None, seed: int, epochs: int) -> RunState:
    if path is None or path.is_symlink():
        return RunState(seed, WAITING, epochs=epochs)
    result = path / "result.json"
    if result.exists():
        return RunState(seed, FINISHED, result.stat().st_mtime, epochs, epochs)
    known = RunDir(path).run_json()
    when = max((file.lstat().st_mtime for file in path.iterdir()), default=0.0)
    epoch = _rows(path / "metrics.csv")
    if known and known.status == FAILED:
        return RunState(seed, FAILED, when, epoch, epochs, known.cause)
    if known and known.status == RUNNING:
        state = TRAINING if time.time() - when < _QUIET else INTERRUPTED
        return RunState(seed, state, when, epoch, epochs)
    return RunState(seed, WAITING, when, 0, epochs)


def _rows(table: Path) -> int:
    """The epochs in a metrics.csv: its whole lines below the head."""
    try:
        return max(0, table.read_bytes().count(b"\n") - 1)
    except OSError:
        return 0


def seconds_left(states: Mapping[str, Sequence[RunState]]) -> float | None:
    """Returns the remaining seconds at the pace of the latest finished runs; None where none trains, or no pace shows.

    Runs in training count by their epochs. Early stopping makes most runs shorter than this says.
    """
    every = [state for own in states.values() for state in own]
    training = [each for each in every if each.state == TRAINING]
    ends = sorted(each.when for each in every if each.state == FINISHED)[-_LATEST:]
    if not training or len(ends) < 2 or ends[-1] <= ends[0]:
        return None
    left = sum(each.state in (WAITING, INTERRUPTED) for each in every)
    left_of_training = sum(1 - each.epoch / each.epochs for each in training if each.epochs)
    return (left + left_of_training) * (ends[-1] - ends[0]) / (len(ends) - 1)
