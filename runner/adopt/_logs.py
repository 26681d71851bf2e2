"""A log directory to runs: grouped by a pattern for their names or by their hparams, their event files as scalars."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from runner.adopt._runs import Found, LoggedRun
from runner.board.anyruns import (
    BY_HPARAMS,
    Grouping,
    Member,
    QueryError,
    Session,
    group,
    group_by_hparams,
    guess_pattern,
    is_by_clock,
    parse_pattern,
    sessions_of,
)
from runner.events import Hparam, Scalars, Steps, is_event_file, read_scalars
from runner.spec import Kind, Mistake, Problem, RequestError

_NAMED = 5  # runs in a message
Read = Callable[[str], Scalars]  # a run's directory, relative to the log directory, to its scalars


def read_logs(logdir: Path, pattern: str) -> Found:
    """Reads every run below a log directory. An empty pattern is guessed. Raises RequestError."""
    names = _run_names(logdir)
    if not names:
        what = "has no TensorBoard event files; give a log directory, or a CSV table with variant, seed and metrics."
        raise RequestError([Problem(Kind.MISSING, str(logdir), what)])
    read = cache(lambda name: _scalars(logdir / name))
    grouping = _grouping(names, pattern, read)
    runs, parts = [], []
    for variant, seeds in grouping.variants.items():
        for seed, member in seeds.items():
            run, own = _run(variant, int(seed), member, read)
            runs.append(run)
            parts.append(own)
    return Found(runs, [*grouping.remarks, *_remarks(parts)], grouping.pattern)


def _run_names(logdir: Path) -> list[str]:
    """Returns the directories with event files, relative to the log directory. Links to directories are skipped."""
    found = []
    for place, _, files in os.walk(logdir):
        if any(map(is_event_file, files)):
            found.append(Path(place).relative_to(logdir).as_posix())
    return sorted(found)


def _scalars(folder: Path) -> Scalars:
    try:
        return read_scalars(folder)
    except OSError as error:
        mistake = Mistake(Kind.PATH, f"can't be read: {error.strerror or error}; make it readable.")
        raise RequestError([mistake.at(str(folder))]) from error


def _grouping(names: Sequence[str], pattern: str, read: Read) -> Grouping:
    """Groups runs by a pattern.

    Without one their hparams group them where no name has a seed, and where add_hparams was called in a loop.
    """
    named = f"Runs are named {', '.join(names[:_NAMED])}."
    chosen = pattern or guess_pattern(names)
    sessions = sessions_of((name, start) for name in names if (start := read(name).session))
    loop = any(is_by_clock(each.run) for each in sessions)
    if pattern == BY_HPARAMS or (not pattern and sessions and (loop or "{seed}" not in chosen)):
        return _by_hparams([name for name in names if read(name).values], sessions, named)
    try:
        parsed = parse_pattern(chosen)
    except QueryError as error:
        raise RequestError([Problem(error.kind, "--variants", f"{error} {named}")]) from error
    if not parsed.has_seed:
        what = f"got {chosen!r} without {{seed}}; expected a pattern with {{seed}}, because effects are paired by seed."
        raise RequestError([Problem(Kind.MISSING, "--variants", f"{what} {named}")])
    grouping = group(names, parsed)
    if not grouping.variants:
        what = f"{chosen!r} matches no run; runs are named {', '.join(names[:_NAMED])}."
        raise RequestError([Problem(Kind.UNKNOWN, "--variants", what)])
    if loop:
        what = "Some runs have several sub-folders of add_hparams that differ: the newest counts."
        return replace(grouping, remarks=(*grouping.remarks, what))
    return grouping


def _by_hparams(names: Sequence[str], sessions: Sequence[Session], named: str) -> Grouping:
    """Groups runs by what their hparams say. Raises RequestError where these give no seed."""
    if not sessions:
        what = f"no run has logged hparams; give a pattern such as {{variant}}/seed{{seed}}. {named}"
        raise RequestError([Problem(Kind.MISSING, "--variants", what)])
    grouping = group_by_hparams(names, sessions)
    seeds = {seed for own in grouping.variants.values() for seed in own}
    if not grouping.paired or not all(map(str.isdecimal, seeds)):
        what = "no hparam gives each run of a variant its own seed, and effects are paired by seed."
        raise RequestError([Problem(Kind.MISSING, "--variants", f"{what} Log a seed, or give a pattern. {named}")])
    return grouping


def _hparams(scalars: Scalars) -> dict[str, Hparam]:
    return dict(scalars.session.values) if scalars.session else {}


def _run(variant: str, seed: int, member: Member, read: Read) -> tuple[LoggedRun, list[Scalars]]:
    """Returns a run of all its parts. Of a tag that several have, the first part's values count.

    The sub-folders of SummaryWriter.add_hparams come last, the newest first.
    """
    scalars: dict[str, Steps] = {}
    walls: dict[int, float] = {}
    by_clock = sorted(filter(lambda part: is_by_clock(part.run), member.parts), key=lambda part: _seconds(part.run))
    others = [part for part in member.parts if part not in by_clock]
    parts = {part: read(part.run) for part in (*others, *reversed(by_clock))}
    for part, own in parts.items():
        lead = f"{part.prefix}/" if part.prefix else ""
        for tag, steps in own.values.items():
            if steps:
                scalars.setdefault(tag if tag.startswith(lead) else lead + tag, steps)
        walls = own.walls | walls
    hparams = [found for part in (*others, *by_clock) if (found := _hparams(parts[part]))]
    started = min((own.started for own in parts.values() if own.started), default=0.0)
    ended = max((own.ended for own in parts.values()), default=0.0)
    said = hparams[-1] if hparams else {}
    return LoggedRun(variant, seed, member.run, scalars, walls, said, started, ended), list(parts.values())


def _seconds(run: str) -> float:
    """Returns the time that names a sub-folder of add_hparams; as text, its digits don't sort."""
    return float(run.rpartition("/")[2])


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
