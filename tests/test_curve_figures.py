"""Learning curves: names that fit, scales that hide nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from runner.report import _curve_figures as curve_figures
from runner.report._curves import learning_curves
from runner.verdicts import StudyRuns
from tests.studies import study_file


@given(st.text(alphabet="ab+,=_.", min_size=1, max_size=80))
def test_a_wrapped_name_is_the_name(name: str) -> None:
    assert curve_figures.wrapped(name).replace("\n", "") == name


def test_long_names_are_broken_behind_their_parts() -> None:
    assert curve_figures.wrapped("dropout") == "dropout"
    assert curve_figures.wrapped("augmentation+dropout+weight_decay") == "augmentation+dropout+\nweight_decay"


def runs(levels: dict[str, float]) -> StudyRuns:
    """Two seeds of each variant, whose losses begin at its level."""
    epochs = np.arange(1, 6)
    curves = pd.concat(
        pd.DataFrame({"epoch": epochs, "val/loss": level / epochs, "train_eval/loss": level / epochs / 2}).assign(
            variant=name, seed=seed
        )
        for name, level in levels.items()
        for seed in range(2)
    )
    rows = [
        {"variant": name, "seed": seed, "status": "finished", "best_epoch": 5} for name in levels for seed in (0, 1)
    ]
    study = study_file({key: {} for key in levels} | {"baseline": {}}, {})
    return StudyRuns(study, pd.DataFrame(rows), curves, {}, [], [])


def test_a_disaster_has_a_scale_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = {"baseline": 1.0, "b": 1.1, "c": 1.2, "touches": 5.0, "uniform": 5000.0}
    shown: list[dict[str, tuple[float, float]]] = []
    monkeypatch.setattr(
        Figure, "savefig", lambda figure, _: shown.append({a.get_title("left"): a.get_ylim() for a in figure.axes})
    )
    curve_figures.losses(learning_curves(runs(levels), list(levels), "loss"), tmp_path / "x.png")
    (limits,) = shown
    assert limits["baseline"] == limits["b"]
    assert limits["b"][1] < 2
    assert limits["touches (own scale)"][1] > 4
    assert limits["uniform (own scale)"][1] > 4000


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_the_legend_fits_above_any_number_of_panels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    figures: list[Figure] = []

    def look(figure: Figure, _: Path) -> None:
        figure.draw_without_rendering()
        figures.append(figure)

    monkeypatch.setattr(Figure, "savefig", look)
    names = ["baseline", "b", "c", "d", "e"][:count]
    curve_figures.losses(learning_curves(runs(dict.fromkeys(names, 1.0)), names, "loss"), tmp_path / "x.png")
    (figure,) = figures
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert len(legend.get_texts()) == (3 if count > 1 else 2)
    assert all(float(tick) == int(tick) for tick in figure.axes[0].get_xticks())
