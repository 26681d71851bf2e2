"""Measures how often the statistics err, and which differences n seeds can detect.

    make calibrate

It simulates studies, and trains a real study without differences (A/A) in runs/, which resumes like every study. It
writes docs/calibration.md and its figure.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from benchmarks.calibration_page import Measured, Same, page
from benchmarks.sequential import simulate_designs, simulate_errors, simulate_peeking
from benchmarks.simulations import (
    simulate,
    simulate_collapse,
    simulate_families,
    simulate_kinds,
    simulate_levels,
    simulate_two_level,
)
from runner.execute import Request, execute
from runner.expand import Overrides
from runner.files import write_text
from runner.plot import saved
from runner.power import smallest_effect
from runner.spec import BASELINE, Question, plan_seeds
from runner.stats import ALPHA, paired_effect
from runner.text import plain_console
from runner.verdicts import UNDECIDED, Declared, StudyRuns, gather, judge

_SEEDS = 5


def study_runs(name: str, dataset: str, data: Path, console: Console) -> StudyRuns:
    """Trains the remaining runs of a study and reads all its runs."""
    request = Request((name,), Overrides(dataset=dataset), data)
    (folder,) = execute(request, console).names
    return gather(request.runs / folder)


def same(found: StudyRuns) -> Same:
    """Compares neighboring variants of the A/A study, pairs without a common run: with five seeds, and at looks."""
    arms = found.variants
    pairs = list(zip(arms[::2], arms[1::2], strict=True))
    five = replace(found, runs=found.runs[found.runs["seed"] < _SEEDS])
    effects = [paired_effect(*five.paired(pair, "val/accuracy")) for pair in pairs]
    covered = sum(effect.interval.low <= 0 <= effect.interval.high for effect in effects)
    plan = plan_seeds(f"{_SEEDS}..{found.runs['seed'].nunique()}")
    study = found.study.model_copy(update={"seeds": plan.plain()})
    at_looks = []
    for pair in pairs:
        question = Declared("?", Question(ask="?", compare=pair))
        (verdict,) = judge(replace(found, study=study, questions=[question]))
        at_looks.append(verdict.answer != UNDECIDED)
    return Same([effect.p for effect in effects], covered, _SEEDS, plan.looks, at_looks)


def power(studies: dict[str, StudyRuns]) -> pd.DataFrame:
    """Returns for each study the median spread of the variants' differences, and the effect that n seeds detect."""
    rows = []
    for name, found in studies.items():
        effects = [found.effect(variant, "val/accuracy") for variant in found.variants if variant != BASELINE]
        spreads = [effect.spread for effect in effects if effect.interval.estimate > -0.2]  # without failing variants
        spread = float(np.median(spreads))
        sees = {str(seeds): smallest_effect(spread, seeds) for seeds in (3, 5, 10, 20)}
        sees["first"] = smallest_effect(spread, 5, ALPHA / 9)
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
    draws = arguments.draws
    simulated = simulate(draws, rng)
    found = Measured(
        draws, simulated, simulate_kinds(draws // 2, rng), simulate_two_level(draws // 4, rng),
        simulate_levels(draws // 4, rng), simulate_collapse(draws, rng), simulate_families(draws, rng),
        simulate_designs(draws // 2), simulate_errors(draws // 2), simulate_peeking(draws // 2), pairs, power(studies),
    )  # fmt: skip
    draw_figure(simulated, pairs, arguments.docs / "calibration.png")
    text = "\n\n".join(page(found))
    write_text(arguments.docs / "calibration.md", text + "\n")
    console.print(text)


if __name__ == "__main__":
    main()
