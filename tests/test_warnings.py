"""What may make a verdict mislead: training cut off by the limit of epochs, seeds in two groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from runner.verdicts import StudyRuns, cut_off, judge, two_groups
from runner.verdicts._declared import declared
from runner.verdicts._warnings import mostly_cut_off
from tests.studies import study_file


def runs(accuracies: Sequence[float], waited: Sequence[int] = (), patience: int = 3) -> StudyRuns:
    """A study of a baseline and variant `a` with these accuracies; each run's epochs after its best one."""
    rows = [
        {"variant": name, "seed": seed, "status": "finished", "val/accuracy": value + 0.001 * (name == "a") * seed,
         "epochs": 9, "best_epoch": 9 - (waited[seed] if waited else 3)}
        for name in ("baseline", "a")
        for seed, value in enumerate(accuracies)
    ]  # fmt: skip
    settings = {name: {"epochs": 10, "patience": patience} for name in ("baseline", "a")}
    question = declared({"ask": "?", "compare": ["a", "baseline"]})
    curves = pd.DataFrame(columns=["variant", "seed", "epoch"])
    changes = {"a": {"x": 1}}
    return StudyRuns(study_file(settings, changes), pd.DataFrame(rows), curves, {}, [], [], questions=[question])


@pytest.mark.parametrize(
    ("accuracies", "seeds"),
    [
        ([0.9, 0.1, 0.91, 0.92, 0.9], (1,)),
        ([0.9, 0.1, 0.91, 0.12, 0.9], (1, 3)),
        ([0.9, 0.88, 0.91, 0.92, 0.9], None),  # no gap of ten points
        ([0.2, 0.4, 0.6, 0.8, 0.99], None),  # spread, but no groups
        ([0.9, 0.1], None),
        ([0.9, 0.7, 0.93, 0.9, 0.9], (1,)),
    ],
)
def test_seeds_in_two_groups_are_named(accuracies: list[float], seeds: tuple[int, ...] | None) -> None:
    data = runs(accuracies)
    found = two_groups(data, "baseline")
    assert (found.seeds if found else None) == seeds
    (verdict,) = judge(data)
    assert [each.variant for each in verdict.two_groups] == (["baseline", "a"] if seeds else [])
    if found:
        low = [accuracies[seed] for seed in found.seeds]
        assert found.low == pytest.approx(np.mean(low))
        assert found.high > found.low + 0.1


@pytest.mark.parametrize(
    ("waited", "patience", "variant", "verdict"),
    [
        ([0, 1, 3], 3, (2, 3), (4, 6)),
        ([0, 3, 3], 3, (1, 3), None),  # not most of them
        ([0, 0, 0], 0, None, None),  # patience can't end a run
        ([0, 0, 0], 10, None, None),
    ],
)
def test_runs_that_the_limit_of_epochs_stopped_are_counted(
    waited: list[int], patience: int, variant: tuple[int, int] | None, verdict: tuple[int, int] | None
) -> None:
    data = runs([0.5, 0.51, 0.52], waited, patience)
    assert cut_off(data, "a") == variant
    assert mostly_cut_off(data, ["a", "baseline"]) == verdict
    assert judge(data)[0].cut_off == verdict
