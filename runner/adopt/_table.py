"""A table of results to runs: a CSV file with the columns variant and seed, and a column for each metric."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from runner.adopt._runs import Found, LoggedRun
from runner.measures import TAKEN
from runner.spec import Kind, Problem, RequestError

_MOST_PROBLEMS = 10


def read_table(path: Path) -> Found:
    """Reads a CSV table with one row a run. Raises RequestError with everything that is wrong with it."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        ended = path.stat().st_mtime
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RequestError([Problem(Kind.PATH, str(path), f"can't be read as a CSV table: {error}.")]) from error
    heads = [name for name in (rows[0] if rows else ()) if name]
    if missing := [name for name in ("variant", "seed") if name not in heads]:
        what = f"has no column {' or '.join(missing)}; expected the columns variant, seed and metrics, and a row a run."
        raise RequestError([Problem(Kind.MISSING, str(path), what)])
    names = [name for name in heads if name not in TAKEN]
    metrics = [name for name in names if all(_number(row[name]) is not None or not row[name] for row in rows)]
    problems = [] if metrics else [Problem(Kind.MISSING, str(path), "has no column of numbers; expected metrics.")]
    runs = []
    for line, row in enumerate(rows, start=2):
        variant, seed = (row["variant"] or "").strip(), (row["seed"] or "").strip()
        if not variant or not seed.isdecimal():
            what = f"got variant {variant!r} and seed {seed!r}; expected a name, and a whole number from 0."
            problems.append(Problem(Kind.VALUE, f"{path}:{line}", what))
            continue
        scalars = {name: {0: number} for name in metrics if (number := _number(row[name])) is not None}
        runs.append(LoggedRun(variant, int(seed), f"row {line}", scalars, {}, {}, ended, ended))
    twice = [key for key, count in Counter((run.variant, run.seed) for run in runs).items() if count > 1]
    problems += [
        Problem(
            Kind.DUPLICATE, str(path), f"variant {variant!r} with seed {seed} has several rows; expected one a run."
        )
        for variant, seed in twice
    ]
    if problems:
        raise RequestError(problems[:_MOST_PROBLEMS])
    ignored = [name for name in names if name not in metrics]
    return Found(runs, [f"Columns that are not numbers are skipped: {', '.join(ignored)}."] if ignored else [], "table")


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
