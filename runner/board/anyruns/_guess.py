"""Proposes a pattern for the names of runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runner.board.anyruns._grouping import Grouping, group, split_run
from runner.board.anyruns._pattern import LONGEST, parse_pattern
from runner.board.anyruns._query import QueryError

WITHOUT_SEEDS = "{variant}"  # every run is a variant
_MOST_NAMES, _MOST_CANDIDATES, _LONGEST_NAME = 500, 12, 500
# How seeds are written in names, the surest first. The last two need evidence: numbers that several variants share.
_SPELLINGS = tuple(
    re.compile(rf"(?:^|(?<=[^A-Za-z0-9])){word}(?P<seed>[0-9]+)(?![0-9.])", re.IGNORECASE)
    for word in (
        r"(?:random_?)?seed[_=:-]?",
        r"(?:s|rng|random_?state)[_=:-]?",
        r"(?:run|trial|rep|repeat|repetition|replicate|fold|version)[_=:-]?",
    )
)
_WEAK = (re.compile(r"(?<=/)(?P<seed>[0-9]+)(?=/|$)"), re.compile(r"(?<=[_-])(?P<seed>[0-9]+)$"))
_HASH = re.compile(r"-[0-9a-f]{6,64}$")
_LIGHTNING = re.compile(r"(?:.*/)?lightning_logs/version_[0-9]+(?:/.*)?|version_[0-9]+")
_SPECIAL = re.compile(r"[{}*\\]")


@dataclass(frozen=True)
class _Candidate:
    """A pattern, its rank among the spellings, and the runs that it groups."""

    rank: int
    grouping: Grouping
    matched: int


def guess_pattern(run_names: Iterable[str]) -> str:
    """Proposes a pattern for these names.

    It is `{variant}` where no name has a seed, and "" where the names have no variants, as Lightning's
    `lightning_logs/version_3`.

    >>> guess_pattern(["baseline/seed0", "mlp/seed0"]), guess_pattern(["mlp_seed=3"]), guess_pattern(["resnet18-s1"])
    ('{variant}/seed{seed}', '{variant}_seed={seed}', '{variant}-s{seed}')
    """
    names = list(dict.fromkeys(split_run(name)[0] for name in run_names if name != "."))
    names = [name for name in names if len(name) <= _LONGEST_NAME][:_MOST_NAMES]
    named = [name for name in names if not _LIGHTNING.fullmatch(name)]
    if not named:
        return "" if names else WITHOUT_SEEDS
    tries: Counter[tuple[int, str]] = Counter()
    for name in named:
        tries.update(_patterns(name))
    candidates = [_candidate(rank, text, named) for (rank, text), _ in tries.most_common(_MOST_CANDIDATES)]
    sure = [each for each in candidates if each and (each.rank < len(_SPELLINGS) or _shares_seeds(each.grouping))]
    if not sure:
        return WITHOUT_SEEDS
    best = max(sure, key=lambda each: (each.matched * 2 >= len(named), -each.rank, each.matched))
    return _shortened(best.grouping, named)


def _patterns(name: str) -> Iterable[tuple[int, str]]:
    """Yields the patterns that a name suggests, with the rank of their spelling."""
    for rank, spelling in enumerate((*_SPELLINGS, *_WEAK)):
        for found in list(spelling.finditer(name))[-1:]:
            before, after = name[: found.start()], name[found.end() :]
            word = name[found.start() : found.start("seed")]
            lead = re.search(r"[/_=:,. -]*$", before)[0]  # type: ignore[index]  # it always matches
            text = f"{'{variant}' if len(before) > len(lead) else ''}{lead}{word}{{seed}}"
            if not before:
                text += f"{after[:1]}{{variant}}" if len(after) > 1 else ""
            elif after and after[0] != "/":
                text += f"{after[0]}{{variant}}" if after[0] in "_-,. " and len(after) > 1 else "*"
            if not _SPECIAL.search(lead + word):
                yield rank, text


def _candidate(rank: int, text: str, names: Sequence[str]) -> _Candidate | None:
    try:
        grouping = group(names, parse_pattern(text))
    except QueryError:
        return None
    matched = len(names) - len(grouping.unmatched) - len(grouping.duplicates)
    return _Candidate(rank, grouping, matched) if matched else None


def _shares_seeds(grouping: Grouping) -> bool:
    """Whether numbers look like seeds: two variants share one, or a variant has them from 0 or 1 on without a gap."""
    counts = Counter(seed for seeds in grouping.variants.values() for seed in seeds)
    if any(count > 1 for count in counts.values()):
        return True
    numbers = sorted(int(seed) for seeds in grouping.variants.values() for seed in seeds if len(seed) < LONGEST)
    return len(numbers) > 1 and numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _shortened(grouping: Grouping, names: Sequence[str]) -> str:
    """Shortens the variants' names: drops folders that all share, and hashes at their ends."""
    text, variants = grouping.pattern, list(grouping.variants)
    if text.count("{variant}") > 1 or not text.startswith("{variant}"):
        return text
    folders = [name.split("/")[:-1] for name in variants]
    shared = 0
    while all(len(each) > shared for each in folders) and len({each[shared] for each in folders}) == 1:
        shared += 1
    prefix = "".join(f"{folder}/" for folder in folders[0][:shared])
    tries = [prefix + text] if not _SPECIAL.search(prefix) else [text]
    if all(_HASH.search(name) for name in variants):
        tries.insert(0, tries[0].replace("{variant}", "{variant}-*", 1))
    for each in tries:
        shorter = _candidate(0, each, names)
        if shorter and len(each) <= LONGEST and len(shorter.grouping.duplicates) == len(grouping.duplicates):
            return each
    return text
