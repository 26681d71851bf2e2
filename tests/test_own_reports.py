"""Studies whose runs your own training made: read, judged and reported by their own metrics."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pydantic
import pytest
from scipy import stats

from runner.measures import own_metrics
from runner.publish import write_report
from runner.report import own_curves, read_front
from runner.report._format import difference_text, own_mean
from runner.stats import Interval
from runner.store import read_study
from runner.verdicts import REFUTED, SUPPORTED, gather, judge, read_steps
from tests.own import F1, METRICS, STEPS, plant_own, plant_own_run, rows
from tests.reports import cells, said
from tests.tab import Tab


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    plant_own(tmp_path / "runs" / "own")
    return tmp_path / "runs"


def paired(name: str) -> tuple[float, float]:
    """The effect on F1 and half its interval, by hand."""
    differences = np.array(F1[name]) - F1["baseline"]
    half = stats.t.ppf(0.975, 3) * differences.std(ddof=1) / 2
    return float(differences.mean()), float(half)


def test_runs_without_predictions_are_whole(runs: Path) -> None:
    data = gather(runs / "own")
    assert (len(data.runs), data.corrupt, data.trained) == (12, [], ["baseline", "deep", "wide"])
    assert data.values("deep", "val/f1").tolist() == F1["deep"]
    assert data.levels("layers") == {"wide": 1, "baseline": 2, "deep": 4}


def test_settings_of_any_form_are_read_only_beside_own_metrics(runs: Path) -> None:
    assert read_study(runs / "own")
    with pytest.raises(pydantic.ValidationError):
        plant_own(runs / "ours", metrics={}, monitor="")


def test_a_changed_table_is_corrupt(runs: Path) -> None:
    table = runs / "own" / "deep-0" / "seed0" / "metrics.csv"
    table.write_text(table.read_text() + "40,1,1,1\n")
    data = gather(runs / "own")
    assert (data.corrupt, len(data.finished("deep"))) == ([table], 3)


def test_verdicts_are_about_the_studys_metrics(runs: Path) -> None:
    better, loss, trend = judge(gather(runs / "own"))
    assert [each.answer for each in (better, loss, trend)] == [SUPPORTED] * 3
    assert better.question.metric == "val/f1"
    effect = better.comparisons[0].effect.interval
    assert (effect.estimate, effect.estimate - effect.low) == pytest.approx(paired("deep"))
    assert loss.comparisons[0].effect.interval.estimate == pytest.approx(-paired("deep")[0])
    assert (better.new_images, better.majority, better.cut_off) == (None, None, None)


def test_adopted_runs_have_exploratory_verdicts(runs: Path) -> None:
    plant_own(runs / "own", adopted={"at": "last"})
    assert all(each.exploratory for each in judge(gather(runs / "own")))


def test_less_is_better_where_the_study_says_so(runs: Path) -> None:
    plant_own(runs / "own", metrics={"val/loss": "less", "val/f1": "more"}, monitor="")
    effects = write_report(runs / "own", runs.parent / "reports" / "own")
    assert effects.row("deep", "val/loss").side == "better"
    assert effects.row("wide", "val/loss").side == "worse"
    assert cells((runs.parent / "reports/own/summary.md").read_text(), "deep")[1].startswith("0.185")


def test_every_file_of_a_report_shows_the_main_metric(runs: Path, tmp_path: Path) -> None:
    shown = said(runs, ["own"], tmp_path / "reports")
    folder = tmp_path / "reports" / "own"
    page, estimate, half = (folder / "summary.md").read_text(), *paired("deep")
    row = cells(page, "deep")
    assert row[:2] == ["4", "0.815 ± 0.021"]
    assert row[-1] == f"{estimate:+.3f} [{estimate - half:+.4f}, {estimate + half:+.3f}]"
    assert len(row) == 5
    assert all(each in shown for each in row)
    assert {path.stem for path in (folder / "figures").iterdir()} == {"effects", "curves", "levels"}
    assert f"deep ({row[-1]})" in read_front(folder).headline
    sheet = pd.read_csv(folder / "summary.csv")
    assert sheet[sheet["metric"] == "val/f1"].set_index("variant")["effect"]["deep"] == pytest.approx(estimate)
    tex = (folder / "summary.tex").read_text()
    assert tex.count("&") == 5 * 4
    heads = [line for line in page.splitlines() if line.startswith("#")]
    assert not {"## Diagnostics", "### Training", "### Overfitting", "### Confusion"} & set(heads)
    assert "accuracy" not in page + shown + tex + read_front(folder).headline


def test_curves_keep_a_seeds_last_value_between_its_steps(runs: Path) -> None:
    plant_own_run(runs / "own", "deep", 0, 0.80, rows(0.80, (10, 25)))
    data = gather(runs / "own")
    f1, loss = own_curves(data, ["deep", "baseline", "wide"])
    assert (f1.metric.name, f1.is_log, loss.is_log) == ("val/f1", False, True)
    band = f1.variants["deep"]
    assert band["epoch"].tolist() == [10, 20, 25, 30]
    ends = F1["deep"]
    by_hand = [
        np.mean([0.7, *(end - 0.2 for end in ends[1:])]), np.mean([0.7, *(end - 0.1 for end in ends[1:])]),
        np.mean([0.8, *(end - 0.1 for end in ends[1:])]), np.mean([0.8, *ends[1:]]),
    ]  # fmt: skip
    assert band["mean"].tolist() == pytest.approx(by_hand)
    assert band["n"].tolist() == [4] * 4
    assert loss.variants["baseline"]["epoch"].tolist() == [10, 30]


def test_the_tab_shows_own_metrics(runs: Path) -> None:
    found = Tab(runs).every("own")
    overview, curves = found["overview"], found["curves"]
    assert [each["name"] for each in overview["metrics"]] == list(METRICS)
    assert overview["main"] == {"label": "val/f1", "factor": 1, "unit": ""}
    assert overview["order"] == ["deep", "baseline", "wide"]
    assert [each["answer"] for each in overview["questions"]] == [SUPPORTED] * 3
    (level,) = overview["levels"]
    assert [point["estimate"] for point in level["lines"][0]["points"]] == pytest.approx([0.6225, 0.715, 0.815])
    assert overview["confusion"] is None
    assert curves["axes"] == {
        "val/f1": {"x": "step", "percent": False, "log": False, "rises": True},
        "val/loss": {"x": "step", "percent": False, "log": True, "rises": False},
    }
    assert curves["curves"]["val/f1"]["deep"]["epoch"] == list(STEPS)


def test_a_running_seed_counts_in_the_tab_as_far_as_it_is(runs: Path) -> None:
    run = plant_own_run(runs / "own", "deep", 4, None, rows(0.9, (10, 20)), "running")
    with open(run.folder / "metrics.csv", "a") as file:
        file.write("30,0.9")  # a line that is not complete
    band = Tab(runs).get("curves", "own")["curves"]["val/f1"]["deep"]
    assert (band["epoch"], band["n"]) == ([10, 20, 30], [5, 5, 4])
    (state,) = (each for each in Tab(runs).get("progress", "own")["variants"]["deep"] if each["seed"] == 4)
    assert (state["epoch"], state["epochs"]) == (2, 0)


def test_a_failed_run_is_named(runs: Path, tmp_path: Path) -> None:
    plant_own_run(runs / "own", "deep", 4, None, [], "failed")
    said(runs, ["own"], tmp_path / "reports")
    page = (tmp_path / "reports/own/summary.md").read_text()
    assert cells(page, "deep")[0] == "4 (1 failed)"
    assert "Boom: it broke" in page


@pytest.mark.parametrize("text", ["", "epoch,val/f1\n1,1\n", "step,val/f1", "\0", '"', "step,val/f1\nx,1\n"])
def test_a_table_that_is_no_table_of_steps_has_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "metrics.csv").write_text(text)
    assert len(read_steps(tmp_path / "metrics.csv", own_metrics(METRICS))) == 0


def test_of_a_step_that_is_there_twice_the_last_counts(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("step,val/f1,note\n2,0.5,a\n1,0.4,b\n2,0.6,c\n3,,d\n")
    found = read_steps(tmp_path / "metrics.csv", own_metrics(METRICS))
    assert json.loads(found.to_json(orient="values")) == [[1, 0.4], [2, 0.6], [3, None]]


def test_numbers_have_as_many_digits_as_their_interval() -> None:
    nan = float("nan")
    for mean, low, text in (
        (0.81234, 0.8, "0.812 ± 0.012"), (1234.5, 1000.0, "1234 ± 234"), (3e-7, 2e-7, "3e-07 ± 1e-07"),
        (0.0, 0.0, "0.000 ± 0.000"), (0.5, nan, "0.5000"), (nan, nan, "-"),
    ):  # fmt: skip
        assert own_mean(Interval(mean, low, 2 * mean - low, 3)) == text
    unit = own_metrics(METRICS).table["val/f1"].unit
    assert difference_text(Interval(-1500, -2000, -1000, 3), unit) == "-1,500 [-2,000, -1,000]"


def test_a_refuted_question_of_a_metric_where_less_is_better(runs: Path) -> None:
    question = {"ask": "?", "compare": ["deep", "baseline"], "metric": "val/loss", "expect": "more"}
    plant_own(runs / "own", questions=[question])
    (verdict,) = judge(gather(runs / "own"))
    assert verdict.answer == REFUTED
