"""How often the statistics err: simulated, on a real study without differences, and what n seeds can see.

    make calibrate

Writes docs/calibration.md and its figure. The A/A study goes to runs/ and resumes, as every study does.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import os
import platform
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console
from scipy import stats

from runner.execute import Request, execute
from runner.expand import Overrides
from runner.files import write_text
from runner.report.figures import saved
from runner.report.tables import StudyRuns, gather
from runner.report.verdicts import weigh
from runner.report.words import table
from runner.spec import BASELINE
from runner.stats import ALPHA, holm, mean_interval, paired_effect, smallest_effect, two_level_effect

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


ARMS: dict[str, Draw] = {  # of mean 0, the baseline's first: what seeds do to a variant's accuracy
    "normal": lambda rng, size: rng.normal(size=size),
    "skewed (log-normal)": _skewed,
    "heavy tails (t, 3 degrees)": lambda rng, size: rng.standard_t(3, size=size),
    "unequal (variants 4 times as wide)": _unequal,
    "unlike (variants log-normal, baseline normal)": _unlike,
}
_QUESTIONS = 9  # as many variants as the study mlp compares with its baseline


def simulate(draws: int, rng: np.random.Generator) -> pd.DataFrame:
    """For each kind of arms and n: how often the 95% interval of an effect covers the truth (0), and how
    often at least one of nine questions without an effect is called supported or refuted after Holm."""
    cases = [(name, seeds) for name in ARMS for seeds in SEEDS]
    with ProcessPoolExecutor() as pool:
        return pd.DataFrame(list(pool.map(_simulate_one, cases, itertools.repeat(draws), rng.spawn(len(cases)))))


def _simulate_one(case: tuple[str, int], draws: int, rng: np.random.Generator) -> dict[str, str | float]:
    name, seeds = case
    covered = families = 0
    for _ in range(draws):
        baseline, *variants = ARMS[name](rng, (1 + _QUESTIONS, seeds))
        effects = [paired_effect(variant, baseline) for variant in variants]
        covered += effects[0].interval.low <= 0 <= effects[0].interval.high
        families += min(holm([weigh([effect], "more", None)[1] for effect in effects])) <= ALPHA
    return {"arms": name, "n": seeds, "coverage": covered / draws, "family": families / draws}


def simulate_two_level(draws: int, rng: np.random.Generator) -> pd.DataFrame:
    """How often the interval over seeds and test images covers: images of different difficulty, networks
    of different skill, 1,000 images right or wrong; the truth is the mean over all seeds and images."""
    rows = []
    skill, difficulty = 0.1, 1.5  # logits; chosen so that both levels matter
    truth = float(stats.norm.cdf(0.5 / np.sqrt(1 + skill**2 + difficulty**2)))
    for seeds in SEEDS:
        covered = alone = 0
        for _ in range(draws):
            level = 0.5 + rng.normal(0, skill, (seeds, 1)) + rng.normal(0, difficulty, (1, 1000))
            right = (level + rng.normal(size=level.shape) > 0).astype(float)
            both, one = two_level_effect(right).interval, mean_interval(right.mean(axis=1))
            covered += both.low <= truth <= both.high
            alone += one.low <= truth <= one.high
        rows.append({"n": seeds, "both": covered / draws, "seeds alone": alone / draws})
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Same:
    """The A/A study's outcome: pairs of arms that differ in nothing, and how many were called different."""

    p: list[float]
    covered: int
    seeds: int

    @property
    def called(self) -> int:
        return sum(p <= ALPHA for p in self.p)

    @property
    def expected(self) -> tuple[int, int]:
        """Where 95% of the counts lie if each pair is called different with probability .05."""
        low, high = stats.binom.interval(0.95, len(self.p), ALPHA)
        return int(low), int(high)


def study_runs(name: str, dataset: str, data: Path, console: Console) -> StudyRuns:
    """Trains what is left of a study and reads it."""
    request = Request((name,), Overrides(dataset=dataset), data)
    (folder,) = execute(request, console).names
    return gather(request.runs / folder)


def same(found: StudyRuns) -> Same:
    """Neighbors of the A/A study as pairs that have no run in common."""
    arms = found.variants
    effects = [paired_effect(*found.paired(pair, "val/accuracy")) for pair in zip(arms[::2], arms[1::2], strict=True)]
    covered = sum(effect.interval.low <= 0 <= effect.interval.high for effect in effects)
    return Same([effect.p for effect in effects], covered, effects[0].interval.n)


def power(studies: dict[str, StudyRuns]) -> pd.DataFrame:
    """For each data set the median spread of the variants' differences, and the effect that n seeds see."""
    rows = []
    for name, found in studies.items():
        effects = [found.effect(variant, "val/accuracy") for variant in found.variants if variant != BASELINE]
        spreads = [effect.spread for effect in effects if effect.interval.estimate > -0.2]  # not of disasters
        spread = float(np.median(spreads))
        sees = {str(seeds): smallest_effect(spread, seeds) for seeds in (3, 5, 10, 20)}
        rows.append({"study": name, "variants": len(spreads), "spread": spread} | sees)
    return pd.DataFrame(rows)


def draw_figure(simulated: pd.DataFrame, pairs: Same, path: Path) -> None:
    """Coverage by arms and n; the A/A study's p against the uniform distribution that they must have."""
    with saved(path, 1, 2, (10.5, 3.9)) as (_, (left, right)):
        for name, rows in simulated.groupby("arms", sort=False):
            left.plot(rows["n"].astype(str), 100 * rows["coverage"], "o-", label=name)
        left.axhspan(94, 96, color="#1a7f37", alpha=0.12, linewidth=0)
        left.axhline(95, color="#202124", linewidth=1)
        left.set(xlabel="seeds", ylabel="intervals that cover the truth, %", ylim=(85, 100))
        left.legend(frameon=False, fontsize=8, loc="lower right")
        p = np.sort(pairs.p)
        right.plot([0, 1], [0, 1], color="#202124", linewidth=1)
        right.step(p, np.arange(1, len(p) + 1) / len(p), where="post", color="#1a73e8", linewidth=2)
        right.axvline(ALPHA, color="#c5221f", linewidth=1, linestyle="--")
        right.set(xlabel=f"p of {len(p)} pairs without a difference", ylabel="share of pairs with at most that p")


def page(simulated: pd.DataFrame, levels: pd.DataFrame, pairs: Same, sees: pd.DataFrame, draws: int) -> Iterator[str]:
    """docs/calibration.md, part by part."""
    percent = "{:.1f}".format
    yield "# Calibration: how often the statistics err"
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield f"Made by `make calibrate` on {datetime.date.today()}, {machine}; the simulation has a fixed seed."
    yield "![coverage of the intervals, and p of pairs without a difference](calibration.png)"
    yield "## Simulated"
    yield (
        f"{draws:,} studies of a baseline and {_QUESTIONS} variants, none of which differs. Coverage: how often the "
        "95% interval of an effect contains the truth. Any question called: how often at least one of the nine "
        "questions is answered with yes or no, after Holm, though there is nothing to find."
    )
    rows = [
        [r["arms"], str(r["n"]), percent(100 * r["coverage"]), percent(100 * r["family"])]
        for _, r in simulated.iterrows()
    ]
    yield table(["seeds' accuracies", "n", "coverage, %", "any question called, %"], rows)
    error = 100 * 1.96 * np.sqrt(0.05 * 0.95 / draws)
    yield (
        f"Simulation error: ± {error:.1f} points. A difference of two arms of the same shape is symmetric, however "
        "skewed they are, and the t interval then covers at least what it says. Arms of unlike skewness are the "
        "method's limit: there it covers less."
    )
    yield "### Seeds and test images together"
    rows = [[str(int(r["n"])), percent(100 * r["both"]), percent(100 * r["seeds alone"])] for _, r in levels.iterrows()]
    yield (
        "Test accuracy on 1,000 images of different difficulty, of networks of different skill; the truth is the mean "
        "over all images and seeds there could be. An interval over seeds alone is about these test "
        "images, and misses it:"
    )
    yield table(["n", "over seeds and images: coverage, %", "over seeds alone: coverage, %"], rows, names=0)
    yield "## Real: a study without differences"
    low, high = pairs.expected
    yield (
        f"The study `aa` on mnist5k: {len(pairs.p)} pairs of variants that differ in their random numbers alone, "
        f"{pairs.seeds} seeds each. **{pairs.called} of {len(pairs.p)}** were called different at .05; "
        f"95% of such counts lie from {low} to {high} if the test keeps its word. Their intervals covered 0 in "
        f"{pairs.covered} of {len(pairs.p)}. Kolmogorov-Smirnov test that the p are uniform: "
        f"p = {stats.kstest(pairs.p, 'uniform').pvalue:.2f}."
    )
    yield "## Power: what n seeds can see"
    rows = [
        [
            r["study"],
            str(r["variants"]),
            f"{100 * r['spread']:.2f}",
            *(f"{100 * r[n]:.2f}" for n in ("3", "5", "10", "20")),
        ]
        for _, r in sees.iterrows()
    ]
    yield (
        "The true difference in validation accuracy, points, that a paired t test finds with probability .8 at .05 "
        "(one question, no correction), from the median spread of the variants' differences over seeds:"
    )
    yield table(["study", "variants", "spread", "3 seeds", "5 seeds", "10 seeds", "20 seeds"], rows)


def main() -> None:
    """Simulates, trains, judges, writes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--draws", default=10_000, type=int, help="simulated studies for each line")
    parser.add_argument("--data", default="data", type=Path)
    parser.add_argument("--docs", default="docs", type=Path, help="where the page goes")
    arguments = parser.parse_args()
    console, rng = Console(width=120), np.random.default_rng(2026)
    studies = {f"mlp-{name}": study_runs("mlp", name, arguments.data, console) for name in ("digits", "mnist5k")}
    if Path("runs/mlp-cifar10/study.json").exists():  # trained by make ablations DATASET=cifar10; too long for here
        studies["mlp-cifar10"] = gather(Path("runs/mlp-cifar10"))
    pairs = same(study_runs("aa", "mnist5k", arguments.data, console))
    simulated, levels = simulate(arguments.draws, rng), simulate_two_level(arguments.draws // 10, rng)
    draw_figure(simulated, pairs, arguments.docs / "calibration.png")
    text = "\n\n".join(page(simulated, levels, pairs, power(studies), arguments.draws))
    write_text(arguments.docs / "calibration.md", text + "\n")
    console.print(text, markup=False)


if __name__ == "__main__":
    main()
