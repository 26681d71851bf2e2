"""Answers requests about any runs: which variants there are, their mean curves, and their effects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from runner.board.anyruns._contrasts import Contrast, contrasts, measured
from runner.board.anyruns._curves import Array, Curve, curve, steps_shown
from runner.board.anyruns._grouping import Grouping, default_baseline, group
from runner.board.anyruns._guess import WITHOUT_SEEDS, guess_pattern
from runner.board.anyruns._hparams import group_by_hparams, read_sessions
from runner.board.anyruns._pattern import parse_pattern
from runner.board.anyruns._query import BY_HPARAMS, AnyQuery, Better, listed, quoted
from runner.board.anyruns._read import Logs, Provider, Series, SeriesCache, Source, sources
from runner.board.anyruns._remarks import VERSIONS_ONLY, lacking_remark, no_match, standing, values_remarks
from runner.board.anyruns._tags import better_of, chosen_tags, sorted_tags
from runner.verdicts import EffectsTable

Tree = Mapping[str, Mapping[str, Source]]  # variant to seed to time series


@dataclass(frozen=True)
class Shown:
    """One tag: which values are better, each variant's curve, and a row of effects for each variant."""

    better: Better
    curves: Mapping[str, Curve]
    effects: Sequence[Contrast]


def answer(
    provider: Provider, context: Any, experiment_id: str, query: AnyQuery, cache: SeriesCache | None = None
) -> dict[str, Any]:
    """Returns the answer to a query as data for JSON, in which nan and infinity are None.

    `context` is TensorBoard's RequestContext. Raises QueryError where the pattern is malformed.

    pattern    the pattern in use, or "hparams"; proposed is the one that would be guessed, or ""
    paired     whether effects pair seeds
    baseline   the variant that effects compare with, or ""
    variants   name, seeds, and the run of each seed
    tags       all tags, the most useful first
    remarks    what a reader should know, as sentences
    shown      tag to better, curves (variant to step, mean, low, high, n) and effects: rows as in summary.csv, with
               "points", the difference of each pair of seeds
    """
    logs = Logs(provider, context, experiment_id)
    listing = logs.listing()
    runs = list(dict.fromkeys(source.run for source in listing))
    grouping, proposed = _grouped(logs, runs, query)
    found = sources(grouping, listing)
    ordered = sorted_tags(found)
    baseline = query.baseline if query.baseline in grouping.variants else default_baseline(grouping.variants)
    remarks = [*grouping.remarks]
    if query.baseline != baseline and query.baseline and baseline:
        remarks.append(f"There is no variant {quoted(query.baseline)}: the baseline is {quoted(baseline)}.")
    if unknown := [tag for tag in query.tags if tag not in found]:
        remarks.append(f"No run has the tag {listed(unknown)}.")
    asked = [tag for tag in query.tags if tag in found] if query.tags else chosen_tags(ordered)
    wanted = [source for tag in asked for seeds in found[tag].values() for source in seeds.values()]
    series = (cache or SeriesCache()).read(logs, listing, wanted)
    shown = {}
    for tag in asked:
        own = _variants(grouping, found[tag], series)
        remarks += [*lacking_remark(tag, grouping, own), *values_remarks(tag, own, query)]
        shown[tag] = show(tag, own, baseline, query, grouping.paired)
    if shown and len(grouping.variants) > 1:
        remarks += standing(query)
    return _json(grouping, proposed, baseline, ordered, remarks, shown)


def _variants(grouping: Grouping, tree: Tree, series: Mapping[Source, Series]) -> dict[str, dict[str, Series]]:
    """Returns variant to seed to series, in the order of the grouping; variants without any are skipped."""
    found = {}
    for name in grouping.variants:
        if seeds := {seed: series[source] for seed, source in tree.get(name, {}).items() if source in series}:
            found[name] = seeds
    return found


def _grouped(logs: Logs, runs: Sequence[str], query: AnyQuery) -> tuple[Grouping, str]:
    """Returns the runs as variants and seeds, and the pattern that is proposed for them."""
    proposed = guess_pattern(runs)
    by_hparams: Grouping | None = None
    if proposed in ("", WITHOUT_SEEDS) or query.pattern == BY_HPARAMS:
        by_hparams = group_by_hparams(runs, read_sessions(logs.hparams()))
        repeated = any(len(seeds) > 1 for seeds in by_hparams.variants.values())
        if (not proposed and by_hparams.variants) or (proposed == WITHOUT_SEEDS and repeated):
            proposed = BY_HPARAMS
    pattern = query.pattern or proposed or WITHOUT_SEEDS
    if pattern == BY_HPARAMS and by_hparams:
        return by_hparams, proposed
    grouping = group(runs, parse_pattern(pattern))
    if not grouping.variants:
        return replace(grouping, remarks=(no_match(pattern, runs, proposed),)), proposed
    if not proposed:
        return replace(grouping, remarks=(VERSIONS_ONLY, *grouping.remarks)), proposed
    return grouping, proposed


def show(tag: str, variants: Mapping[str, Mapping[str, Series]], baseline: str, query: AnyQuery, paired: bool) -> Shown:
    """Returns what a tag shows for these variants, each with a series for each seed."""
    better = better_of(tag, query.better)
    values: dict[str, dict[str, float]] = {}
    for name, seeds in variants.items():
        found = {seed: measured(series, query.at, better) for seed, series in seeds.items()}
        values[name] = {seed: value for seed, value in found.items() if value is not None}
    with np.errstate(all="ignore"):  # values near the largest float overflow, and are shown as missing
        most = steps_shown(len(variants))
        curves = {name: curve(list(seeds.values()), most) for name, seeds in variants.items()}
        return Shown(better, curves, contrasts(tag, values, baseline, better, paired))


def _json(
    grouping: Grouping, proposed: str, baseline: str, tags: Sequence[str], remarks: Sequence[str],
    shown: Mapping[str, Shown],
) -> dict[str, Any]:  # fmt: skip
    variants = [
        {"name": name, "seeds": list(seeds), "runs": {seed: member.run for seed, member in seeds.items()}}
        for name, seeds in grouping.variants.items()
    ]
    return {
        "pattern": grouping.pattern,
        "proposed": proposed,
        "paired": grouping.paired,
        "baseline": baseline,
        "variants": variants,
        "tags": list(tags),
        "remarks": list(dict.fromkeys(remarks)),
        "shown": {tag: _shown(each) for tag, each in shown.items()},
    }


def _shown(shown: Shown) -> dict[str, Any]:
    table = EffectsTable(tuple(each.row for each in shown.effects)).frame()
    rows = [{key: _plain(value) for key, value in row.items()} for row in table.to_dict("records")]
    for row, each in zip(rows, shown.effects, strict=True):
        row["points"] = [{"seed": seed, "difference": _plain(value)} for seed, value in each.points]
    curves = {
        name: {
            "step": each.step.tolist(), "mean": _numbers(each.mean), "low": _numbers(each.low),
            "high": _numbers(each.high), "n": each.n.tolist(),
        }
        for name, each in shown.curves.items()
    }  # fmt: skip
    return {"better": shown.better, "curves": curves, "effects": rows}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _numbers(values: Array) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]
