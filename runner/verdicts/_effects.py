"""The effects table: what each variant reached, and its effect against the baseline.

Every page, figure, CSV file and headline shows this one computation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from runner.metrics import METRICS, Better
from runner.spec import BASELINE
from runner.stats import ALPHA, Effect, Interval, holm
from runner.store import FAILED
from runner.verdicts._lost import best_first, pair_signs
from runner.verdicts._runs import StudyRuns
from runner.verdicts._verdict import Verdict
from runner.verdicts._weigh import REFUTED, SUPPORTED

BETTER_THAN, WORSE_THAN, SAME_AS = "better", "worse", ""
_NONE = Interval(math.nan, math.nan, math.nan, 0)
_COLUMNS = (
    "variant", "metric", "n", "failed", "mean", "low", "high",
    "effect", "effect low", "effect high", "effect p", "effect p adjusted", "effect n", "side",
)  # fmt: skip


@dataclass(frozen=True)
class EffectRow:
    """One variant and metric.

    n, failed  its finished and failed runs
    mean       over the finished runs, with a 95% t interval, in the metric's own unit
    effect     variant minus baseline, paired by seed; `effect.n` pairs, 0 where the table has no effect
    p          that the effect is 0
    adjusted   p after Holm's correction over the variants; in a sequential design over the questions
    side       whether the variant is significantly better or worse than the baseline, or neither
    """

    variant: str
    metric: str
    n: int
    failed: int
    mean: Interval
    effect: Interval = _NONE
    p: float = math.nan
    adjusted: float = math.nan
    side: str = SAME_AS


@dataclass(frozen=True)
class EffectsTable:
    """A row a variant and metric, in the study's order of variants."""

    rows: tuple[EffectRow, ...]

    @property
    def variants(self) -> list[str]:
        """The variants with a finished or failed run, in the study's order."""
        return list(dict.fromkeys(row.variant for row in self.rows))

    def of(self, metric: str) -> list[EffectRow]:
        """A row a variant."""
        return [row for row in self.rows if row.metric == metric]

    def row(self, variant: str, metric: str) -> EffectRow:
        """The row of a variant and metric; KeyError where there is none."""
        return self._places[variant, metric]

    @cached_property
    def _places(self) -> dict[tuple[str, str], EffectRow]:
        return {(row.variant, row.metric): row for row in self.rows}

    def frame(self) -> pd.DataFrame:
        """The rows as summary.csv has them."""
        cells = [
            (
                *(row.variant, row.metric, row.n, row.failed),
                *(*_bounds(row.mean), *_bounds(row.effect)),
                *(row.p, row.adjusted, row.effect.n, row.side),
            )
            for row in self.rows
        ]
        return pd.DataFrame(cells, columns=list(_COLUMNS))


def _bounds(interval: Interval) -> tuple[float, float, float]:
    return interval.estimate, interval.low, interval.high


def effects_table(data: StudyRuns, verdicts: Sequence[Verdict] = ()) -> EffectsTable:
    """The effects of a study's variants on every metric that its runs report.

    In a sequential design the number of seeds depends on what they showed. An effect that a question is about has the
    question's interval and p there. All others are over the seeds of the first look, and none of them is significant.
    """
    others = [name for name in data.variants if name != BASELINE]
    found: dict[tuple[str, str], EffectRow] = {}
    failed = data.runs[data.runs["status"] == FAILED]["variant"].value_counts()
    first = data.first_look
    measures = data.measures
    for metric in measures.reported:
        effects = {name: first.effect(name, metric) for name in others} if metric in measures.compared else {}
        adjusted = dict(zip(effects, holm([effect.p for effect in effects.values()]), strict=True))
        for name in data.variants:
            mean = data.mean(name, metric)
            row = EffectRow(name, metric, len(data.finished(name)), int(failed.get(name, 0)), mean)
            if effect := effects.get(name):
                if data.is_sequential:
                    row = _asked(row, verdicts) or replace(row, effect=effect.interval, p=effect.p)
                else:
                    better = measures.table[metric].better
                    row = _with_effect(row, better, effect, adjusted[name], pair_signs(data, name, BASELINE, metric))
            found[name, metric] = row
    return EffectsTable(tuple(found[name, metric] for name in data.variants for metric in measures.reported))


def _asked(row: EffectRow, verdicts: Sequence[Verdict]) -> EffectRow | None:
    """The row with the interval and p of the question that compares its variant with the baseline; None without one."""
    for verdict in verdicts:
        question = verdict.declared.question
        if question is None or question.metric != row.metric or not question.compare or not verdict.looks:
            continue
        for each in verdict.comparisons:
            if set(each.pair) == {row.variant, BASELINE}:
                effect = each.effect if each.pair[0] == row.variant else each.effect.reversed()
                sure = verdict.answer == SUPPORTED or (verdict.answer == REFUTED and len(verdict.comparisons) == 1)
                told = sure and question.expect != "equal"
                side = _side(question.measure.better, effect.interval.estimate, 0.0 if told else 1.0, ())
                return replace(row, effect=effect.interval, p=each.effect.p, adjusted=verdict.adjusted, side=side)
    return None


def pairs(data: StudyRuns, row: EffectRow) -> dict[int, float]:
    """The differences that a row's effect is the mean of: variant minus baseline, by seed. Empty without an effect."""
    looks = data.plan.looks if data.plan and data.is_sequential else (0,)
    for view in (data.first(count) for count in looks):
        seeds = [int(seed) for seed in view.finished(row.variant).index if seed in view.finished(BASELINE).index]
        if row.effect.n and len(seeds) == row.effect.n:
            mine, theirs = view.paired((row.variant, BASELINE), row.metric)
            return dict(zip(seeds, (mine - theirs).tolist(), strict=True))
    return {}


def best_variants_first(data: StudyRuns, table: EffectsTable) -> list[str]:
    """The variants, the best first by the main metric; one that diverged ranks below all that did not."""
    main = data.measures.main
    means = {row.variant: row.mean.estimate for row in table.of(main)}
    return best_first(data, means, data.measures.table[main].better)


def _with_effect(row: EffectRow, better: int, effect: Effect, adjusted: float, lost: Sequence[int]) -> EffectRow:
    side = _side(better, effect.interval.estimate, adjusted, lost)
    return EffectRow(row.variant, row.metric, row.n, row.failed, row.mean, effect.interval, effect.p, adjusted, side)


def _side(better: int, effect: float, adjusted: float, lost: Sequence[int]) -> str:
    """Better or worse than the baseline; neither where it is not significant, or where a lost pair speaks against it.

    `better` is the sign of a difference that is an improvement. `lost` has the sign of variant minus baseline that each
    pair with a diverged run speaks for.
    """
    sign = int(np.sign(effect)) if adjusted <= ALPHA else 0
    if not sign or not better or any(each != sign for each in lost):
        return SAME_AS
    return BETTER_THAN if sign == better else WORSE_THAN


def effects_in(sheet: pd.DataFrame) -> EffectsTable:
    """The table of a summary.csv, also of one that older code wrote without sides, adjusted p or numbers of pairs.

    KeyError where another column is missing. A table without sides knows of no lost runs.
    """
    if "effect p adjusted" not in sheet:
        p_values = sheet.groupby("metric")["effect p"]
        sheet = sheet.assign(**{"effect p adjusted": p_values.transform(lambda own: holm(own.tolist()))})
    return EffectsTable(tuple(_read(row) for _, row in sheet.iterrows()))


def _read(row: pd.Series[Any]) -> EffectRow:
    count, adjusted = int(row["n"]), float(row["effect p adjusted"])
    mean = Interval(float(row["mean"]), float(row["low"]), float(row["high"]), count)
    low, high, pairs = float(row["effect low"]), float(row["effect high"]), int(row.get("effect n", count))
    effect = Interval(float(row["effect"]), low, high, pairs)
    known = METRICS.get(str(row["metric"]))
    better = known.better if known else Better.NEITHER
    side = row["side"] if "side" in row else _side(better, effect.estimate, adjusted, ())
    return EffectRow(
        str(row["variant"]), str(row["metric"]), count, int(row["failed"]), mean, effect, float(row["effect p"]),
        adjusted, side if isinstance(side, str) else SAME_AS,
    )  # fmt: skip
