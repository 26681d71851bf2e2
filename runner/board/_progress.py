"""How far a study's runs are, from the files that are there: quick also for thousands of runs."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner.files import is_plain_file, is_within
from runner.store import FAILED, RUNNING, RunDir, StudyFile

FINISHED, TRAINING, INTERRUPTED, WAITING = "finished", "training", "interrupted", "waiting"
MOST_BYTES = 2**26  # of a run.json or metrics.csv
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
    """Returns the state of each variant's planned runs, by seed; of an older study.json the runs that are there.

    Directories outside the study's are skipped, and so are files that are not plain or very large.
    """
    plan, place = study.plan, folder.resolve()
    found: dict[str, list[RunState]] = {}
    for name, variant in study.variants.items():
        own = folder / variant.directory
        there = {_seed(path): path for path in own.glob("seed*")} if is_within(own, place) else {}
        first = plan.seeds[: plan.looks[0]] if plan else ()
        seeds = [*first, *(seed for seed in sorted(there) if seed not in first and (not plan or seed in plan.seeds))]
        epochs = max(0, int(variant.settings.get("epochs", 0) or 0)) if study.measures.is_ours else 0
        found[name] = [_state(there.get(seed), seed, epochs) for seed in seeds if seed >= 0]
    return found


def _seed(path: Path) -> int:
    digits = path.name.removeprefix("seed")
    return int(digits) if digits.isdecimal() and str(int(digits)) == digits else -1


def _state(path: Path | None, seed: int, epochs: int) -> RunState:
    files = _files(path) if path else {}
    if not path or not files:
        return RunState(seed, WAITING, epochs=epochs)
    if "result.json" in files:
        return RunState(seed, FINISHED, files["result.json"].st_mtime, epochs, epochs)
    known = RunDir(path).run_json() if _is_plain(files, "run.json") else None
    when = max(each.st_mtime for each in files.values())
    epoch = _rows(path / "metrics.csv") if _is_plain(files, "metrics.csv") else 0
    if known and known.status == FAILED:
        return RunState(seed, FAILED, when, epoch, epochs, known.cause)
    if known and known.status == RUNNING:
        state = TRAINING if time.time() - when < _QUIET else INTERRUPTED
        return RunState(seed, state, when, epoch, epochs)
    return RunState(seed, WAITING, when, 0, epochs)


def _files(folder: Path) -> dict[str, os.stat_result]:
    """The state of each file in a run directory, links not followed; none where it is a link or can't be read."""
    if folder.is_symlink():
        return {}
    found = {}
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # the run has just replaced it
                found[entry.name] = entry.stat(follow_symlinks=False)
    return found


def _is_plain(files: Mapping[str, os.stat_result], name: str) -> bool:
    return name in files and is_plain_file(files[name], MOST_BYTES)


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
