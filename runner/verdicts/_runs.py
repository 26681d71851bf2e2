"""A study's run directories, read: what every table, figure and verdict is made from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from runner.course import Course
from runner.measures import MetricSet
from runner.metrics import CURVES, FromEpochs
from runner.spec import BASELINE, FIXED, SeedPlan, level_of
from runner.stats import (
    Effect,
    Interval,
    mean_interval,
    one_sample_effect,
    paired_effect,
    resampled_effect,
    two_level_effect,
)
from runner.store import FINISHED, Guesses, Provenance, RunDir, StudyFile
from runner.verdicts._declared import Declared
from runner.verdicts._failed import Lost, lost_runs
from runner.verdicts._imbalance import Majority, Narrow, majority, narrow


@dataclass(frozen=True)
class StudyRuns:
    """A study's run directories, read: `runs` has a row a run, `curves` a row a run and epoch.

    The finished runs come from one state of code, data and versions. `provenances` are theirs, `not_counted` those of
    runs from other states. `corrupt` are files of finished runs that are not what was written; these runs don't count.
    Tables must not be changed in place: views of them are kept.
    """

    study: StudyFile
    runs: pd.DataFrame
    curves: pd.DataFrame
    folders: dict[tuple[str, int], Path]
    provenances: list[Provenance]
    not_counted: list[Provenance]
    corrupt: Sequence[Path] = ()
    first_ends: Mapping[str, str | None] = field(default_factory=dict)  # of a variant's runs (UTC, ISO 8601)
    guesses: Mapping[tuple[str, int], Guesses] = field(default_factory=dict)  # of the finished runs
    questions: Sequence[Declared] = ()  # every one that the study declares now
    deleted: Sequence[Declared] = ()  # after runs that they judge
    train_images: Mapping[str, int] = field(default_factory=dict)  # of a variant's runs, where they say so
    unplanned: int = 0  # finished runs of seeds outside the plan

    @property
    def plan(self) -> SeedPlan | None:
        """The planned seeds and looks; None in a study.json of before 2026-11-26."""
        return self.study.plan

    @property
    def measures(self) -> MetricSet:
        """The metrics of the study."""
        return self.study.measures

    @property
    def is_sequential(self) -> bool:
        """Whether seeds are added where a question is open."""
        return self.plan is not None and self.plan.is_sequential

    @property
    def first_look(self) -> StudyRuns:
        """The runs until the first look. Of a fixed design all of them."""
        return self.first(len(self.plan.first)) if self.plan else self

    def first(self, count: int) -> StudyRuns:
        """The runs of the first planned seeds alone. Of a fixed design all of them."""
        if self.plan is None or not self.plan.is_sequential:
            return self
        if count not in self._views:
            seeds = self.plan.seeds[:count]
            runs, curves = (table[table["seed"].isin(seeds)] for table in (self.runs, self.curves))
            self._views[count] = replace(self, runs=runs, curves=curves)
        return self._views[count]

    @cached_property
    def _views(self) -> dict[int, StudyRuns]:
        """The runs of the first seeds, by their number, as far as they were asked for."""
        return {}

    def has_ended(self, variant: str, seeds: Sequence[int]) -> bool:
        """Whether the variant's runs of all these seeds have finished or failed."""
        return set(seeds) <= set(self.runs.loc[self.runs["variant"] == variant, "seed"])

    def over_images(self, weights: Mapping[str, float], part: str, constant: float = 0.0) -> Effect | None:
        """The effect on a part's accuracy over seeds and images: sum(weight x variant) - constant.

        None where the runs differ in their images, or have too few.
        """
        right = self._right(list(weights), part)
        if right is None:
            return None
        values = sum(weight * own.astype(float) for weight, own in zip(weights.values(), right, strict=True)) - constant
        return two_level_effect(values, scale=sum(map(abs, weights.values())) / 2)

    def _right(self, variants: Sequence[str], part: str) -> list[np.ndarray[Any, np.dtype[np.bool_]]] | None:
        """For each variant seeds x images: which images were predicted correctly, over the seeds that all finished."""
        seeds = self._common_seeds(variants)
        rows = [[self.guesses.get((name, int(seed))) for seed in seeds] for name in variants]
        found = [[each.right.get(part) for each in own if each] for own in rows]
        sizes = {len(each) if each is not None else 0 for own in found for each in own}
        if not seeds or any(len(own) < len(seeds) for own in found) or len(sizes) != 1 or min(sizes) < 2:
            return None
        return [np.array(own) for own in found]

    @cached_property
    def variants(self) -> list[str]:
        """Variants with a finished or failed run, in the study's order."""
        there = set(self.runs["variant"])
        return [name for name in self.study.variants if name in there]

    @cached_property
    def trained(self) -> list[str]:
        """Variants with a finished run, in the study's order."""
        return [name for name in self.variants if len(self.finished(name))]

    @property
    def classes(self) -> list[str]:
        """The data set's class names, from any run that finished."""
        for path in self.folders.values():
            if (known := RunDir(path).run_json()) and known.classes:
                return list(map(str, known.classes))
        return []

    @property
    def images(self) -> dict[str, int]:
        """How many images validation and test have, from any run that finished; one split is all runs'."""
        for own in self.guesses.values():
            return {part: int(counts.sum()) for part, counts in own.images.items()}
        return {}

    @property
    def majority(self) -> Majority | None:
        """The majority class, where accuracy is mostly about it."""
        return majority(self.guesses, self.classes)

    @property
    def narrow(self) -> list[Narrow]:
        """The finished runs that never predict some class."""
        return narrow(self.guesses, self.classes)

    @property
    def finished_folders(self) -> list[Path]:
        """The directories of the runs that finished."""
        done = self.runs[self.runs["status"] == FINISHED]
        return [self.folders[name, int(seed)] for name, seed in zip(done["variant"], done["seed"], strict=True)]

    def redraws(self, variants: Iterable[str]) -> bool:
        """Whether the train and validation images of some of these variants are redrawn with the seed."""
        names = variants if self.measures.is_ours else ()
        entries = [entry for name in names if (entry := self.study.variants.get(name))]
        return any(entry.settings.get("split", FIXED) != FIXED for entry in entries)

    def over_splits(self, effect: Effect, metric: str, variants: Sequence[str]) -> Effect:
        """An effect on a metric: with Nadeau & Bengio's correction where each seed has its own validation images."""
        if not metric.startswith("val") or not self.redraws(variants):
            return effect
        known = [self.train_images.get(name, 0) for name in variants]
        ratio = self.images.get("val", math.nan) / min(known) if all(known) else math.nan
        return resampled_effect(effect, ratio)

    def lost(self, variants: Sequence[str]) -> tuple[Lost, ...]:
        """The failed runs of these variants, in their order."""
        return tuple(lost for name in variants for lost in self._lost.get(name, ()))

    @cached_property
    def _lost(self) -> dict[str, list[Lost]]:
        return lost_runs(self.runs)

    def finished(self, variant: str) -> pd.DataFrame:
        """The variant's finished runs, by seed."""
        return self._finished.get(variant, self._finished[""])

    @cached_property
    def _finished(self) -> dict[str, pd.DataFrame]:
        """The finished runs of each variant, by seed; "" has none."""
        done = self.runs[self.runs["status"] == FINISHED].set_index("seed").sort_index()
        return {"": done.iloc[:0]} | {str(name): rows for name, rows in done.groupby("variant", sort=False)}

    def _common_seeds(self, variants: Sequence[str]) -> list[Any]:
        """The seeds that all of these variants finished, ascending."""
        return sorted(set.intersection(*(set(self.finished(name).index) for name in variants)))

    def paired(self, variants: Sequence[str], metric: str, accuracy: float | None = None) -> list[Any]:
        """A question's metric of each variant, over the seeds that all of them finished and, where it is about the
        course of training, over the epochs that all of them had."""
        finished, seeds = [self.finished(name) for name in variants], self._common_seeds(variants)
        if all(metric in each for each in finished):
            return [each.loc[seeds, metric].to_numpy(dtype=float) for each in finished]
        source = self.measures[metric].source
        if not isinstance(source, FromEpochs):
            raise ValueError(f"the runs have no {metric}, and no epochs give one")
        values: list[list[float]] = [[] for _ in variants]
        for seed in seeds:
            curves = [self.epochs[name, seed] for name in variants]
            common = min(len(curve["epoch"]) for curve in curves) if source.common else None
            for number, (name, curve) in enumerate(zip(variants, curves, strict=True)):
                planned = int(self.study.variants[name].settings.get("epochs", 1))
                known = self.finished(name)
                best = int(known.loc[seed, "best_epoch"]) if "best_epoch" in known else None
                columns = {key: each[:common] for key, each in curve.items() if key in CURVES}
                course = Course(columns, planned, accuracy, best)
                values[number].append(source.value(course))
        return [np.array(each, dtype=float) for each in values]

    @cached_property
    def epochs(self) -> dict[tuple[str, int], dict[str, np.ndarray[Any, np.dtype[np.float64]]]]:
        """The epochs of each finished run in order, by variant and seed: each column of metrics.csv."""
        table = self.curves.sort_values("epoch", kind="stable").reset_index(drop=True)
        columns = {str(name): table[name].to_numpy(dtype=float) for name in table if name not in ("variant", "seed")}
        places: dict[Any, Any] = table.groupby(["variant", "seed"], sort=False).indices
        own = [(key, {name: column[rows] for name, column in columns.items()}) for key, rows in places.items()]
        return {(str(variant), int(seed)): each for (variant, seed), each in own}

    def level(self, key: str, variant: str) -> float | None:
        """A variant's value of a setting as a number, infinity where it means no limit; None where it is no number."""
        value = self.study.variants[variant].settings.get(key)
        if self.measures.is_ours:
            return level_of(key, value)
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    def levels(self, key: str, of_all: bool = False) -> dict[str, float]:
        """The baseline and the variants that change this setting alone, by its value: those with runs, or all."""
        variants = self.study.variants
        alone = [name for name in (variants if of_all else self.variants) if set(variants[name].changes) <= {key}]
        levels = {name: self.level(key, name) for name in alone}
        numbers = [(name, level) for name, level in levels.items() if level is not None and math.isfinite(level)]
        return dict(sorted(numbers, key=lambda pair: pair[1]))

    def values(self, variant: str, metric: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The metric of each finished run of a variant, by seed."""
        return self.finished(variant)[metric].to_numpy(dtype=float)

    def effect(self, variant: str, metric: str, other: str = BASELINE) -> Effect:
        """Variant minus the other, over the seeds that both finished."""
        pair = (variant, other)
        if metric == "test/accuracy" and self.redraws(pair):
            over_both = self.over_images({variant: 1, other: -1}, "test")
            if over_both:
                return over_both
        return self.over_splits(paired_effect(*self.paired(pair, metric)), metric, pair)

    def mean(self, variant: str, metric: str) -> Interval:
        """The mean of a variant's finished runs with its interval."""
        values = self.values(variant, metric)
        if not self.redraws([variant]):
            return mean_interval(values)
        return self.over_splits(one_sample_effect(values), metric, [variant]).interval
