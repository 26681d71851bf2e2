"""Writes a variant's mean over its seeds."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from runner.events import Steps, event_files, scalar_events, write_events
from runner.store import (
    DIVERGED_LOSS,
    FINISHED,
    MEAN_SCALARS,
    NEW,
    RUNNING,
    SEEDS_TAG,
    STARTED,
    Provenance,
    Row,
    RunDir,
    mean_tag,
    read_rows,
    read_step_rows,
    same_provenance,
)

if TYPE_CHECKING:
    from runner.stats import Interval

_MEAN, _DIVERGED = ".means", ".diverged"  # suffixes of a mean's event file; older versions wrote none
_LOSSES = tuple(name for name in MEAN_SCALARS if name.endswith("/loss"))
_Means = dict[int, dict[str, "Interval"]]  # for each step, each scalar's mean over seeds


def write_mean(folder: Path, ended: Sequence[Path], running: Sequence[Path] = (), own: Collection[str] = ()) -> bool:
    """Rewrites a variant's mean run: each scalar's mean over the seeds, its 95% t interval, and the number of seeds.

    `ended` and `running` are the seeds' metrics.csv; nothing else is read. A seed that ended early keeps its last
    value. A seed that still trains counts at the epochs that it has reached. Returns whether a mean loss has diverged.

    `own` are the metrics of a study with its own training. They have a mean at the steps that the seeds share.
    """
    means = _own_means(ended, running, own) if own else _epoch_means(ended, running)
    if not means:
        for path in event_files(folder) if own else ():  # of fewer seeds, which shared steps
            path.unlink()
        return False
    diverged = not own and _has_diverged(means)
    scalars: dict[str, Steps] = {}
    for step, found in means.items():
        for name, interval in found.items():
            scalars.setdefault(mean_tag(name, "", diverged), {})[step] = interval.estimate
            if math.isfinite(interval.low):  # one seed alone has no interval
                scalars.setdefault(mean_tag(name, "lower", diverged), {})[step] = interval.low
                scalars.setdefault(mean_tag(name, "upper", diverged), {})[step] = interval.high
    scalars[SEEDS_TAG] = {step: max(interval.n for interval in found.values()) for step, found in means.items()}
    suffix = _DIVERGED if diverged else _MEAN
    write_events(folder, scalar_events(scalars, {}, time.time()), suffix, event_files(folder))
    return diverged


def is_older_mean(folder: Path) -> bool:
    """Whether an older version wrote this mean run, with other tags."""
    files = event_files(folder)
    return bool(files) and not any(path.name.endswith((_MEAN, _DIVERGED)) for path in files)


def has_diverged(folder: Path) -> bool:
    """Whether a mean loss of this mean run has diverged."""
    return any(path.name.endswith(_DIVERGED) for path in event_files(folder))


def seed_tables(folder: Path, seed: str = "") -> tuple[list[Path], list[Path]]:
    """Returns the metrics.csv of a variant's seeds that are comparable with one of them: finished, unfinished ones.

    `seed` is that one's directory, such as "seed0"; by default it is the one that began last. A seed that failed is in
    neither list.
    """
    known = {path: RunDir(path).run_json() for path in sorted(folder.glob("seed*"))}
    made = {path: each for path, each in known.items() if each}
    newest = max(made.values(), key=lambda each: each.started, default=None)
    reference = made.get(folder / seed) if seed else newest
    mine = reference.provenance if reference else Provenance()
    ended, running = [], []
    for path, each in made.items():
        if same_provenance(each.provenance, mine):
            status = RunDir(path).own_status()
            if status == FINISHED:
                ended.append(path / "metrics.csv")
            elif each.status == RUNNING and status in (NEW, STARTED) and not RunDir(path).misplaced():
                running.append(path / "metrics.csv")
    return ended, running


def _epoch_means(ended: Sequence[Path], running: Sequence[Path]) -> _Means:
    done, open_ = [rows for rows in map(read_rows, ended) if rows], list(map(read_rows, running))
    reached: dict[int, list[Row]] = {}
    for number in range(max(map(len, [*done, *open_]), default=0)):
        reached[number + 1] = [each[min(number, len(each) - 1)] for each in done]
        reached[number + 1] += [each[number] for each in open_ if number < len(each)]
    return _by_step(dict.fromkeys(MEAN_SCALARS, reached))


def _own_means(ended: Sequence[Path], running: Sequence[Path], names: Collection[str]) -> _Means:
    """Returns means at the steps where every seed that has come so far logged the metric."""
    tables = [(read_step_rows(path), False) for path in ended] + [(read_step_rows(path), True) for path in running]
    ends = [(rows, max(rows, default=0) if is_running else math.inf) for rows, is_running in tables]
    shared: dict[str, dict[int, list[Row]]] = {}
    for name in names:
        seeds = [(rows, end) for rows, end in ends if any(name in row for row in rows.values())]
        for step in sorted({step for rows, _ in seeds for step in rows}):
            reached = [rows.get(step, {}) for rows, end in seeds if step <= end]
            if all(name in row for row in reached):
                shared.setdefault(name, {})[step] = reached
    return _by_step(shared)


def _by_step(rows: Mapping[str, Mapping[int, Sequence[Row]]]) -> _Means:
    """Returns the means of each scalar; `rows` has for each scalar and step the seeds' rows there."""
    from runner.stats import mean_intervals  # with scipy, which the root run's columns need not wait for

    found: _Means = {}
    for name, steps in rows.items():
        for count in {len(seeds) for seeds in steps.values()}:
            alike = [step for step, seeds in steps.items() if len(seeds) == count]
            values = np.array([[row[name] for row in steps[step]] for step in alike])
            for step, interval in zip(alike, mean_intervals(values), strict=True):
                found.setdefault(step, {})[name] = interval
    return found


def _has_diverged(means: _Means) -> bool:
    """Whether a mean loss is above DIVERGED_LOSS at any epoch, or not finite."""
    return not all(found[scalar].estimate <= DIVERGED_LOSS for found in means.values() for scalar in _LOSSES)
