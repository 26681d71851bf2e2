"""Validation curves: which variants make a line, in which order, and what is drawn of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from runner.measures import OURS
from runner.report._level_figures import draw_levels
from runner.report._levels import LevelLine, level_lines
from runner.spec import BASELINE
from runner.verdicts import StudyRuns, effects_table
from tests.studies import study_file

BASE: dict[str, Any] = {"lr": 1e-3, "images_per_class": 0, "batch_norm": False, "stream": 0, "augment": []}
RATES: dict[str, dict[str, Any]] = {"fast": {"lr": 0.1}, "slow": {"lr": 1e-5}}
LABEL = "as the baseline"


def runs(variants: dict[str, dict[str, Any]], failed: str = "", spread: float = 0.01) -> StudyRuns:
    """The baseline and variants of what they change, two seeds each, validation .5 for the first, .55 for the next ...;
    accuracy on train is .1 more."""
    every: dict[str, dict[str, Any]] = {BASELINE: {}} | variants
    study = study_file({name: BASE | own for name, own in every.items()}, every)
    rows = [
        dict.fromkeys(OURS.reported, 0.9)
        | {"variant": name, "seed": seed, "status": "failed" if name == failed else "finished"}
        | {"val/accuracy": 0.5 + 0.05 * number + spread * seed, "generalization_gap": 0.1}
        for number, name in enumerate(every)
        for seed in (-1, 1)
    ]
    return StudyRuns(study, pd.DataFrame(rows), pd.DataFrame(), {}, [], [])


def test_three_levels_make_a_line_in_their_order() -> None:
    assert level_lines(runs(RATES)) == {"lr": [LevelLine(LABEL, {1e-5: "slow", 1e-3: BASELINE, 0.1: "fast"})]}


def test_two_levels_or_a_failed_third_make_none() -> None:
    assert level_lines(runs({"fast": {"lr": 0.1}})) == {}
    assert level_lines(runs(RATES, failed="slow")) == {}


def test_all_else_is_equal_along_a_line() -> None:
    normed = {f"{name}+norm": own | {"batch_norm": True} for name, own in RATES.items()}
    both = {"fast+few": {"lr": 0.1, "images_per_class": 10}}
    (lines,) = level_lines(runs(RATES | normed | both)).values()
    assert [line.label for line in lines] == [LABEL, "batch_norm=True"]
    assert lines[1].variants == {1e-5: "slow+norm", 0.1: "fast+norm"}


def test_lines_of_equal_labels_also_have_their_first_variants_names() -> None:
    turned = {
        f"{name}, {turn}": own | {"augment": [{"Affine": {"rotate": turn}}]}
        for turn in (10, 90)
        for name, own in RATES.items()
    }
    (lines,) = level_lines(runs(RATES | turned)).values()
    assert [line.label for line in lines[1:]] == ["augment=Affine (slow, 10)", "augment=Affine (slow, 90)"]


def test_zero_images_per_class_are_all_of_them() -> None:
    (line,) = level_lines(runs({f"{n}": {"images_per_class": n} for n in (100, 10)}))["images_per_class"]
    assert list(line.variants.values()) == ["10", "100", BASELINE]


def test_numbers_that_are_names_are_no_levels() -> None:
    assert level_lines(runs({str(n): {"stream": n} for n in range(1, 9)})) == {}


@pytest.mark.parametrize("failed", ["", BASELINE])
def test_of_more_lines_than_readers_can_distinguish_the_first_curve_is_drawn(failed: str) -> None:
    """Without the baseline its own line has two levels, and is no curve."""
    counts = {f"few {n}": {"images_per_class": n} for n in range(1, 8)}
    slower = {f"{name}, slow": own | {"lr": 1e-5} for name, own in counts.items()}
    faster = {f"{name}, fast": own | {"lr": 0.1} for name, own in counts.items()}
    (line,) = level_lines(runs(RATES | counts | slower | faster, failed))["lr"]
    assert line.label == ("images_per_class=1" if failed else LABEL)
    assert len(line.variants) == 3


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Figures as they were when they were saved."""
    found: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, _: found.append(figure))
    return found


def test_what_is_drawn_are_the_means_and_intervals_of_the_levels(drawn: list[Figure], tmp_path: Path) -> None:
    data = runs({"100": {"images_per_class": 100}, "10": {"images_per_class": 10}})
    draw_levels(effects_table(data), level_lines(data), tmp_path / "levels.png")
    (axes,) = drawn[0].axes
    assert axes.get_xlabel() == "images_per_class"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["10", "100", "all"]
    on_train, val = (np.asarray(line.get_ydata(), dtype=float) for line in axes.lines[:2])
    assert val == pytest.approx([0.6, 0.55, 0.5])
    assert on_train == pytest.approx([0.7, 0.65, 0.6])
    (bars,) = axes.collections
    half = 12.7062 * 0.01  # t for two seeds times the standard error of a mean of x - .01 and x + .01
    for (low, high), mean in zip((bar[:, 1] for bar in bars.get_segments()), val, strict=True):  # type: ignore[attr-defined]
        assert [low, high] == pytest.approx([mean - half, mean + half], abs=1e-4)


def test_an_axis_shows_shares_however_wide_the_intervals(drawn: list[Figure], tmp_path: Path) -> None:
    data = runs(RATES, spread=0.3)
    draw_levels(effects_table(data), level_lines(data), tmp_path / "levels.png")
    assert drawn[0].axes[0].get_ylim() == (-0.02, 1.02)


def test_many_levels_and_long_labels_fit(tmp_path: Path) -> None:
    """Where they do not, the layout gives up with a warning, which is an error here."""
    rates = {f"rate {n}": {"lr": 1e-5 * 1.3**n} for n in range(50)}
    long = {
        f"{name}, {turn}": own | {"augment": [{"RandomBrightnessContrast": {}}, {"Affine": {"rotate": turn}}] * 3}
        for turn in range(5)
        for name, own in list(rates.items())[:3]
    }
    data = runs(rates | long)
    lines = level_lines(data)
    assert len(lines["lr"]) == 6
    draw_levels(effects_table(data), lines, tmp_path / "levels.png")
