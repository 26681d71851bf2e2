"""Diagnostics in words and tables: how training went, who overfits, what other seeds and images would say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from runner.metrics import METRICS, Metric, Unit
from runner.report._factorial import Contrast
from runner.report._format import difference_text, p_text, plus_minus, points
from runner.report._phrases import best_epoch
from runner.report._predictions import OnTest
from runner.spec import BASELINE
from runner.stats import Interval, mean_interval, one_sample_effect, paired_effect
from runner.text import code, duration, escaped, table
from runner.verdicts import EffectsTable, StudyRuns, cut_off

Floats = npt.NDArray[np.float64]
Columns = Mapping[str, Floats]  # a run's epochs


def training(data: StudyRuns, effects: EffectsTable) -> str:
    """A table: losses, epochs, how many runs the limit of epochs stopped, time."""
    rows = [
        [
            escaped(name),
            _on_train(data, name, "loss", 1, 4),
            _half(effects.row(name, "val/loss").mean, 4),
            _half(effects.row(name, "test/loss").mean, 4),
            _on_train(data, name, "accuracy", 100, 2),
            _half(effects.row(name, "best_epoch").mean, 1),
            plus_minus(effects.row(name, "epochs").mean.estimate, math.nan, 1),
            _cut_off(data, name),
            duration(data.finished(name)["seconds"].median()) if len(data.finished(name)) else "-",
        ]
        for name in effects.variants
    ]
    heads = ["variant", "training loss", "validation loss", "test loss", "training accuracy, %"]
    heads += ["best epoch", "epochs", "stopped by the limit", "time a run (median)"]
    note = (
        "Losses and accuracy are measured at the best epoch. Training loss and accuracy are measured on a fixed part "
        "of train, in evaluation mode. *Stopped by the limit*: runs that used all their epochs before their patience "
        'ran out. With more epochs they might improve. "-": the patience can\'t end a run.'
    )
    return table(heads, rows) + "\n\n" + note


def _on_train(data: StudyRuns, variant: str, scalar: str, unit: float, digits: int) -> str:
    (values,) = data.paired([variant], f"train_eval/{scalar}")
    return _half(mean_interval(unit * values), digits)


def _cut_off(data: StudyRuns, variant: str) -> str:
    found = cut_off(data, variant)
    return f"{found[0]} of {found[1]}" if found else "-"


def most_accurate(data: StudyRuns) -> str:
    """What the effects would be at each run's most accurate epoch, instead of its best epoch."""
    highest = data.curves.groupby(["variant", "seed"])["val/accuracy"].max() if len(data.curves) else pd.Series()
    rows = []
    for name in data.trained:
        mine, gain = highest[name], 100 * (highest[name] - data.finished(name)["val/accuracy"])
        interval = mean_interval(100 * mine)
        effect = "-"
        if name != BASELINE and BASELINE in highest:
            seeds = mine.index.intersection(highest[BASELINE].index)
            theirs = highest[BASELINE][seeds].to_numpy()
            found = paired_effect(mine[seeds].to_numpy(), theirs)
            effect = points(data.over_splits(found, "val/accuracy", (name, BASELINE)).interval)
        rows.append([escaped(name), str(len(mine)), _half(interval, 2), f"{gain.mean():+.2f}", effect])
    heads = ["variant", "n", "highest validation accuracy, %", "gain over the best epoch, points", "effect, points"]
    note = (
        f"The other tables take accuracy at {best_epoch(data.study)}. Accuracy often rises for some "
        "epochs after that. This table takes each run's most accurate epoch. The same accuracy chooses that epoch, so "
        "the value is slightly too high, more so for long runs. Where an effect here differs from the table of "
        "results, the choice of epoch explains part of the difference."
    )
    return table(heads, rows) + "\n\n" + note if rows else ""


def overfitting(data: StudyRuns) -> str:
    """For each variant where validation loss turns, what both losses do then, and the gap then and at the end."""
    runs: dict[str, list[Columns]] = {}
    for (name, _), columns in data.epochs.items():
        runs.setdefault(name, []).append(columns)
    rows = [[escaped(name), *_overfitting(runs[name])] for name in data.variants if name in runs]
    heads = ["variant", "n", "epoch of lowest validation loss", "rise of validation loss per epoch after it"]
    heads += ["fall of training loss per epoch after it", "gap at that epoch", "gap at the end", "conclusion"]
    note = (
        "The turn is the epoch of the lowest validation loss. Rise and fall are slopes over the epochs after the turn. "
        "Gap: accuracy on a fixed part of train minus validation accuracy, in points. Values are means over seeds ± "
        "half the 95% interval. *Overfits*: after the turn validation loss rises and training loss falls, and both 95% "
        "intervals exclude 0 (not corrected for the number of variants). The turn is the lowest point of a noisy "
        "curve, so the rise after it looks somewhat too large. *Still learning*: in every seed the turn is in the last "
        "tenth of the epochs. *Neither*: no sign of these; the gap can still be large. n: the seeds with at least two "
        "epochs after the turn; only these have slopes."
    )
    return table(heads, rows) + "\n\n" + note


def _overfitting(runs: Sequence[Columns]) -> list[str]:
    seeds = []
    for run in runs:
        epochs, losses, gaps = run["epoch"], run["val/loss"], run["generalization_gap"]
        number = len(epochs) - 1 if np.isnan(losses).all() else int(np.nanargmin(losses))
        after = slice(number + 1, None)
        seeds.append(
            {
                "turn": epochs[number],
                "rise": _slope(epochs[after], losses[after]),
                "fall": -_slope(epochs[after], run["train/loss"][after]),
                "then": 100 * gaps[number],
                "end": 100 * gaps[-1],
                "late": epochs[number] > 0.9 * epochs[-1],
            }
        )
    table = pd.DataFrame(seeds)
    rise, fall = (one_sample_effect(table[name].dropna()).interval for name in ("rise", "fall"))
    shown = "overfits" if rise.low > 0 and fall.low > 0 else "still learning" if table["late"].all() else "neither"
    shares = [_half(mean_interval(table[name]), 1) for name in ("then", "end")]
    count = f"{rise.n} of {len(table)}" if rise.n < len(table) else str(len(table))
    return [count, _half(mean_interval(table["turn"]), 1), _half(rise, 4), _half(fall, 4), *shares, shown]


def _slope(epochs: Floats, losses: Floats) -> float:
    """Least squares, an epoch; nan with fewer than two epochs, or with a loss that is no number."""
    if len(epochs) < 2 or not np.isfinite(losses).all():
        return math.nan
    return float(np.polyfit(epochs, losses, 1)[0])


def _half(interval: Interval, digits: int) -> str:
    return plus_minus(interval.estimate, interval.low, digits)


def on_test(effects: dict[str, OnTest]) -> str:
    """What new seeds, and new test images besides, would say of each variant."""
    rows = [
        [
            escaped(name),
            str(effect.over_seeds.interval.n),
            points(effect.over_seeds.interval),
            points(effect.over_both.interval),
            f"{effect.better} / {effect.over_seeds.interval.n - effect.better - effect.worse} / {effect.worse}",
        ]
        for name, effect in effects.items()
    ]
    heads = [
        "variant",
        "n",
        "effect on test accuracy, new seeds",
        "new seeds and new test images",
        "seeds better / not significant / worse",
    ]
    note = (
        "Values are the variant minus the baseline, in points [95% interval]. *New seeds*: the effect for new seeds on "
        "the same test images. *New seeds and new test images*: the effect if the test images are new as well; seeds "
        "and images then both count as random (a crossed design). Last column: McNemar's exact test compares the two "
        "trained models of each seed on the test images, at .05 each, not corrected. That says nothing about other "
        "seeds."
    )
    return table(heads, rows) + "\n\n" + note if rows else ""


def main_effects(found: list[Contrast], metric: Metric = METRICS["val/accuracy"]) -> str:
    """Main effects and interactions on a metric, product by product."""
    is_share = metric.unit is Unit.SHARE
    rows = [
        [
            escaped(c.label),
            escaped(c.design),
            difference_text(c.effect.interval, metric.unit),
            p_text(c.effect.p),
            str(c.effect.interval.n),
        ]
        for c in found
        if not math.isnan(c.effect.interval.estimate)
    ]
    note = (
        f"Values are effects on {f'{metric.label}, in points' if is_share else code(metric.label)} [95% interval]. "
        "*Product of*: the settings that the "
        "variants combine, with the number of their levels. A main effect compares a setting's level "
        "with the baseline's level, averaged over the levels of the product's other settings. An interaction is how "
        "much one setting changes the effect of the other. Where an interaction is as large as a main effect, that "
        "main effect holds at neither level of the other setting. p is not corrected."
    )
    return (
        table(["effect", "product of", "points" if is_share else "value", "p", "n"], rows) + "\n\n" + note
        if rows
        else ""
    )


def symmetric(effects: EffectsTable) -> str:
    """Variants whose first layer is narrower than it looks: units that start equal and stay equal."""
    lines = []
    for name in effects.variants:
        units, distinct = effects.row(name, "units").mean.estimate, effects.row(name, "distinct_units").mean
        if distinct.estimate < units / 2:
            lines.append(
                f"- {escaped(name)}: the first layer has {units:.0f} units; on average {distinct.estimate:.0f} are "
                f"distinct at the best epoch (n = {distinct.n}). Units that start equal get equal gradients and stay "
                "equal."
            )
    return "\n".join(lines)
