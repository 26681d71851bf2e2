"""Simulates studies with a known truth: how often intervals cover it, and how often questions are answered wrongly."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from runner.stats import (
    ALPHA,
    Effect,
    equivalence_p,
    holm,
    interaction_effect,
    mean_interval,
    paired_effect,
    trend_effect,
    two_level_effect,
    value_effect,
)
from runner.verdicts import REFUTED, SUPPORTED, lower_group, weigh, weigh_best, weigh_equivalence

Array = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]
SEEDS = (3, 5, 10)


def _skewed(rng: np.random.Generator, size: tuple[int, ...]) -> Array:
    return np.asarray(rng.lognormal(size=size) - np.exp(0.5))


def _unequal(rng: np.random.Generator, size: tuple[int, ...]) -> Array:
    arms = rng.normal(size=size)
    arms[1:] *= 4
    return arms


def _unlike(rng: np.random.Generator, size: tuple[int, ...]) -> Array:
    arms = _skewed(rng, size)
    arms[0] = rng.normal(size=size[1])
    return arms


ARMS: dict[str, Draw] = {  # accuracies of variants (the baseline first) over seeds, all with mean 0
    "normal": lambda rng, size: rng.normal(size=size),
    "skewed (log-normal)": _skewed,
    "heavy tails (t, 3 degrees)": lambda rng, size: rng.standard_t(3, size=size),
    "unequal (variants 4 times as wide)": _unequal,
    "unlike (variants log-normal, baseline normal)": _unlike,
}
QUESTIONS = 9  # the study mlp compares as many variants with its baseline


def simulate(draws: int, rng: np.random.Generator) -> pd.DataFrame:
    """Simulates studies without effects, for each kind of accuracies and n.

    `coverage` is how often the 95% interval of an effect contains the truth (0). `family` is how often at least one of
    nine questions is supported or refuted after Holm.
    """
    cases = [(name, seeds) for name in ARMS for seeds in SEEDS]
    with ProcessPoolExecutor() as pool:
        return pd.DataFrame(list(pool.map(_simulate_one, cases, itertools.repeat(draws), rng.spawn(len(cases)))))


def _simulate_one(case: tuple[str, int], draws: int, rng: np.random.Generator) -> dict[str, str | float]:
    name, seeds = case
    covered = families = 0
    for _ in range(draws):
        baseline, *variants = ARMS[name](rng, (1 + QUESTIONS, seeds))
        effects = [paired_effect(variant, baseline) for variant in variants]
        covered += effects[0].interval.low <= 0 <= effects[0].interval.high
        families += min(holm([weigh([effect], "more", None)[1] for effect in effects])) <= ALPHA
    return {"arms": name, "n": seeds, "coverage": covered / draws, "family": families / draws}


MARGIN = 3.0  # of `equal`, in standard deviations of a variant; here the test nearly reaches its level
_FAR: Array = np.array([[0.0], [0.0], [-20.0], [-20.0]])  # makes two variants far worse than the other two
_LEVELS = [0.0, 0.1, 0.3, 0.5]  # the levels of a trend
_KINDS: dict[str, tuple[str, Callable[[Array], tuple[Sequence[Effect], str]]]] = {
    # the kind -> which answer is an error, and the question that is asked of variants x seeds without a difference
    "one against another": ("any answer", lambda x: ([paired_effect(x[0], x[1])], "more")),
    "one against three": ("any answer", lambda x: ([paired_effect(x[0], y) for y in x[1:4]], "more")),
    "different": ("any answer", lambda x: ([paired_effect(x[0], x[1])], "different")),
    "best of four, all alike": ("called clearly the best", lambda x: (_best(x[:4]), "best")),
    "best of four, two alike": ("called clearly the best", lambda x: (_best(x[:4] + _FAR), "best")),
    "interaction": ("any answer", lambda x: ([interaction_effect(*x[:4])], "more")),
    "trend over four levels": ("any answer", lambda x: ([trend_effect(_LEVELS, x[:4].T)], "more")),
    "equal, and just not": ("called equal", lambda x: ([paired_effect(x[0] + MARGIN, x[1])], "equal")),
    "equal, and just so": ("called unequal", lambda x: ([paired_effect(x[0] + MARGIN, x[1])], "equal")),
    "whole numbers": ("any answer", lambda x: ([paired_effect(np.round(2 * x[0]), np.round(2 * x[1]))], "more")),
}
_KINDS["value, skewed arm"] = ("any answer", lambda x: ([value_effect(np.exp(x[0]) - np.exp(0.5), 0.0)], "more"))
_WRONG = {"any answer": (SUPPORTED, REFUTED), "called unequal": (REFUTED,)}  # for other errors: supported


def _best(arms: Array) -> list[Effect]:
    first, *others = sorted(arms, key=lambda arm: -float(arm.mean()))
    return [paired_effect(first, other) for other in others]


def simulate_kinds(draws: int, rng: np.random.Generator) -> pd.DataFrame:
    """Returns for each kind of question and n how often one question alone is answered wrongly at .05."""
    rows = []
    for name, (error, ask) in _KINDS.items():
        row: dict[str, str | float] = {"kind": name, "error": error}
        for seeds in SEEDS:
            wrong = 0
            for arms in rng.normal(size=(draws, 4, seeds)):
                effects, expect = ask(arms)
                if error == "called equal":
                    wrong += weigh_equivalence(effects, MARGIN) <= ALPHA
                    continue
                margin = MARGIN if expect == "equal" else None
                leaning, p = weigh_best(effects) if expect == "best" else weigh(effects, expect, margin)
                wrong += p <= ALPHA and leaning in _WRONG.get(error, (SUPPORTED,))
            row[str(seeds)] = wrong / draws
        rows.append(row)
    return pd.DataFrame(rows)


_SKILL, _DIFFICULTY = 0.1, 1.5  # standard deviations, chosen so that seeds and images both matter


def _right(rng: np.random.Generator, seeds: int) -> Array:
    """Draws which of 1,000 images two variants predict correctly: 2 x seeds x images."""
    shared = rng.normal(0, _DIFFICULTY * np.sqrt(0.9), (1, 1, 1000))
    own = rng.normal(0, _DIFFICULTY * np.sqrt(0.1), (2, 1, 1000))
    level = 0.5 + rng.normal(0, _SKILL, (2, seeds, 1)) + shared + own
    return np.asarray(level + rng.normal(size=level.shape) > 0, dtype=float)


def _difference(rng: np.random.Generator, seeds: int) -> Array:
    first, second = _right(rng, seeds)
    return np.asarray(second - first)


def simulate_two_level(draws: int, rng: np.random.Generator) -> pd.DataFrame:
    """Returns how often the interval over seeds and test images contains the truth, the mean over all possible ones.

    It simulates right and wrong on 1,000 images of different difficulty, for networks of different skill. It covers one
    variant's accuracy, and the difference of two variants that find different images hard.
    """
    rows = []
    truth = float(stats.norm.cdf(0.5 / np.sqrt(1 + _SKILL**2 + _DIFFICULTY**2)))
    for seeds in SEEDS:
        covers = np.zeros(4)
        for _ in range(draws):
            right = _right(rng, seeds)
            for place, (values, true) in enumerate(((right[0], truth), (right[1] - right[0], 0.0))):
                found = two_level_effect(values).interval, mean_interval(values.mean(axis=1))
                covers[2 * place : 2 * place + 2] += [one.low <= true <= one.high for one in found]
        rows.append({"n": seeds} | dict(zip(COVERS, covers / draws, strict=True)))
    return pd.DataFrame(rows)


LEVELS = (0.95, 1 - 0.05 * 3 / 27, 1 - 0.05 * 9 / 27)  # that of a fixed design, and of two looks of 5..27


def simulate_levels(draws: int, rng: np.random.Generator) -> pd.DataFrame:
    """Returns how often the interval over seeds and images of a difference errs, at the levels of looks.

    Under a level the interval misses the truth; under "equal" and the level a difference as large as the margin (.05)
    is called equivalent by the one-sided tests that invert this interval.
    """
    rows, margin = [], 0.05
    for seeds in (5, 8, 27):
        missed, called = np.zeros(len(LEVELS)), np.zeros(len(LEVELS))
        for _ in range(draws):
            values = _difference(rng, seeds)
            effect, just = two_level_effect(values), two_level_effect(values + margin)
            missed += [not one.low <= 0 <= one.high for one in (effect.at(level).interval for level in LEVELS)]
            called += equivalence_p(just, margin) <= 1 - np.array(LEVELS)
        row = {f"{level:.4f}": share for level, share in zip(LEVELS, missed / draws, strict=True)}
        row |= {f"equal {level:.4f}": share for level, share in zip(LEVELS, called / draws, strict=True)}
        rows.append({"n": seeds} | row)
    return pd.DataFrame(rows)


def simulate_collapse(draws: int, rng: np.random.Generator, share: float = 0.15) -> pd.DataFrame:
    """Returns what happens where a variant collapses in some seeds: coverage, and how often nine questions err.

    Accuracies are 90 ± 1%, and 10% where a seed collapses. Truth is the difference of the means. `warned` is how often
    the page warns of two groups in the first variant, `false_alarm` how often of one that never collapses.
    """
    rows = []
    for seeds in SEEDS:
        covered = families = warned = alarms = 0
        for _ in range(draws):
            arms = 0.9 + rng.normal(0, 0.01, (1 + QUESTIONS, seeds))
            arms[1:] -= 0.8 * (rng.random((QUESTIONS, seeds)) < share)
            effects = [paired_effect(arm, arms[0] - 0.8 * share) for arm in arms[1:]]
            covered += effects[0].interval.low <= 0 <= effects[0].interval.high
            p = [weigh([effect], "more", None)[1] for effect in effects]
            families += bool(np.nanmin([*holm(p), 1.0]) <= ALPHA)
            warned += lower_group(arms[1]) > 0
            alarms += lower_group(arms[0]) > 0
        found = {"coverage": covered, "family": families, "warned": warned, "false_alarm": alarms}
        rows.append({"n": seeds} | {name: count / draws for name, count in found.items()})
    return pd.DataFrame(rows)


def simulate_families(draws: int, rng: np.random.Generator) -> dict[str, float]:
    """Returns how often studies without differences err, with five seeds: in one family, and in at least one of two.

    Nine questions each compare a variant with the next one. The figure compares each variant with the baseline.
    """
    asked = drawn = either = 0
    for _ in range(draws):
        arms = rng.normal(size=(1 + QUESTIONS, 5))
        pairs = zip(arms[1:], np.roll(arms[1:], 1, axis=0), strict=True)
        questions = min(holm([paired_effect(*pair).p for pair in pairs])) <= ALPHA
        figure = min(holm([paired_effect(arm, arms[0]).p for arm in arms[1:]])) <= ALPHA
        asked, drawn, either = asked + questions, drawn + figure, either + (questions or figure)
    return {"questions": asked / draws, "figure": drawn / draws, "either": either / draws}


COVERS = ("accuracy, both", "accuracy, seeds", "difference, both", "difference, seeds")
