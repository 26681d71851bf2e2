"""Writes docs/calibration.md from what was measured."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.simulations import COVERS, LEVELS, QUESTIONS, SEEDS
from runner.stats import ALPHA
from runner.text import table


@dataclass(frozen=True)
class Same:
    """The outcome of the A/A study, whose pairs of variants differ in their random numbers only.

    p         of each pair
    covered   the number of pairs whose interval contains 0
    seeds     of each variant
    looks     of a sequential design
    at_looks  whether that design calls each pair different
    """

    p: list[float]
    covered: int
    seeds: int
    looks: tuple[int, ...]
    at_looks: list[bool]

    @property
    def called(self) -> int:
        """The number of pairs that are called different at .05."""
        return sum(p <= ALPHA for p in self.p)

    @property
    def most(self) -> int:
        """The upper limit of the central 95% of `called`, where each pair is called different with probability .05."""
        return int(stats.binom.interval(0.95, len(self.p), ALPHA)[1])

    @property
    def called_at_looks(self) -> int:
        """The number of pairs that a sequential design calls different."""
        return sum(self.at_looks)


@dataclass(frozen=True)
class Measured:
    """Everything that the page says. The frames are those that the functions of the same names return."""

    draws: int
    simulated: pd.DataFrame
    kinds: pd.DataFrame
    two_level: pd.DataFrame
    levels: pd.DataFrame
    collapse: pd.DataFrame
    families: dict[str, float]
    designs: pd.DataFrame
    errors: pd.DataFrame
    peeking: pd.DataFrame
    pairs: Same
    power: pd.DataFrame


def percent(share: float) -> str:
    """Returns a share from 0 to 1 in percent, with one decimal."""
    return f"{100 * share:.1f}"


def simulation_error(draws: int) -> float:
    """Returns half of the 95% interval, in points, of a share of 5% or 95% in so many draws."""
    return float(100 * 1.96 * np.sqrt(0.05 * 0.95 / draws))


def page(found: Measured) -> Iterator[str]:
    """Yields the parts of docs/calibration.md."""
    yield "# Calibration: how often the statistics err"
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield f"`make calibrate` made this page on {datetime.date.today()} ({machine}). The simulation has a fixed seed."
    yield "![coverage of the intervals, and p of pairs without a difference](calibration.png)"
    yield from part_simulated(found.simulated, found.draws)
    yield from part_families(found.families, found.draws)
    yield from part_kinds(found.kinds, found.draws)
    yield from part_collapse(found.collapse, found.draws)
    yield from part_designs(found.designs, found.errors, found.peeking, found.draws // 2)
    yield from part_images(found.two_level, found.levels, found.draws)
    yield from part_real(found.pairs)
    yield from part_power(found.power)


def part_families(families: dict[str, float], draws: int) -> Iterator[str]:
    """Yields how often the questions, the figure of effects, and either of the two err."""
    yield "### Two families"
    yield (
        f"A page has two families: its questions, and the variants in the figure of effects. In {draws:,} studies "
        f"without a difference (nine of each, 5 seeds), the questions err in {percent(families['questions'])}% of "
        f"studies, the figure in {percent(families['figure'])}%, and at least one of them in "
        f"{percent(families['either'])}%."
    )


def part_collapse(collapse: pd.DataFrame, draws: int) -> Iterator[str]:
    """Yields what happens where training collapses in some seeds."""
    yield "### Variants that collapse in some seeds"
    names = ("coverage", "family", "warned", "false_alarm")
    rows = [[str(int(r["n"])), *(percent(r[name]) for name in names)] for _, r in collapse.iterrows()]
    yield (
        "Each variant falls from 90 to 10% accuracy in 15% of its seeds. The truth is the difference of the means. "
        "t intervals and tests fail here, whatever the number of seeds. Pages name a variant whose seeds fall into "
        f"two groups. {draws:,} draws; all in %."
    )
    heads = ["coverage", "any of nine questions wrong", "warned", "false alarms (a variant that never collapses)"]
    yield table(["n", *heads], rows, names=0)


def part_designs(designs: pd.DataFrame, errors: pd.DataFrame, peeking: pd.DataFrame, draws: int) -> Iterator[str]:
    """Yields what sequential designs answer, what they cost, and how often they err."""
    yield "## Sequential seeds"
    peeks = "; ".join(f"after {r['looks']} seeds {percent(r['error'])}%" for _, r in peeking.iterrows())
    yield (
        "Without a correction, looking again after adding seeds errs more often. One question without an effect is "
        f"answered by some look in so many studies: {peeks}."
    )
    yield (
        f"Ten questions each compare a variant with the same baseline. The true effects are 0 (four times), 0.5 "
        "(twice), 1 (twice), 2 and 4 standard deviations of a paired difference; `smallest` is 1. *Right*: the "
        "direction is answered, or *practically equivalent* where the effect is smaller than `smallest`. The code is "
        f"the one that decides in real studies. {draws:,} draws."
    )
    rows = [
        [r["design"], f"{r['right']:.1f}", f"{r['runs']:.0f}", percent(r["false"]), percent(r["equivalent"])]
        for _, r in designs.iterrows()
    ]
    heads = ["right of 10", "runs", "studies with a false difference, %", "with a false equivalence, %"]
    yield table(["seeds", *heads], rows)
    yield (
        "The next table shows how often a sequential design (5..27) errs in the worst cases: no variant differs, or "
        "every one differs by just `smallest`. "
        f"Simulation error: ± {simulation_error(draws):.1f} points where the truth is 5. Variants that collapse in "
        "some seeds are beyond the method: pages warn of them."
    )
    rows = [[r["arms"], percent(r["none"]), percent(r["just"]), f"{r['runs']:.0f}"] for _, r in errors.iterrows()]
    heads = ["no effects: a false difference, %", "effects of `smallest`: a false equivalence, %", "runs (no effects)"]
    yield table(["seeds' accuracies", *heads], rows)


def part_simulated(simulated: pd.DataFrame, draws: int) -> Iterator[str]:
    """Yields how often intervals and verdicts err in simulated studies without a difference."""
    yield "## Simulated"
    yield (
        f"We simulate {draws:,} studies of a baseline and {QUESTIONS} variants. No variant differs from the baseline. "
        "*Coverage* is how often the 95% interval of an effect contains the truth. *Any question called* is how often "
        "at least one of the nine questions is answered with yes or no, after Holm. Each such answer is an error."
    )
    rows = [[r["arms"], str(r["n"]), percent(r["coverage"]), percent(r["family"])] for _, r in simulated.iterrows()]
    yield table(["seeds' accuracies", "n", "coverage, %", "any question called, %"], rows)
    yield (
        f"Simulation error: ± {simulation_error(draws):.1f} points where the truth is 5 or 95. The difference of two "
        "variants of one shape is symmetric, however skewed they are. The t interval then covers about 95%, and more "
        "with heavy tails. Variants of different skewness are the method's limit: there the interval covers less."
    )


def part_kinds(kinds: pd.DataFrame, draws: int) -> Iterator[str]:
    """Yields how often each kind of question is answered wrongly."""
    yield "### Each kind of question"
    rows = [[r["kind"], r["error"], *(percent(r[str(n)]) for n in SEEDS)] for _, r in kinds.iterrows()]
    yield (
        f"The table shows how often one question alone, at .05, is answered wrongly, in %. Each of {draws // 2:,} "
        "draws has normal variants that do not differ. For `equal` they differ by just the margin (three standard "
        f"deviations of a variant). Simulation error: ± {simulation_error(draws // 2):.1f} points."
    )
    yield table(["kind", "error", *(f"{n} seeds" for n in SEEDS)], rows, names=2)


def part_images(two_level: pd.DataFrame, levels: pd.DataFrame, draws: int) -> Iterator[str]:
    """Yields the coverage over seeds and test images together."""
    yield "## Seeds and images together"
    rows = [[str(int(r["n"])), *(percent(r[name]) for name in COVERS)] for _, r in two_level.iterrows()]
    yield (
        "We simulate test accuracy on 1,000 images of different difficulty, for networks of different skill. The truth "
        "is the mean over all possible images and seeds. The table shows coverage, %, of a variant's accuracy and of "
        "the difference of two variants that share nine tenths of their hard images. An interval over seeds alone is "
        f"about these test images, and misses the truth too often. {draws // 4:,} draws; simulation error: "
        f"± {simulation_error(draws // 4):.1f} points."
    )
    heads = ["accuracy: seeds and images", "seeds alone", "difference: seeds and images", "seeds alone"]
    yield table(["n", *heads], rows, names=0)
    yield (
        "Looks use higher levels. The table shows, in %, how often the interval of the difference misses the truth, "
        "and how often a difference as large as the margin is called equivalent. The nominal error is in the head. "
        f"{draws // 4:,} draws."
    )
    columns = [f"{kind}{level:.4f}" for kind in ("", "equal ") for level in LEVELS]
    rows = [[str(int(r["n"])), *(f"{100 * r[name]:.2f}" for name in columns)] for _, r in levels.iterrows()]
    nominal = [f"{100 * (1 - level):.2f}" for level in LEVELS]
    heads = [*(f"misses, {each}" for each in nominal), *(f"equivalent, {each}" for each in nominal)]
    yield table(["n", *heads], rows, names=0)


def part_real(pairs: Same) -> Iterator[str]:
    """Yields the outcome of a real study of equal variants."""
    yield "## Real: a study without differences"
    most, count = pairs.most, len(pairs.p)
    share = stats.binomtest(pairs.called, len(pairs.p)).proportion_ci()
    yield (
        f"The study `aa` on mnist5k has {len(pairs.p)} pairs of variants that differ in their random numbers only, "
        f"with {pairs.seeds} seeds each. **{pairs.called} of {len(pairs.p)}** pairs are called different at .05.\n\n"
        f"- A correct test calls at most {most} with probability {stats.binom.cdf(most, count, ALPHA):.3f}. A test "
        f"that errs twice as often does so with probability {stats.binom.cdf(most, count, 2 * ALPHA):.2f}.\n"
        f"- The 95% interval of the share is {percent(share.low)} to {percent(share.high)}% (Clopper-Pearson).\n"
        f"- {pairs.covered} of {len(pairs.p)} intervals contain 0.\n"
        "- A Kolmogorov-Smirnov test that the p-values are uniform gives "
        f"p = {stats.kstest(pairs.p, 'uniform').pvalue:.2f}.\n"
        f"- With looks after {', '.join(map(str, pairs.looks))} seeds, **{pairs.called_at_looks} of "
        f"{len(pairs.at_looks)}** pairs are called different at any look."
    )


def part_power(sees: pd.DataFrame) -> Iterator[str]:
    """Yields which differences a number of seeds can detect."""
    yield "## Power: what n seeds can see"
    rows = [
        [
            r["study"],
            str(r["variants"]),
            f"{100 * r['spread']:.2f}",
            *(f"{100 * r[n]:.2f}" for n in ("3", "5", "10", "20", "first")),
        ]
        for _, r in sees.iterrows()
    ]
    yield (
        "The table shows the true difference in validation accuracy, in points, that a paired t test finds with "
        "probability .8 at .05 (one question, no correction). It uses the median spread of the variants' differences "
        "over seeds, without variants that lose more than 20 points. *First of nine*: what the first step of Holm's "
        "correction over nine questions takes with 5 seeds."
    )
    yield table(["study", "variants", "spread", "3 seeds", "5 seeds", "10 seeds", "20 seeds", "first of nine"], rows)
