"""Groups runs into variants and seeds by the hparams that they logged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runner.board.anyruns._grouping import Grouping, Part, arrange, duplicate_remarks, natural, seed_remarks, split_run
from runner.board.anyruns._pattern import ALL
from runner.board.anyruns._query import BY_HPARAMS, listed
from runner.events import Hparam, SessionStart, read_session_start

_SEEDS = re.compile(r"(?:.*[_/.-])?(?:seed|random_state|rng)(?:_everything)?")
_PATHS = re.compile(r"(?:.*[_/.-])?(?:log_?dir|save_?dir|output_?dir|run_?id|run_?name|timestamp|version|hostname)")
_IN_NAME = re.compile(r"(?:^|[^A-Za-z0-9])seed[_=:-]?0*([0-9]+)", re.IGNORECASE)
_HASH = re.compile(r"[0-9a-f]{32,64}")


@dataclass(frozen=True)
class Session:
    """What a run said when it started: its group (TensorBoard's session group, may be empty) and its hparams."""

    run: str
    group: str
    values: Mapping[str, Hparam]


@dataclass(frozen=True)
class _Labels:
    """The variant and seed of each session, whether seeds pair runs, and what to say about them."""

    variants: Sequence[str]
    seeds: Sequence[str]
    paired: bool
    remarks: tuple[str, ...]


def read_sessions(contents: Mapping[str, Iterable[bytes]]) -> list[Session]:
    """Returns the sessions that the hparams plugin stored, in natural order of runs. What can't be read is skipped."""
    read = ((run, read_session_start(content)) for run in contents for content in contents[run])
    return sessions_of((run, start) for run, start in read if start)


def sessions_of(starts: Iterable[tuple[str, SessionStart]]) -> list[Session]:
    """Returns the sessions of runs, by what each said when it started, in natural order of runs.

    What SummaryWriter.add_hparams writes to a sub-folder, named by the time, is about the run above. Where several of
    these differ, as after `add_hparams` in a loop, each is a run of its own.
    """
    ordered = sorted(starts, key=lambda pair: natural(pair[0]))
    above: dict[str, list[Mapping[str, Hparam]]] = {}
    for run, start in ordered:
        if is_by_clock(run):
            above.setdefault(split_run(run)[0], []).append(start.values)
    one = {run for run, values in above.items() if all(each == values[0] for each in values)}
    return [
        Session(split_run(run)[0] if is_by_clock(run) and split_run(run)[0] in one else run, start.group, start.values)
        for run, start in ordered
    ]


def is_by_clock(run: str) -> bool:
    """Whether a run is the sub-folder, named by the time, that SummaryWriter.add_hparams opens.

    >>> is_by_clock("adam/0/1700000000.5"), is_by_clock("adam/0")
    (True, False)
    """
    return split_run(run) == (run.replace("\\", "/").rpartition("/")[0], "")


def group_by_hparams(run_names: Iterable[str], sessions: Sequence[Session]) -> Grouping:
    """Groups runs by what they logged when they started.

    The variant is the session's group, or else the hparams that differ between sessions, without seeds and paths. The
    seed is the hparam seed, random_state, rng or the like, or else a seed in the run's name. Where neither differs
    between all runs of a variant, they are numbered, and not paired.
    """
    first = {session.run: session for session in reversed(sessions)}
    parts: dict[str, list[Part]] = {}
    unmatched = []
    for name in sorted(dict.fromkeys(run_names), key=lambda name: (natural(name), name)):
        root = _session_of(name, first)
        if root is None:
            unmatched.append(name)
        else:
            inner = "" if is_by_clock(name) else name[len(root) :].strip("/\\")
            parts.setdefault(root, []).append(Part(inner, name))
    labels = _labels([first[root] for root in parts])
    places: dict[tuple[str, str], dict[str, list[Part]]] = {}
    for variant, seed, root in zip(labels.variants, labels.seeds, parts, strict=True):
        places.setdefault((variant, seed), {})[root] = parts[root]
    variants, duplicates = arrange(places)
    remarks = [*labels.remarks, *seed_remarks(variants, labels.paired), *duplicate_remarks(places)]
    if parts and (without := [name for name in unmatched if name != "."]):
        remarks.insert(0, f"Runs without hparams are skipped: {listed(without)}.")
    if not parts:
        remarks = ["No run has logged hparams. Group the runs by a pattern for their names."]
    return Grouping(BY_HPARAMS, variants, tuple(unmatched), duplicates, labels.paired, tuple(remarks))


def _session_of(name: str, sessions: Mapping[str, Session]) -> str | None:
    """Returns the session whose directory a run is, or is in; None where there is none."""
    root = name.replace("\\", "/")
    while root and name not in sessions:
        if root in sessions:
            return root
        root = root.rpartition("/")[0]
    return name if name in sessions else None


def is_seed(hparam: str) -> bool:
    """Whether an hparam's name says that it is a seed.

    >>> is_seed("data/rng_seed"), is_seed("seeds_per_tray")
    (True, False)
    """
    return bool(_SEEDS.fullmatch(hparam.lower()))


def is_place(hparam: str) -> bool:
    """Whether an hparam's name says that it is a place, a time or a run's name, which each run has its own of.

    >>> is_place("log_dir"), is_place("lr")
    (True, False)
    """
    return bool(_PATHS.fullmatch(hparam.lower()))


def _labels(sessions: Sequence[Session]) -> _Labels:
    keys = list(dict.fromkeys(key for session in sessions for key in session.values))
    differing = [key for key in keys if len({_text(session.values.get(key)) for session in sessions}) > 1]
    seed_keys = [key for key in differing if is_seed(key)]
    paths = [key for key in differing if is_place(key)]
    groups = [session.group for session in sessions]
    if all(groups) and not any(map(_HASH.fullmatch, groups)) and (len(set(groups)) < len(groups) or not seed_keys):
        variants, remarks = groups, []
    else:
        shown = sorted(set(differing) - set(seed_keys) - set(paths), key=natural)
        variants = [", ".join(f"{key}={_text(each.values.get(key))}" for key in shown) or ALL for each in sessions]
        remarks = [f"Variants are named by the hparams that differ: {listed(shown)}."] if shown else []
        if shown and paths:
            remarks.append(f"Hparams that name places or times are ignored: {listed(paths)}.")
    seeds = [",".join(_text(each.values.get(key)) for key in seed_keys) for each in sessions]
    if seed_keys and _are_unique(variants, seeds):
        return _Labels(variants, seeds, True, tuple(remarks))
    named = [_IN_NAME.findall(session.run)[-1:] for session in sessions]
    seeds = [found[0] or "0" for found in named if found]
    if len(seeds) == len(sessions) and _are_unique(variants, seeds):
        return _Labels(variants, seeds, True, (*remarks, "Seeds are read from the names of the runs."))
    seeds = [str(variants[: place + 1].count(variant)) for place, variant in enumerate(variants)]
    remark = "No hparam gives each run of a variant its own seed: runs are numbered, and compared without pairs."
    return _Labels(variants, seeds, False, (*remarks, remark) if sessions else ())


def _are_unique(variants: Sequence[str], seeds: Sequence[str]) -> bool:
    return len(set(zip(variants, seeds, strict=True))) == len(variants)


def _text(value: Hparam | None) -> str:
    """Returns an hparam as people write it. TensorBoard stores whole numbers as floats."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return "none" if value is None else str(value)
