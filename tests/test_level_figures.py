"""Validation curves: which variants make a line, and in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from runner.report.level_figures import LevelLine, draw_levels, level_lines
from runner.report.tables import METRICS, StudyRuns, summarize
from runner.spec import BASELINE


def runs(settings: dict[str, dict[str, Any]], unfinished: str = "") -> StudyRuns:
    """Two seeds of each variant; the first's settings are the baseline's."""
    baseline = settings[BASELINE]
    variants = {
        name: {"settings": baseline | own, "changes": {k: v for k, v in own.items() if v != baseline[k]}}
        for name, own in settings.items()
    }
    rows = [
        {"variant": name, "seed": seed, "status": "failed" if name == unfinished else "finished"}
        | dict.fromkeys(METRICS, 0.1)
        for name in settings
        for seed in (0, 1)
    ]
    return StudyRuns({"name": "toy", "variants": variants}, pd.DataFrame(rows), pd.DataFrame(), {}, [], [])


BASE = {"lr": 1e-3, "images_per_class": 0, "batch_norm": False, "stream": 0}
RATES: dict[str, dict[str, Any]] = {"fast": {"lr": 0.1}, "slow": {"lr": 1e-5}}


def test_three_levels_make_a_line_in_their_order() -> None:
    assert level_lines(runs({BASELINE: BASE, **RATES})) == {
        "lr": [LevelLine(BASELINE, {1e-5: "slow", 1e-3: BASELINE, 0.1: "fast"})]
    }


def test_two_levels_or_a_failed_third_make_none() -> None:
    assert level_lines(runs({BASELINE: BASE, "fast": {"lr": 0.1}})) == {}
    assert level_lines(runs({BASELINE: BASE, **RATES}, unfinished="slow")) == {}


def test_all_else_is_equal_along_a_line() -> None:
    normed = {f"{name}+norm": own | {"batch_norm": True} for name, own in RATES.items()}
    both = {"fast+few": {"lr": 0.1, "images_per_class": 10}}
    (lines,) = level_lines(runs({BASELINE: BASE, **RATES, **normed, **both})).values()
    assert [line.label for line in lines] == [BASELINE, "batch_norm=True"]
    assert lines[1].variants == {1e-5: "slow+norm", 0.1: "fast+norm"}


def test_zero_images_per_class_are_all_of_them() -> None:
    few = {f"{count}": {"images_per_class": count} for count in (100, 10)}
    (line,) = level_lines(runs({BASELINE: BASE, **few}))["images_per_class"]
    assert list(line.variants.values()) == ["10", "100", BASELINE]


@pytest.mark.parametrize("names", [{str(n): {"stream": n} for n in range(1, 9)}, {"norm": {"batch_norm": True}}])
def test_names_and_switches_are_no_levels(names: dict[str, dict[str, Any]]) -> None:
    assert level_lines(runs({BASELINE: BASE, **names})) == {}


def test_more_lines_than_one_can_tell_apart_leave_the_baselines() -> None:
    many = {
        f"{lr}, {count}": {"lr": lr, "images_per_class": count} for lr in (1e-2, 1e-1) for count in (0, *range(1, 8))
    }
    rows = {f"few {count}": {"images_per_class": count} for count in range(1, 8)}
    (line,) = level_lines(runs({BASELINE: BASE, **many, **rows}))["lr"]
    assert line.label == BASELINE


def test_the_axis_names_the_levels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(
        Figure,
        "savefig",
        lambda figure, _: shown.extend(
            (a.get_xlabel(), [t.get_text() for t in a.get_xticklabels()]) for a in figure.axes
        ),
    )
    data = runs({BASELINE: BASE, "10": {"images_per_class": 10}, "100": {"images_per_class": 100}})
    draw_levels(summarize(data), level_lines(data), tmp_path / "levels.png")
    assert shown == [("images_per_class", ["10", "100", "all"])]
