"""Simulates sequential designs with a known truth: what they answer, how often they err, and how many runs they take.

    python -m benchmarks.sequential [--draws 3000]

It uses the code that decides in real studies. `make calibrate` writes the results into docs/calibration.md.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks import simulations
from benchmarks.simulations import Array, Draw
from runner.spec import Question, SeedPlan, plan_seeds
from runner.stats import ALPHA, paired_effect
from runner.verdicts import Comparison, Declared, Track, decide

# True effects, in standard deviations of a paired difference.
MIXED = (0.0, 0.0, 0.0, 0.0, 0.5, 0.5, 1.0, 1.0, 2.0, 4.0)
MARGIN = 1.0


def _whole(rng: np.random.Generator, size: tuple[int, ...]) -> Array:
    return np.asarray(np.round(2 * rng.normal(size=size)) / 2)


def _collapsing(rng: np.random.Generator, size: tuple[int, ...]) -> Array:
    """Each variant loses 20 deviations in 15% of its seeds; its mean is 0 all the same."""
    arms = rng.normal(size=size)
    arms[1:] += 20 * (0.15 - (rng.random((size[0] - 1, size[1])) < 0.15))
    return arms


def _unlike(rng: np.random.Generator, size: tuple[int, ...]) -> Array:
    """The variants' log-normal values have the baseline's deviation."""
    arms = simulations.ARMS["skewed (log-normal)"](rng, size) / np.sqrt((np.e - 1) * np.e)
    arms[0] = rng.normal(size=size[1])
    return np.asarray(arms)


# Values over seeds (the baseline first) of mean 0, and the deviation of a paired difference; of collapsing arms that of
# the seeds that do not collapse.
_SHARED = {"normal": 2**0.5, "heavy tails (t, 3 degrees)": 6**0.5, "unequal (variants 4 times as wide)": 17**0.5}
ARMS: dict[str, tuple[Draw, float]] = {name: (simulations.ARMS[name], deviation) for name, deviation in _SHARED.items()}
ARMS |= {
    "whole numbers": (_whole, 2**0.5),
    "unlike (variants log-normal, baseline normal)": (_unlike, 2**0.5),
    "collapsing (15% of a variant's seeds)": (_collapsing, 2**0.5),
}
DESIGNS = {"fixed 5": plan_seeds(5), "fixed 27": plan_seeds(27), "5..27": plan_seeds("5..27")}


@dataclass(frozen=True)
class Outcome:
    """What one simulated study answered.

    right       questions answered with their direction, or as equivalent where the effect is below the margin
    false       questions with a difference where there is none, or in the wrong direction
    equivalent  questions called equivalent whose effect is the margin or more
    runs        trained
    """

    right: int
    false: int
    equivalent: int
    runs: int


def study(values: Array, effects: Sequence[float], plan: SeedPlan, margin: float | None = MARGIN) -> Outcome:
    """Asks of each variant whether it is better than the baseline.

    `values` is (1 + variants) x seeds, the baseline first. `effects` are the true ones, in standard deviations of a
    paired difference.
    """
    question = Question(ask="?", compare=("a", "b"), metric="val/loss", expect="more", smallest=margin)
    tracks = [Track(Declared("?", question), (str(number), "baseline")) for number in range(len(effects))]
    taken = np.full(len(values), plan.looks[0])
    for look, (count, weight) in enumerate(zip(plan.looks, plan.weights, strict=True), start=1):
        for number, track in enumerate(tracks, start=1):
            if not track.closed:
                found = paired_effect(values[number, :count], values[0, :count])
                track.add((Comparison("", found),), [found], weight)
                taken[[0, number]] = count
        decide(tracks, look, plan)
    right = false = equivalent = 0
    for track, effect in zip(tracks, effects, strict=True):
        sign = (1 if track.difference.leaning == "supported" else -1) if track.differs else 0
        same = track.is_equivalent and margin is not None
        false += bool(sign) and sign != np.sign(effect)
        equivalent += same and abs(effect) >= (margin or 0)
        right += sign == np.sign(effect) if sign else same and abs(effect) < (margin or 0)
    return Outcome(int(right), int(false), int(equivalent), int(taken.sum()))


def simulate(cases: Sequence[tuple[str, str, Sequence[float], float | None]], draws: int, seed: int) -> pd.DataFrame:
    """Simulates studies; a case is a key of ARMS, one of DESIGNS, the true effects and the margin. A row a case.

    `false` and `equivalent` are shares of studies with at least one such error; `right` and `runs` are means.
    """
    rngs = np.random.default_rng(seed).spawn(len(cases))
    with ProcessPoolExecutor() as pool:
        return pd.DataFrame(list(pool.map(_simulate_one, cases, itertools.repeat(draws), rngs)))


def _simulate_one(
    case: tuple[str, str, Sequence[float], float | None], draws: int, rng: np.random.Generator
) -> dict[str, str | float]:
    arms, design, effects, margin = case
    (draw, deviation), plan, shift = ARMS[arms], DESIGNS[design], np.array([0.0, *effects])[:, None]
    found = []
    for _ in range(draws):
        values = draw(rng, (1 + len(effects), plan.looks[-1])) / deviation + shift
        found.append(study(values, effects, plan, margin))
    return {
        "arms": arms,
        "design": design,
        "margin": str(margin),
        "false": sum(each.false > 0 for each in found) / draws,
        "equivalent": sum(each.equivalent > 0 for each in found) / draws,
        "right": float(np.mean([each.right for each in found])),
        "runs": float(np.mean([each.runs for each in found])),
    }


def simulate_designs(draws: int) -> pd.DataFrame:
    """Returns what each design answers of questions with mixed effects, a row a design."""
    return simulate([("normal", design, MIXED, MARGIN) for design in DESIGNS], draws, 1)


def simulate_errors(draws: int) -> pd.DataFrame:
    """Returns how often a sequential design errs, by kind of accuracies.

    none  share of studies with a false difference where no variant differs
    just  share of studies with a false equivalence where every variant differs by just the margin
    """
    none = simulate([(arms, "5..27", [0.0] * 10, MARGIN) for arms in ARMS], draws, 2)
    just = simulate([(arms, "5..27", [MARGIN] * 10, MARGIN) for arms in ARMS], draws, 3)
    return pd.DataFrame({"arms": none["arms"], "none": none["false"], "just": just["equivalent"], "runs": none["runs"]})


PEEKS = ((5,), (5, 10), (3, 5, 10))  # seeds after which a user looks, and stops at the first significant difference


def simulate_peeking(draws: int) -> pd.DataFrame:
    """Returns how often one question without an effect is answered, where p at each look counts in full."""
    rng = np.random.default_rng(4)
    rows = []
    for looks in PEEKS:
        values = rng.normal(size=(draws, 2, looks[-1]))
        called = [any(paired_effect(arms[0, :n], arms[1, :n]).p <= ALPHA for n in looks) for arms in values]
        rows.append({"looks": ", ".join(map(str, looks)), "error": float(np.mean(called))})
    return pd.DataFrame(rows)


def main() -> None:
    """Prints what designs answer and how often they err."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--draws", default=3_000, type=int)
    draws = parser.parse_args().draws
    print(simulate_designs(draws).to_string())
    print(simulate_errors(draws).to_string())
    print(simulate_peeking(draws).to_string())


if __name__ == "__main__":
    main()
