"""The tab, the page, summary.csv, the figures and the text card show the same numbers."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from runner.files import finite
from runner.report import _figures as figures
from runner.report.write import write_study
from runner.stats import mean_interval
from runner.verdicts import gather
from tests import tab
from tests.tab import Tab, numbers

STUDIES = ("fixed", "looks")


class Written:
    """A study's tab, page, summary.csv, card and the rows that its figure of effects was drawn from."""

    def __init__(self, place: Path, name: str) -> None:
        self.tab = Tab(place / "runs").every(name)
        report = place / "reports" / name
        with patch.object(figures, "effects", wraps=figures.effects) as drawn:
            found = write_study(gather(place / "runs" / name), report)
        self.drawn = drawn.call_args.args[0]
        self.card = found.card
        self.page = (report / "summary.md").read_text(encoding="utf-8")
        with open(report / "summary.csv", newline="", encoding="utf-8") as file:
            self.sheet = list(csv.DictReader(file))

    def section(self, head: str) -> list[list[str]]:
        """The cells of the rows of the first table below a head."""
        text = self.page.partition(f"\n{head}\n")[2]
        lines = [line for line in re.split(r"\n#+ ", text)[0].splitlines() if line.startswith("| ")]
        return [line.strip("| ").split(" | ") for line in lines[2:]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("written")
    tab.plant(place / "runs" / "fixed")
    tab.plant_looks(place / "runs" / "looks")
    return place


@pytest.fixture(scope="module", params=STUDIES)
def written(request: pytest.FixtureRequest, place: Path) -> Written:
    return Written(place, request.param)


def test_effects_are_the_rows_of_summary_csv(written: Written) -> None:
    rows = written.tab["effects"]
    assert len(rows) == len(written.sheet) > len(tab.CHANGES)
    for shown, row in zip(rows, written.sheet, strict=True):
        assert list(shown) == list(row)
        assert {name: "" if value is None else str(value) for name, value in shown.items()} == row
    assert any(row["effect"] is not None and row["effect n"] for row in rows)


def test_the_table_of_results_has_the_effects_of_the_tab(written: Written) -> None:
    rows = {row["variant"]: row for row in written.tab["effects"] if row["metric"] == "val/accuracy"}
    shown = {cells[0].strip("*"): cells[1:] for cells in written.section("## Results")}
    assert list(shown) == written.tab["overview"]["order"]
    for name, (count, accuracy, _, effect) in shown.items():
        row = rows[name]
        assert int(count.split()[0]) == row["n"]
        assert accuracy == f"{100 * row['mean']:.2f} ± {100 * (row['mean'] - row['low']):.2f}"
        if row["effect"] is None:
            assert (name, effect) == ("baseline", "-")
        else:
            expected = [100 * row[key] for key in ("effect", "effect low", "effect high")]
            assert numbers(effect) == pytest.approx(expected, abs=0.0051)


def test_the_figure_draws_the_effects_of_the_tab(written: Written) -> None:
    rows = {row["variant"]: row for row in written.tab["effects"] if row["metric"] == "val/accuracy"}
    assert [row.variant for row in written.drawn] == ["better", "same", "slow", "lost"]
    for row in written.drawn:
        shown = rows[row.variant]
        assert (row.effect.estimate, row.effect.low, row.effect.high, row.effect.n, row.side) == (
            shown["effect"], shown["effect low"], shown["effect high"], shown["effect n"], shown["side"],
        )  # fmt: skip


def test_questions_have_the_answers_and_comparisons_of_the_page(written: Written) -> None:
    questions = written.tab["overview"]["questions"]
    assert [question["ask"] for question in questions] == [question["ask"] for question in tab.QUESTIONS]
    assert len({question["answer"] for question in questions}) >= 2
    for position, question in enumerate(questions, start=1):
        head = f"### {position}. {question['ask']}"
        assert written.page.partition(head)[2].strip().startswith(f"**{question['answer'].capitalize()}.**")
        cells = written.section(head)
        assert [row[0] for row in cells] == [each["label"] for each in question["comparisons"]]
        for row, each in zip(cells, question["comparisons"], strict=True):
            estimate, *bounds = numbers(row[1].replace(" points", ""))
            expected = [question["factor"] * each[key] for key in ("estimate", "low", "high")]
            assert [estimate, *bounds] == pytest.approx(expected, abs=0.0051)
            assert int(row[4]) == each["n"]


def test_the_card_says_the_same_answers(written: Written) -> None:
    for question in written.tab["overview"]["questions"]:
        said = re.sub(r"<[^>]+>", "", question["said"])
        assert said.split(".")[0].split(",")[0] in written.card.partition(f"**{question['ask']}**")[2][:80]
        assert question["ask"] in written.card


def test_points_have_the_effect_as_mean_and_its_n(written: Written) -> None:
    metrics = {metric["name"]: metric for metric in written.tab["overview"]["metrics"]}
    seen = 0
    for row in written.tab["effects"]:
        points = metrics.get(row["metric"], {"points": {}})["points"].get(row["variant"], [])
        assert len(points) == row["effect n"]
        if points:
            seen += 1
            found = mean_interval([point["difference"] for point in points])
            assert found.estimate == pytest.approx(row["effect"], abs=1e-12)
            assert len({point["seed"] for point in points}) == len(points)
    assert seen == 16
    assert set(metrics) == {"val/accuracy", "val/loss", "test/accuracy", "test/loss"}


def test_curves_end_where_the_sheets_of_epochs_end(place: Path, written: Written) -> None:
    name = written.tab["overview"]["name"]
    for variant, seeds in written.tab["progress"]["variants"].items():
        done = [each["seed"] for each in seeds if each["state"] == "finished"]
        band = written.tab["curves"]["curves"]["val/accuracy"][variant]
        last = [tab.planted(variant, seed) for seed in done]
        assert band["epoch"] == [1, 2, 3, 4, 5]
        assert band["n"] == [len(done)] * 5
        best = [run.accuracy + 0.01 * (4 - int(np.argmin(run.losses))) for run in last]
        assert band["mean"][-1] == pytest.approx(np.mean(best)), name


def test_failed_runs_of_compared_variants_change_no_count_of_points(tmp_path: Path) -> None:
    """Each effect keeps its own seeds where another variant of its question lost some."""
    questions = [{"ask": "?", "compare": ["better", ["baseline", "lost"]], "expect": "more"}]
    tab.plant(tmp_path / "runs" / "study", "3..8", 5, questions=questions)
    shown = Tab(tmp_path / "runs").every("study")
    metrics = {metric["name"]: metric["points"] for metric in shown["overview"]["metrics"]}
    for row in shown["effects"]:
        points = metrics.get(row["metric"], {}).get(row["variant"], [])
        assert len(points) == row["effect n"]
        if points:
            mean = float(np.mean([point["difference"] for point in points]))
            assert mean == pytest.approx(row["effect"], abs=1e-12)


def test_numbers_that_are_missing_or_not_finite_are_null(tmp_path: Path) -> None:
    tab.plant(tmp_path / "runs" / "one", 1)
    shown = Tab(tmp_path / "runs").every("one")
    row = next(row for row in shown["effects"] if row["variant"] == "better" and row["metric"] == "val/accuracy")
    assert (row["effect low"], row["effect high"], row["effect p"]) == (None, None, None)
    assert row["effect"] == pytest.approx(tab.planted("better", 0).accuracy - tab.planted("baseline", 0).accuracy)
    assert shown["curves"]["curves"]["val/loss"]["baseline"]["low"] == [None] * 5
    assert finite({"x": [math.inf, -math.inf, math.nan]}) == {"x": [None, None, None]}


def overview(runs: Path, **changes: Any) -> Any:
    """The overview of a study whose study.json has some values changed."""
    tab.plant(runs / "study", **changes)
    return Tab(runs).get("overview", "study")


def test_a_question_without_runs_waits(tmp_path: Path) -> None:
    (first, *_) = overview(tmp_path, ended=0)["questions"]
    assert (first["answer"], first["comparisons"], first["exploratory"]) == ("waiting", [], False)
    assert first["said"].startswith("<p>")


def test_a_malformed_question_says_so_and_the_others_are_judged(tmp_path: Path) -> None:
    questions: list[dict[str, Any]] = [{"ask": "?", "compare": 7}, tab.QUESTIONS[1]]
    first, second = overview(tmp_path, questions=questions)["questions"]
    assert (first["answer"], first["comparisons"]) == ("waiting", [])
    assert second["answer"] != "waiting"


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'\n\u202e[a](javascript:alert(1)) **b** `c`" + "x" * 5000
)


def test_hostile_texts_are_data_or_sanitized_html(tmp_path: Path) -> None:
    questions = [{**tab.QUESTIONS[0], "ask": HOSTILE, "claim": HOSTILE}, {"ask": HOSTILE, "compare": HOSTILE}]
    tab.plant_looks(tmp_path / "runs" / "study")
    tab.plant(tmp_path / "runs" / "study", "3..8", 8, questions=questions, doc=HOSTILE, command=HOSTILE)
    shown = Tab(tmp_path / "runs").get("overview", "study")
    first, second = shown["questions"]
    assert second["ask"] == HOSTILE
    assert first["ask"].startswith("<script>")
    assert "alert" in first["detail"] + second["said"]
    for text in (first["said"], first["detail"], second["said"], *shown["notes"], shown["looks"]["table"]):
        tags = re.findall(r"<(\w+)([^>]*)>", text)
        assert {name for name, _ in tags} <= {
            "p", "em", "strong", "code", "table", "thead", "tbody", "tr", "th", "td", "blockquote", "br",
        }  # fmt: skip
        assert not any(attributes for _, attributes in tags), text
