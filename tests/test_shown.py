"""Figures of large studies: which variants they have, and that the page says so."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from benchmarks.board import plant
from runner.publish import write_report
from runner.report import _shown as shown
from runner.verdicts import StudyRuns, best_variants_first, effects_table, gather, judge


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> StudyRuns:
    """Five variants with two seeds each."""
    folder = tmp_path_factory.mktemp("runs") / "many"
    plant(folder, 10)
    return gather(folder)


def test_a_small_study_has_all_variants_in_every_figure(data: StudyRuns) -> None:
    effects = effects_table(data, judge(data))
    assert shown.panels(data, effects) == data.variants
    assert {row.variant for row in shown.effect_rows(data, effects)} == set(data.variants[1:])
    assert not any(shown.not_shown(figure, data, effects) for figure in ("effects", "curves", "losses", "classes"))


def test_a_large_study_has_the_baseline_and_the_best_and_effects_at_both_ends(
    data: StudyRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "MOST_PANELS", 3)
    monkeypatch.setattr(shown, "MOST_ROWS", 2)
    effects = effects_table(data, judge(data))
    best = [name for name in best_variants_first(data, effects) if name != "baseline"]
    kept = shown.panels(data, effects)
    assert set(kept) == {"baseline", *best[:2]}
    assert kept == [name for name in data.variants if name in kept]
    every = [row.effect.estimate for row in effects.of("val/accuracy") if math.isfinite(row.effect.estimate)]
    drawn = [row.effect.estimate for row in shown.effect_rows(data, effects)]
    assert sorted(drawn) == [min(every), max(every)]
    assert drawn == [each for each in every if each in drawn]
    assert all(shown.not_shown(figure, data, effects) for figure in ("effects", "curves", "losses", "classes"))
    assert not shown.not_shown("levels", data, effects)


def test_the_page_says_what_is_not_shown(tmp_path: Path, data: StudyRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    panels: list[int] = []
    monkeypatch.setattr(shown, "MOST_PANELS", 3)
    monkeypatch.setattr(Figure, "savefig", lambda figure, _: panels.append(sum(a.axison for a in figure.axes)))
    folder = next(iter(data.folders.values())).parents[1]
    write_report(folder, tmp_path / "report")
    assert max(panels) == 3
    assert "Of 5 variants, the baseline and the 2 best others" in (tmp_path / "report" / "summary.md").read_text()
