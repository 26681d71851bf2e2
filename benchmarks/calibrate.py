"""Measures how often the statistics err, and which differences n seeds can detect.

    make calibrate

It simulates studies, and trains a real study without differences (A/A) in runs/, which resumes like every study. It
writes docs/calibration.md and its figure.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from scipy import stats

from benchmarks.simulations import COVERS, QUESTIONS, SEEDS, simulate, simulate_kinds, simulate_two_level
from runner.execute import Request, execute
from runner.expand import Overrides
from runner.files import write_text
from runner.plot import saved
from runner.power import smallest_effect
from runner.spec import BASELINE
from runner.stats import ALPHA, paired_effect
from runner.text import plain_console, table
from runner.verdicts import StudyRuns, gather


@dataclass(frozen=True)
class Same:
    """The outcome of the A/A study, whose pairs of variants differ in their random numbers only.

    p        of each pair
    covered  the number of pairs whose interval contains 0
    seeds    of each variant
    """

    p: list[float]
    covered: int
    seeds: int

    @property
    def called(self) -> int:
        """The number of pairs that are called different at .05."""
        return sum(p <= ALPHA for p in self.p)

    @property
    def most(self) -> int:
        """The upper limit of the central 95% of `called`, where each pair is called different with probability .05."""
        return int(stats.binom.interval(0.95, len(self.p), ALPHA)[1])


def study_runs(name: str, dataset: str, data: Path, console: Console) -> StudyRuns:
    """Trains the remaining runs of a study and reads all its runs."""
    request = Request((name,), Overrides(dataset=dataset), data)
    (folder,) = execute(request, console).names
    return gather(request.runs / folder)


def same(found: StudyRuns) -> Same:
    """Compares neighboring variants of the A/A study, as pairs that have no run in common."""
    arms = found.variants
    effects = [paired_effect(*found.paired(pair, "val/accuracy")) for pair in zip(arms[::2], arms[1::2], strict=True)]
    covered = sum(effect.interval.low <= 0 <= effect.interval.high for effect in effects)
    return Same([effect.p for effect in effects], covered, effects[0].interval.n)


def power(studies: dict[str, StudyRuns]) -> pd.DataFrame:
    """Returns for each study the median spread of the variants' differences, and the effect that n seeds detect."""
    rows = []
    for name, found in studies.items():
        effects = [found.effect(variant, "val/accuracy") for variant in found.variants if variant != BASELINE]
        spreads = [effect.spread for effect in effects if effect.interval.estimate > -0.2]  # without failing variants
        spread = float(np.median(spreads))
        sees = {str(seeds): smallest_effect(spread, seeds) for seeds in (3, 5, 10, 20)}
        rows.append({"study": name, "variants": len(spreads), "spread": spread} | sees)
    return pd.DataFrame(rows)


def draw_figure(simulated: pd.DataFrame, pairs: Same, path: Path) -> None:
    """Draws coverage by kind of accuracy and n, and the p-values of the A/A study, which should be uniform."""
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


def percent(share: float) -> str:
    """Returns a share from 0 to 1 in percent, with one decimal."""
    return f"{100 * share:.1f}"


def simulation_error(draws: int) -> float:
    """Returns half of the 95% interval, in points, of a share of 5% or 95% in so many draws."""
    return float(100 * 1.96 * np.sqrt(0.05 * 0.95 / draws))


def page(
    simulated: pd.DataFrame, kinds: pd.DataFrame, levels: pd.DataFrame, pairs: Same, sees: pd.DataFrame, draws: int
) -> Iterator[str]:
    """Yields the parts of docs/calibration.md."""
    yield "# Calibration: how often the statistics err"
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    yield f"`make calibrate` made this page on {datetime.date.today()} ({machine}). The simulation has a fixed seed."
    yield "![coverage of the intervals, and p of pairs without a difference](calibration.png)"
    yield from part_simulated(simulated, draws)
    yield from part_kinds(kinds, draws)
    yield from part_images(levels, draws)
    yield from part_real(pairs)
    yield from part_power(sees)


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


def part_images(levels: pd.DataFrame, draws: int) -> Iterator[str]:
    """Yields the coverage over seeds and test images together."""
    yield "### Seeds and test images together"
    rows = [[str(int(r["n"])), *(percent(r[name]) for name in COVERS)] for _, r in levels.iterrows()]
    yield (
        "We simulate test accuracy on 1,000 images of different difficulty, for networks of different skill. The truth "
        "is the mean over all possible images and seeds. The table shows coverage, %, of a variant's accuracy and of "
        "the difference of two variants that share nine tenths of their hard images. An interval over seeds alone is "
        f"about these test images, and misses the truth too often. {draws // 4:,} draws; simulation error: "
        f"± {simulation_error(draws // 4):.1f} points."
    )
    heads = ["accuracy: seeds and images", "seeds alone", "difference: seeds and images", "seeds alone"]
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
        f"p = {stats.kstest(pairs.p, 'uniform').pvalue:.2f}."
    )


def part_power(sees: pd.DataFrame) -> Iterator[str]:
    """Yields which differences a number of seeds can detect."""
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
        "The table shows the true difference in validation accuracy, in points, that a paired t test finds with "
        "probability .8 at .05 (one question, no correction). It uses the median spread of the variants' differences "
        "over seeds, without variants that lose more than 20 points."
    )
    yield table(["study", "variants", "spread", "3 seeds", "5 seeds", "10 seeds", "20 seeds"], rows)


def main() -> None:
    """Simulates and trains, then writes the page and its figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--draws", default=10_000, type=int, help="simulated studies for each row")
    parser.add_argument("--data", default="data", type=Path)
    parser.add_argument("--docs", default="docs", type=Path, help="the folder that the page is written to")
    arguments = parser.parse_args()
    console, rng = plain_console(120), np.random.default_rng(2026)
    studies = {f"mlp-{name}": study_runs("mlp", name, arguments.data, console) for name in ("digits", "mnist5k")}
    if Path("runs/mlp-cifar10/study.json").exists():  # make ablations DATASET=cifar10 trains it; it takes too long here
        studies["mlp-cifar10"] = gather(Path("runs/mlp-cifar10"))
    pairs = same(study_runs("aa", "mnist5k", arguments.data, console))
    simulated, kinds = simulate(arguments.draws, rng), simulate_kinds(arguments.draws // 2, rng)
    levels = simulate_two_level(arguments.draws // 4, rng)
    draw_figure(simulated, pairs, arguments.docs / "calibration.png")
    text = "\n\n".join(page(simulated, kinds, levels, pairs, power(studies), arguments.draws))
    write_text(arguments.docs / "calibration.md", text + "\n")
    console.print(text)


if __name__ == "__main__":
    main()
