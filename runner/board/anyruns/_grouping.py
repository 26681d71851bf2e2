"""Groups runs into variants and seeds by a pattern for their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from runner.board.anyruns._pattern import Found, Pattern
from runner.board.anyruns._query import listed, quoted

SUB_RUNS = ("train", "training", "val", "valid", "validation", "test", "eval")
_BASELINES = ("baseline", "base", "default", "control", "vanilla", "none")
_CLOCK = re.compile(r"[0-9]{9,11}\.[0-9]+")  # the sub-folder of SummaryWriter.add_hparams

_SAYS_SEED = re.compile(r"(?:seed|rng|state|(?:^|[^a-z])s)[^a-z{}]*\{seed\}", re.IGNORECASE)


class Part(NamedTuple):
    """One directory of a run. A prefix, such as "val", becomes part of its tags: `loss` is shown as `val/loss`."""

    prefix: str
    run: str


@dataclass(frozen=True)
class Member:
    """The run of one variant and seed: its name, and the directories that it wrote to."""

    run: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Grouping:
    """Runs as variants and seeds.

    pattern     the pattern, or "hparams"
    variants    variant to seed to run, in natural order
    unmatched   runs that the pattern does not match, or that have no hparams
    duplicates  runs whose variant and seed another run has already
    paired      whether equal seeds of two variants belong together
    remarks     what is unusual, for people
    """

    pattern: str
    variants: Mapping[str, Mapping[str, Member]]
    unmatched: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    paired: bool = True
    remarks: tuple[str, ...] = ()


def natural(name: str) -> list[tuple[int, int, str]]:
    """Returns a key that sorts names as people do.

    >>> sorted(["run10", "run9"], key=natural)
    ['run9', 'run10']
    """
    pieces = re.findall(r"[0-9]+|[^0-9]+", name)
    return [(0, len(piece.lstrip("0")), piece.lstrip("0")) if piece[0] in "0123456789" else (1, 0, piece.lower())
            for piece in pieces]  # fmt: skip


def group(run_names: Iterable[str], pattern: Pattern) -> Grouping:
    """Groups runs by a pattern. Each name is in one run of one variant, or unmatched, or a duplicate.

    What follows the seed's directory names a part of the run: `adam/0/val` is the part "val" of `adam/0`. A last
    folder such as train or val is such a part wherever the pattern matches without it.
    """
    places: dict[tuple[str, str], dict[str, list[Part]]] = {}
    unmatched = []
    for name in sorted(dict.fromkeys(run_names), key=lambda name: (natural(name), name)):
        if read := _read(name, pattern):
            found, root, part = read
            places.setdefault((found.variant, found.seed), {}).setdefault(root, []).append(part)
        else:
            unmatched.append(name)
    if not pattern.has_seed:
        places = _numbered(places)
    variants, duplicates = arrange(places)
    remarks = [*_said(variants, unmatched, pattern), *duplicate_remarks(places)]
    return Grouping(pattern.text, variants, tuple(unmatched), duplicates, pattern.has_seed, tuple(remarks))


def split_run(name: str) -> tuple[str, str]:
    """Splits the folder of a part of a run off its name.

    >>> split_run("adam/0/val"), split_run("adam/0"), split_run("adam/0/1700000000.5")
    (('adam/0', 'val'), ('adam/0', ''), ('adam/0', ''))
    """
    before, slash, last = name.replace("\\", "/").rpartition("/")
    if slash and last.lower() in SUB_RUNS:
        return before, last
    return (before, "") if slash and _CLOCK.fullmatch(last) else (name.replace("\\", "/"), "")


def _read(name: str, pattern: Pattern) -> tuple[Found, str, Part] | None:
    """Returns what a name says, the name of its run, and which part of the run it is."""
    whole = name.replace("\\", "/")
    root, prefix = split_run(whole)
    if root == whole or not (found := pattern.match(root)):
        root, prefix = whole, ""
        found = pattern.match(root)
    if not found:
        return None
    inner = root[found.end :].strip("/")
    inner = "" if _CLOCK.fullmatch(inner) else inner
    return found, root[: found.end], Part("/".join(filter(None, (inner, prefix))), name)


def _numbered(places: Mapping[tuple[str, str], dict[str, list[Part]]]) -> dict[tuple[str, str], dict[str, list[Part]]]:
    """Numbers the runs of each variant, as they have no seed."""
    found = {}
    for (variant, _), roots in places.items():
        for number, (root, parts) in enumerate(roots.items(), start=1):
            found[variant, str(number)] = {root: parts}
    return found


def arrange(
    places: Mapping[tuple[str, str], Mapping[str, Sequence[Part]]],
) -> tuple[dict[str, dict[str, Member]], tuple[str, ...]]:
    """Returns the variants in natural order, and the names of runs beyond the first of a variant and seed."""
    variants: dict[str, dict[str, Member]] = {}
    duplicates: list[str] = []
    for variant, seed in sorted(places, key=lambda key: (natural(key[0]), key[0], natural(key[1]))):
        (root, parts), *others = places[variant, seed].items()
        variants.setdefault(variant, {})[seed] = Member(root, tuple(sorted(parts, key=lambda part: part.run != root)))
        duplicates += [part.run for _, parts in others for part in parts]
    return variants, tuple(duplicates)


def default_baseline(variants: Iterable[str]) -> str:
    """Returns the variant that is called baseline, base, default, control, vanilla or none, else the first; or "".

    >>> default_baseline(["adam", "exp/baseline"]), default_baseline(["adam", "sgd"])
    ('exp/baseline', 'adam')
    """
    names = list(variants)
    lasts = [name.lower().rpartition("/")[2] for name in names]
    words = [re.split(r"[^a-z]+", last)[0] for last in lasts]
    for called in ([name.lower() for name in names], lasts, words):
        for known in _BASELINES:
            if known in called:
                return names[called.index(known)]
    return names[0] if names else ""


def _said(variants: Mapping[str, Mapping[str, Member]], unmatched: Sequence[str], pattern: Pattern) -> list[str]:
    remarks, has_seed = [], pattern.has_seed
    if not has_seed and any(len(seeds) > 1 for seeds in variants.values()):
        remarks.append("The pattern has no {seed}: the runs of a variant are numbered, and compared without pairs.")
    if has_seed and len(variants) > 1 and not _SAYS_SEED.search(pattern.text):
        how = "runs with equal numbers are paired. If these are not seeds, the tests stay valid, with less power."
        remarks.append(f"{{seed}} may be any number here: {how}")
    named = [name for name in unmatched if name != "."]
    if variants and named:
        count = "1 run does not match and is" if len(named) == 1 else f"{len(named)} runs do not match and are"
        remarks.append(f"{count} skipped: {listed(named)}.")
    return [*remarks, *seed_remarks(variants, has_seed)]


def seed_remarks(variants: Mapping[str, Mapping[str, Member]], paired: bool) -> list[str]:
    """Says which variants have one run only, and, where runs are paired, which seeds are missing."""
    remarks = []
    if single := [name for name, seeds in variants.items() if len(seeds) == 1]:
        has = "has one run" if len(single) == 1 else "have one run each"
        remarks.append(f"{listed(single)} {has}: no interval and no test without a second seed.")
    every = sorted({seed for seeds in variants.values() for seed in seeds}, key=natural)
    lacking = {name: [seed for seed in every if seed not in seeds] for name, seeds in variants.items()}
    lacking = {name: seeds for name, seeds in lacking.items() if seeds}
    if paired and lacking:
        texts = [f"{quoted(name)[1:-1]} (no {listed(seeds)})" for name, seeds in lacking.items()]
        more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
        lack = f"Some variants lack seeds that others have: {', '.join(texts[:3])}{more}."
        remarks.append(f"{lack} Effects use shared seeds.")
    return remarks


def duplicate_remarks(places: Mapping[tuple[str, str], Mapping[str, Sequence[Part]]]) -> list[str]:
    """Says which runs have the variant and seed of another run."""
    twice = {key: list(roots) for key, roots in places.items() if len(roots) > 1}
    if not twice:
        return []
    (variant, seed), roots = next(iter(twice.items()))
    more = f" This happens {len(twice)} times." if len(twice) > 1 else ""
    return [
        f"{len(roots)} runs are variant {quoted(variant)}, seed {quoted(seed)[1:-1]}: only {quoted(roots[0])} is used, "
        f"not {listed(roots[1:])}.{more} Change the pattern so that their variants differ."
    ]
