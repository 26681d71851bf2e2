"""Curves while runs train: each running seed counts as far as it is, and a table that grows is read again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runner.board._curves import RunningCurves, curves
from runner.board._library import Library
from runner.board._progress import TRAINING, RunState
from runner.stats import mean_interval
from tests import tab
from tests.tab import Tab, spoil
from tests.test_board_progress import start


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    tab.plant(tmp_path / "runs" / "study", 4, {"baseline": 4, "better": 1})
    return tmp_path / "runs"


def losses(seeds: list[int]) -> list[list[float]]:
    return [list(tab.planted("baseline", seed).losses) for seed in seeds]


def band(runs: Path, variant: str = "baseline") -> Any:
    return Tab(runs).get("curves", "study")["curves"]["val/loss"].get(variant)


@pytest.mark.parametrize("quiet", [0.0, 3600.0])  # in training, and interrupted
def test_a_running_seed_counts_as_far_as_it_is(runs: Path, quiet: float) -> None:
    start(runs, "baseline", 3, epochs=2, quiet=quiet)
    found = band(runs)
    assert (found["epoch"], found["n"]) == ([1, 2, 3, 4, 5], [4, 4, 3, 3, 3])
    for number in range(5):
        expected = mean_interval([own[number] for own in losses([0, 1, 2, 3] if number < 2 else [0, 1, 2])])
        shown = [found[key][number] for key in ("mean", "low", "high")]
        assert shown == pytest.approx([expected.estimate, expected.low, expected.high])


def test_a_variant_whose_first_seed_trains_has_a_curve(runs: Path) -> None:
    start(runs, "better", 0, epochs=3)
    found = band(runs, "better")
    assert (found["epoch"], found["n"], found["low"]) == ([1, 2, 3], [1, 1, 1], [None] * 3)


def test_a_table_is_read_again_once_it_has_grown(runs: Path) -> None:
    path = start(runs, "baseline", 3, epochs=2).folder / "metrics.csv"
    running = RunningCurves()
    known = running.read(path)
    assert running.read(path) is known
    with open(path, "a") as file:
        file.write(path.read_text().splitlines()[-1].replace("2,", "3,", 1) + "\n")
    assert (len(known), len(running.read(path))) == (2, 3)


@pytest.mark.parametrize("more", ["2,1,1,1", "3,", "nan", "x,y", "\0", "9,1,1,1,1,1,1,1,1,1,1,1,1,1", "1"])
def test_a_row_that_is_no_next_epoch_ends_the_table(runs: Path, more: str) -> None:
    path = start(runs, "baseline", 3, epochs=2).folder / "metrics.csv"
    with open(path, "a") as file:
        file.write(more + "\n")
    assert band(runs)["n"] == [4, 4, 3, 3, 3]


def test_an_epoch_written_twice_counts_once(runs: Path) -> None:
    path = start(runs, "baseline", 3, epochs=2).folder / "metrics.csv"
    path.write_text(path.read_text() + path.read_text().splitlines()[-1] + "\n")
    assert band(runs)["n"] == [4, 4, 3, 3, 3]


@pytest.mark.parametrize("kind", ["pipe", "link", "directory", "huge"])
def test_a_table_that_is_not_plain_is_not_read(runs: Path, tmp_path: Path, kind: str) -> None:
    run = start(runs, "baseline", 3, epochs=2)
    spoil(run.folder / "metrics.csv", kind, tmp_path / "outside")
    assert band(runs)["n"] == [3] * 5


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
def test_losses_that_are_not_finite_have_no_band(runs: Path, value: str) -> None:
    path = start(runs, "baseline", 3, epochs=2).folder / "metrics.csv"
    head, first, second = path.read_text().splitlines()
    cells = second.split(",")
    cells[head.split(",").index("val/loss")] = value
    path.write_text("\n".join([head, first, ",".join(cells)]) + "\n")
    found = band(runs)
    assert (found["n"][1], found["low"][2] is None) == (4, False)
    assert found["low"][1] is None


def test_a_seed_retrained_since_the_snapshot_counts_once(runs: Path) -> None:
    snapshot = Library(runs).snapshot("study")
    states = {"baseline": [RunState(seed, TRAINING) for seed in range(4)]}
    found = curves(snapshot, states, RunningCurves())["curves"]["val/loss"]["baseline"]
    assert found["n"].count(4) == len(found["n"]) == 5
    assert found["mean"][0] == pytest.approx(np.mean([own[0] for own in losses([0, 1, 2, 3])]))


def test_finished_curves_are_made_once(runs: Path) -> None:
    shown = Tab(runs)
    first = shown.plugin._curves("study")
    assert shown.plugin._curves("study") is first
    path = runs / "study" / "baseline-0" / "seed3" / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text())))
    os.utime(path, (1, 1))
    assert shown.plugin._curves("study") is not first
