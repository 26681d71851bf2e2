"""The simulations see what they should: methods that keep their word, and the one known limit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks import simulations
from benchmarks.calibrate import Same, page
from benchmarks.simulations import SEEDS, simulate_kinds, simulate_two_level


def test_each_kind_of_question_errs_as_seldom_as_it_says_and_the_page_says_so() -> None:
    kinds = simulate_kinds(400, np.random.default_rng(0))
    assert len(kinds) >= 9
    assert kinds[[str(n) for n in SEEDS]].to_numpy().max() < 0.09  # .05 and three standard errors
    levels = simulate_two_level(40, np.random.default_rng(0))
    assert (levels["accuracy, both"] >= levels["accuracy, seeds"]).all()
    arms = pd.DataFrame([{"arms": "normal", "n": 3, "coverage": 0.95, "family": 0.04}])
    sees = pd.DataFrame([{"study": "s", "variants": 2, "spread": 0.01, "3": 0.1, "5": 0.1, "10": 0.1, "20": 0.1}])
    pairs = Same([0.01, 0.5, 0.7], 2, 5)
    assert (pairs.called, len(pairs.p)) == (1, 3)
    text = "\n".join(page(arms, kinds, levels, pairs, sees, 1000))
    assert "**1 of 3**" in text
    for kind in kinds["kind"]:
        assert f"| {kind} |" in text


def test_simulated_arms_do_not_differ() -> None:
    for name, draw in simulations.ARMS.items():
        arms = draw(np.random.default_rng(1), (10, 40_000))
        assert abs(arms.mean(axis=1)).max() < 0.15, name
