"""Says what a reader of any runs should know about the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from runner.board.anyruns._grouping import Grouping, natural
from runner.board.anyruns._query import BEST, AnyQuery, listed, quoted
from runner.board.anyruns._read import POINTS, Series

VERSIONS_ONLY = (
    "Names such as lightning_logs/version_3 say neither variant nor seed. Log hparams with each run (Lightning: "
    "save_hyperparameters), or give each run a name such as mlp/seed0."
)


def no_match(pattern: str, run_names: Sequence[str], proposed: str) -> str:
    """Says that a pattern matches nothing, which names there are, and which pattern would match."""
    if not run_names:
        return "No run has scalars yet."
    other = f" Try {quoted(proposed)}." if proposed and proposed != pattern else ""
    names = sorted(run_names, key=natural)
    return f"No run matches {quoted(pattern)}. Runs are named {listed(names)}.{other}"


def values_remarks(tag: str, variants: Mapping[str, Mapping[str, Series]], query: AnyQuery) -> list[str]:
    """Says where a tag's values are not finite, where a variant's seeds have unequal steps, and what is sampled."""
    remarks = []
    counts = {
        f"{name} seed {seed}": int((~np.isfinite(series.values)).sum())
        for name, seeds in variants.items()
        for seed, series in seeds.items()
    }
    if lost := {name: count for name, count in counts.items() if count}:
        values = "1 value is" if sum(lost.values()) == 1 else f"{sum(lost.values())} values are"
        remarks.append(f"{shown_tag(tag)}: {values} NaN or infinite, and skipped ({listed(lost)}). n is lower there.")
    if any(_unequal(seeds.values()) for seeds in variants.values()):
        how = "Values between a seed's steps are interpolated. After its last step, its last value stays."
        remarks.append(f"{shown_tag(tag)}: seeds have unequal steps. {how}")
    if query.at == BEST and any(len(each.steps) >= POINTS for seeds in variants.values() for each in seeds.values()):
        remarks.append(f"{shown_tag(tag)}: TensorBoard keeps about {POINTS} points of a run. The best may be another.")
    return remarks


def _unequal(series: Iterable[Series]) -> bool:
    first, *others = (each.steps for each in series)
    return any(not np.array_equal(first, steps) for steps in others)


def lacking_remark(tag: str, grouping: Grouping, variants: Mapping[str, Mapping[str, Series]]) -> list[str]:
    """Says which runs do not have a tag."""
    lack = [
        f"{name} seed {seed}"
        for name, seeds in grouping.variants.items()
        for seed in seeds
        if seed not in variants.get(name, {})
    ]
    if not lack:
        return []
    runs = sum(map(len, grouping.variants.values()))
    return [f"{shown_tag(tag)}: {len(lack)} of {runs} runs lack it ({listed(lack)})."]


def shown_tag(tag: str) -> str:
    """Returns a tag on one line, cut where it is long."""
    return quoted(tag)[1:-1]


def standing(query: AnyQuery) -> list[str]:
    """Says what holds for every answer about any runs: they are no verdicts."""
    remarks = ["These effects are not verdicts: no question was declared before the runs."]
    if query.at == "best":
        remarks.append("The best step is picked on the values that are shown, so it looks better than new runs would.")
    return remarks
