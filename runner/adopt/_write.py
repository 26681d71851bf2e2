"""Writes adopted runs as run directories, each only where something has changed."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from runner.adopt._runs import LoggedRun
from runner.events import (
    Steps,
    event_files,
    hparams,
    scalar_events,
    session_end,
    session_start,
    summary_event,
    text_summary,
    write_events,
)
from runner.store import (
    FAILED,
    FINISHED,
    Provenance,
    RunDir,
    RunJson,
    RunResult,
    VariantEntry,
    read_step_rows,
    result_tag,
    step_table,
)

_SUFFIX = ".adopted"  # of a run's event file


class Change(Enum):
    """What adopting a run did."""

    NEW = "new"
    REFRESHED = "refreshed"
    NONE = "unchanged"


@dataclass(frozen=True)
class Place:
    """Where a run goes: the study's directory, and its variant there.

    metrics  the study's; `main` is the main one
    again    whether its events are written though nothing of the run has changed, because the metrics have
    """

    folder: Path
    name: str
    entry: VariantEntry
    main: str
    metrics: Sequence[str]
    again: bool = False


def write_run(place: Place, run: LoggedRun, values: Mapping[str, float]) -> Change:
    """Writes a run's directory; a run whose main metric is not finite is a failed one, as one that diverged."""
    directory = RunDir(place.folder / place.entry.directory / f"seed{run.seed}")
    table = _table(run)
    main = values[place.main]
    cause = "" if math.isfinite(main) else f"{place.main} is {main}"
    metrics = {tag: value if math.isfinite(value) else None for tag, value in values.items()}
    known, result = directory.run_json(), directory.result()
    made = (cause, place.entry.settings, place.entry.changes)
    same = known is not None and (known.cause, known.settings, known.changes) == made and not place.again
    same = bool(same and (cause or (result and result.metrics == metrics)))
    if same and directory.status() in (FINISHED, FAILED) and _text(directory.folder / "metrics.csv") == table:
        return Change.NONE
    directory.folder.mkdir(parents=True, exist_ok=True)
    directory.forget()
    content = {
        "study": place.folder.name, "variant": place.name, "hash": place.entry.directory.rpartition("-")[2],
        "seed": run.seed, "status": FAILED if cause else FINISHED, "settings": place.entry.settings,
        "changes": place.entry.changes, "provenance": {}, "started": run.started, "ended": run.ended or None,
        "cause": cause, "adopted": run.source,
    }  # fmt: skip
    _write(directory.folder / "metrics.csv", table)
    _write_events(directory.folder, place, run, metrics, cause)
    directory.write_run_json(RunJson.model_validate(content))
    if not cause:
        directory.write_result(RunResult(metrics=metrics, provenance=Provenance()))
    return Change.REFRESHED if known else Change.NEW


def kept_runs(folder: Path, variants: Mapping[str, VariantEntry], found: Sequence[LoggedRun]) -> list[LoggedRun]:
    """Returns the adopted runs that are not among those found, from their own directories.

    `variants` are the study's, by their names in the logs.
    """
    there = {(run.variant, run.seed) for run in found}
    kept = []
    for variant, entry in variants.items():
        for path in sorted((folder / entry.directory).glob("seed*")):
            known = RunDir(path).run_json()
            if known and not RunDir(path).misplaced() and (variant, known.seed) not in there:
                source = str((known.model_extra or {}).get("adopted", ""))
                said = {key: value for key, value in known.settings.items() if key != "variant"}
                scalars, when = _scalars(path / "metrics.csv"), (known.started, known.ended or 0.0)
                kept.append(LoggedRun(variant, known.seed, source, scalars, {}, said, *when))
    return kept


def _scalars(path: Path) -> dict[str, Steps]:
    scalars: dict[str, Steps] = {}
    for step, row in read_step_rows(path).items():
        for tag, value in row.items():
            scalars.setdefault(tag, {})[step] = value
    return scalars


def _table(run: LoggedRun) -> str:
    """Returns metrics.csv: a row a step, and a column for each tag."""
    tags = [tag for tag in run.scalars if tag != "step"]
    rows: dict[int, dict[str, float]] = {}
    for tag in tags:
        for step, value in run.scalars[tag].items():
            rows.setdefault(step, {})[tag] = value
    return step_table(rows, tags)


def _write_events(folder: Path, place: Place, run: LoggedRun, metrics: Mapping[str, float | None], cause: str) -> None:
    """Writes the run's scalars, and hparams, metrics and status as of our own runs."""
    when, last = run.ended or time.time(), max(max(steps) for steps in run.scalars.values())
    group = f"{place.entry.directory} ({place.folder.name})"
    start = session_start(hparams(place.entry.settings, place.folder.name, place.name), group)
    finals = {name: value for name in place.metrics if (value := metrics.get(name)) is not None}
    events = [summary_event(start, 0, run.started), *scalar_events(run.scalars, run.walls, run.started)]
    events += scalar_events({result_tag(name): {last: value} for name, value in finals.items()}, {}, when)
    if cause:
        events.append(summary_event(text_summary("failure", cause), last, when))
    events.append(summary_event(session_end(not cause, when), last, when))
    write_events(folder, events, _SUFFIX, event_files(folder))


def _write(path: Path, text: str) -> None:
    """Writes a file beside and renames it. It is not flushed to the disk: the logs are still there after a crash."""
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(text, encoding="utf-8", newline="")
    os.replace(beside, path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
