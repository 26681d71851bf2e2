"""A log directory to runs: their names are read by a pattern, their event files as scalars."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from runner.adopt._runs import Found, LoggedRun
from runner.board.anyruns import Member, QueryError, group, guess_pattern, parse_pattern
from runner.events import Scalars, Steps, is_event_file, read_scalars
from runner.spec import Kind, Mistake, Problem, RequestError

_NAMED = 5  # runs in a message


def read_logs(logdir: Path, pattern: str) -> Found:
    """Reads every run below a log directory. An empty pattern is guessed. Raises RequestError."""
    names = _run_names(logdir)
    if not names:
        what = "has no TensorBoard event files; give a log directory, or a CSV table with variant, seed and metrics."
        raise RequestError([Problem(Kind.MISSING, str(logdir), what)])
    chosen = pattern or guess_pattern(names)
    try:
        parsed = parse_pattern(chosen)
    except QueryError as error:
        what = f"{error} Runs are named {', '.join(names[:_NAMED])}."
        raise RequestError([Problem(error.kind, "--variants", what)]) from error
    if not parsed.has_seed:
        what = f"got {chosen!r} without {{seed}}; expected a pattern with {{seed}}, because effects are paired by seed."
        raise RequestError([Problem(Kind.MISSING, "--variants", f"{what} Runs are named {', '.join(names[:_NAMED])}.")])
    grouping = group(names, parsed)
    if not grouping.variants:
        what = f"{chosen!r} matches no run; runs are named {', '.join(names[:_NAMED])}."
        raise RequestError([Problem(Kind.UNKNOWN, "--variants", what)])
    runs, parts = [], []
    for variant, seeds in grouping.variants.items():
        for seed, member in seeds.items():
            run, own = _read(logdir, variant, int(seed), member)
            runs.append(run)
            parts.append(own)
    return Found(runs, [*grouping.remarks, *_remarks(parts)], chosen)


def _run_names(logdir: Path) -> list[str]:
    """Returns the directories with event files, relative to the log directory. Links to directories are skipped."""
    found = []
    for place, _, files in os.walk(logdir):
        if any(map(is_event_file, files)):
            found.append(Path(place).relative_to(logdir).as_posix())
    return sorted(found)


def _read(logdir: Path, variant: str, seed: int, member: Member) -> tuple[LoggedRun, list[Scalars]]:
    scalars: dict[str, Steps] = {}
    walls: dict[int, float] = {}
    parts = []
    for part in member.parts:
        try:
            own = read_scalars(logdir / part.run)
        except OSError as error:
            mistake = Mistake(Kind.PATH, f"can't be read: {error.strerror or error}; make it readable.")
            raise RequestError([mistake.at(str(logdir / part.run))]) from error
        parts.append(own)
        lead = f"{part.prefix}/" if part.prefix else ""
        for tag, steps in own.values.items():
            if steps:
                scalars.setdefault(tag if tag.startswith(lead) else lead + tag, steps)
        walls |= own.walls
    started = min((own.started for own in parts if own.started), default=0.0)
    ended = max((own.ended for own in parts), default=0.0)
    return LoggedRun(variant, seed, member.run, scalars, walls, started, ended), parts


def _remarks(runs: Sequence[Sequence[Scalars]]) -> list[str]:
    several = sum(any(own.files > 1 for own in parts) for parts in runs)
    doubled = sum(any(own.doubled for own in parts) for parts in runs)
    torn = sum(own.torn for parts in runs for own in parts)
    said = []
    if several:
        said.append(f"Runs with several event files, each read as one run: {several}.")
    if doubled:
        said.append(f"Runs that logged a step more than once, as after a resume: {doubled}. The last value counts.")
    if torn:
        said.append(f"Event files that end in a corrupt record: {torn}. What follows in them is skipped.")
    return said
