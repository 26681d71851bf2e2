"""What a study costs before, after and beside training: its start, its report, each run, and its logs."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench.contestants import OURS, Outcome, launch, python
from benchmarks.bench.study import bench_study, write_images
from runner.data import prepare
from runner.expand import Overrides, resolve
from runner.store import RunDir

_TRAIN = 90  # images: one step an epoch
_SEEDS = 5  # of the larger of two studies, which tell what a run costs


@dataclass(frozen=True)
class Fixed:
    """Seconds of studies so small that training takes next to nothing, one value a repetition.

    first    from the command's start to the end of the first epoch, which is one step
    report   from the last run's end to the command's end
    run      what each further run costs
    logging  CPU seconds of an epoch of a run with logs, minus those without
    """

    first: list[float]
    report: list[float]
    run: list[float]
    logging: list[float]


def prepared(images: Path, study: dict[str, Any], place: Path) -> Path:
    """Returns the folder in place/data/cache that the runner prepares from a zip of images."""
    (variant, *_) = resolve(Path("bench"), study, "", Overrides()).variants
    return prepare(variant.ours, images, place / "data" / "cache")


def _last_end(outcome: Outcome) -> float:
    records = [RunDir(folder).run_json() for folder in outcome.folders]
    return max(record.ended or 0.0 for record in records if record)


def measure_fixed(place: Path, repetitions: int, epochs: int) -> Fixed:
    """Measures in an empty folder. `epochs` are those of the study, since logs also cost something at a run's ends."""
    found = Fixed([], [], [], [])
    place.mkdir()
    images = place / "images.zip"
    write_images(images, _TRAIN, None)
    study = bench_study(False, 1, [0])
    variants = 1 + len(study["variants"])
    cache = prepared(images, study, place)
    for number in range(repetitions):
        small = launch(OURS, study, images, cache, place / f"small{number}")
        large = launch(OURS, study | {"seeds": list(range(_SEEDS))}, images, cache, place / f"large{number}")
        found.first.append(min(run.ends[0] for run in small.flat) - small.started)
        found.report.append(small.ended - _last_end(small))
        spent = [_last_end(each) - each.started for each in (small, large)]
        found.run.append((spent[1] - spent[0]) / (variants * (_SEEDS - 1)))
        seconds = [_cpu_seconds(place, cache, epochs, how) for how in ("with", "without")]
        found.logging.append((seconds[0] - seconds[1]) / (variants * epochs))
    return found


def _cpu_seconds(place: Path, cache: Path, epochs: int, how: str) -> float:
    """Returns the CPU seconds of the study in one process, `how` being with or without logs."""
    task, output = place / "task.json", place / "output.txt"
    task.write_text(json.dumps({"study": bench_study(False, epochs, [0]), "cache": str(cache)}))
    code = python(["-m", "benchmarks.bench.unlogged", str(task), how], place, output)
    lines = output.read_text().splitlines()
    if code:
        raise RuntimeError("\n".join(["benchmarks.bench.unlogged failed:", *lines[-20:]]))
    return float(lines[-1])


def logging_share(fixed: Fixed, steady: float, workers: int) -> float:
    """Returns the logs' share of the processor time of an epoch of a run; `steady` are its seconds.

    >>> logging_share(Fixed([], [], [], [0.1]), steady=2.5, workers=2)
    0.02
    """
    return statistics.median(fixed.logging) / (steady * workers)
