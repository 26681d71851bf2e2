"""Reports are made from run tables alone, and say n, interval and failure."""

from __future__ import annotations

import io
import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import stats

from runner.__main__ import main
from runner.publish import write_all, write_front_page, write_report
from runner.report import studies_in
from runner.report._format import points
from runner.report._front import headline
from runner.spec import Kind
from runner.stats import Interval, holm
from runner.store import EPOCH_SCALARS, RunDir
from runner.text import plain_console, utc
from runner.verdicts import effects_table, gather
from runner.verdicts._effects import effects_in
from runner.verdicts._imbalance import Narrow
from tests.problems import refused
from tests.reports import ACCURACY, cells, change, predict, said, write_runs
from tests.studies import amend, vouch


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    write_runs(tmp_path / "runs" / "toy-digits", ACCURACY)
    return tmp_path / "runs"


def test_effects_are_paired_by_seed(runs: Path) -> None:
    table = effects_table(gather(runs / "toy-digits"))
    found = table.row("better", "val/accuracy")
    expected = stats.ttest_rel(ACCURACY["better"], ACCURACY["baseline"])
    assert found.n == 3
    assert found.effect.estimate == pytest.approx(np.mean(ACCURACY["better"]) - np.mean(ACCURACY["baseline"]))
    assert found.p == pytest.approx(expected.pvalue)
    assert found.effect.low == pytest.approx(expected.confidence_interval().low)
    assert np.isnan(table.row("baseline", "val/accuracy").effect.estimate)


def test_a_failed_seed_is_counted_and_pairs_only_what_there_is(tmp_path: Path) -> None:
    write_runs(tmp_path / "toy", ACCURACY, failed="better")
    found = effects_table(gather(tmp_path / "toy")).row("better", "val/accuracy")
    assert found.n == 2
    assert found.failed == 1
    expected = np.mean(np.subtract(ACCURACY["better"][1:], ACCURACY["baseline"][1:]))
    assert found.effect.estimate == pytest.approx(expected)
    assert found.effect.n == 2
    write_report(tmp_path / "toy", tmp_path / "reports" / "toy")
    page = (tmp_path / "reports" / "toy" / "summary.md").read_text()
    assert re.search("^- better.*0.*ValueError: boom", page, re.M)
    assert cells(page, "better")[0] == "2 (1 failed)"


def test_every_run_stands_in_a_table_and_the_page_says_when_they_were_made(runs: Path, tmp_path: Path) -> None:
    write_report(runs / "toy-digits", tmp_path / "reports" / "toy-digits")
    table = pd.read_csv(tmp_path / "reports" / "toy-digits" / "runs.csv")
    found = {name: own.sort_values("seed")["val/accuracy"].tolist() for name, own in table.groupby("variant")}
    assert found == ACCURACY
    assert table["ended"].min() == "1970-01-01T00:00:10+00:00"
    assert "1970-01-01" in (tmp_path / "reports" / "toy-digits" / "summary.md").read_text()


def test_an_effect_says_how_many_pairs_it_is_of(tmp_path: Path) -> None:
    write_runs(tmp_path / "toy", ACCURACY, failed="baseline")
    row = write_report(tmp_path / "toy", tmp_path / "reports" / "toy").row("better", "val/accuracy")
    assert (row.n, row.effect.n) == (3, 2)
    page = (tmp_path / "reports" / "toy" / "summary.md").read_text()
    count, accuracy, _, effect = cells(page, "better")
    assert (count, accuracy[:5]) == ("3", "93.17")
    assert effect.endswith("(n = 2)")
    assert "n = 2 seeds" in write_front_page(tmp_path / "reports").read_text()


def test_the_page_says_which_change_helped(runs: Path, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    effects = write_report(runs / "toy-digits", reports / "toy-digits")
    write_report(runs / "toy-digits", reports / "other-digits")
    assert [row.side for row in effects.of("val/accuracy")] == ["", "better", "", "worse"]
    front = write_front_page(reports).read_text()
    assert re.findall(r"## \[(.*?): What helps", front) == [
        "other-digits",
        "toy-digits",
    ]  # a new study never erases an older one's answers
    interval = stats.ttest_rel(ACCURACY["better"], ACCURACY["baseline"]).confidence_interval()
    shown = points(Interval(0.19 / 6, *interval, 3))
    named = f"better ({shown})", "ruin (-75.00 [", "same (+0.17 [", "n = 3 seeds"  # better, worse, neither
    places = [front.index(text) for text in named]
    assert places == sorted(places)
    page = (reports / "toy-digits" / "summary.md").read_text()
    assert gather(runs / "toy-digits").images == {"val": 30, "test": 50}
    count, accuracy, _, effect = cells(page, "better")
    assert (count, accuracy[:7], effect) == ("3", "93.17 ±", shown)
    for text in ("30 validation", "50 test", "abc", "`dropout=1`"):
        assert text in page
    for name in ("effects", "curves", "losses", "levels", "confusion"):
        figure = reports / "toy-digits" / "figures" / f"{name}.png"
        assert f"figures/{name}.png" in page
        with Image.open(figure) as image:
            assert image.width >= 600
    table = pd.read_csv(reports / "toy-digits" / "summary.csv")
    assert list(table["variant"].unique()) == list(ACCURACY)  # tidy: a row a variant and metric
    better = table[(table["variant"] == "better") & (table["metric"] == "val/accuracy")].iloc[0]
    assert (better["n"], better["mean"]) == (3, pytest.approx(np.mean(ACCURACY["better"])))
    assert better["effect low"] < better["effect"] < better["effect high"]
    latex = (reports / "toy-digits" / "summary.tex").read_text()
    assert r"\toprule" in latex
    assert r"better & 3 & 93.17 $\pm$" in latex


def test_where_nothing_beats_the_baseline_its_confusion_is_drawn_all_the_same(tmp_path: Path) -> None:
    write_runs(tmp_path / "toy", {name: ACCURACY[name] for name in ("baseline", "ruin")})
    write_report(tmp_path / "toy", tmp_path / "report")
    assert "figures/confusion.png" in (tmp_path / "report" / "summary.md").read_text()
    with Image.open(tmp_path / "report" / "figures" / "confusion.png") as image:
        assert image.width < 1.5 * image.height  # one matrix


def test_one_seed_gives_no_interval_and_no_side(tmp_path: Path) -> None:
    write_runs(tmp_path / "toy", {name: values[:1] for name, values in ACCURACY.items()})
    effects = write_report(tmp_path / "toy", tmp_path / "reports" / "toy")
    assert {row.side for row in effects.rows} == {""}
    assert math.isnan(effects.row("better", "val/accuracy").p)
    page = (tmp_path / "reports" / "toy" / "summary.md").read_text()
    assert cells(page, "better") == ["1", "93.00", "93.00", "+3.00"]


def test_nothing_finished_is_still_a_page(tmp_path: Path) -> None:
    write_runs(tmp_path / "toy", {"baseline": [0.5]}, failed="baseline")
    write_report(tmp_path / "toy", tmp_path / "reports" / "toy")
    assert "boom" in (tmp_path / "reports" / "toy" / "summary.md").read_text()


def test_a_study_of_which_nothing_has_ended_is_still_a_page(tmp_path: Path) -> None:
    write_runs(tmp_path / "toy", ACCURACY)
    for path in tmp_path.glob("toy/*/seed*/metrics.csv"):
        path.write_text("corrupt")
    table = write_report(tmp_path / "toy", tmp_path / "reports" / "toy")
    assert not table.rows
    page = (tmp_path / "reports" / "toy" / "summary.md").read_text()
    assert len(gather(tmp_path / "toy").corrupt) == 12
    assert page.count("metrics.csv") == 12
    assert "## [toy: " in write_front_page(tmp_path / "reports").read_text()


def test_copies_of_runs_are_skipped(runs: Path) -> None:
    folder = runs / "toy-digits"
    for run in list(folder.glob("*/seed0")):
        for name, ended in (("seed0-backup", 1.0), ("seed7", 1.0), ("seed0", 2.0)):
            directory = RunDir(run.parent / name)
            if name != run.name:
                shutil.copytree(run, directory.folder)
            amend(directory, ended=ended)
    data = gather(folder)
    assert not data.corrupt
    originals = sorted((name, seed) for name in ACCURACY for seed in (0, 1, 2))
    assert sorted(data.folders) == originals
    assert sorted(zip(data.runs["variant"], data.runs["seed"], strict=True)) == originals
    assert set(data.first_ends.values()) == {"1970-01-01T00:00:02+00:00"}


def test_names_without_runs_are_answered(runs: Path) -> None:
    assert studies_in(runs, None) == ["toy-digits"]
    with refused(Kind.UNKNOWN, str(runs), '"toy"', "toy-digits"):
        studies_in(runs, ["toy"])
    with refused(Kind.PATH, str(runs), "study.json"):
        gather(runs)


def test_a_copied_study_keeps_no_other_from_its_report(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(runs / "toy-digits", runs / "toy-digits-old")
    with pytest.raises(SystemExit) as end:
        main(["report", "--runs", str(runs), "--reports", str(tmp_path / "reports")])
    assert not end.value.code
    assert "toy-digits-old" in capsys.readouterr().out
    assert (tmp_path / "reports" / "toy-digits" / "summary.md").exists()


def test_the_page_says_what_was_asked_and_shows_the_evaluated_runs(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs" / "toy", {"baseline": [0.5, 0.6], "a+b": [0.6, 0.7]})
    folder = tmp_path / "reports" / "toy"
    write_report(tmp_path / "runs" / "toy", folder)
    page = (folder / "summary.md").read_text()
    assert "\nMore.\n" in page  # the docstring's paragraph
    place = "(a%2Bb/seed0"
    assert place not in page
    close = folder / "a+b" / "seed0"
    close.mkdir(parents=True)
    (close / "confused_pairs.csv").write_text("first,second,images\ncat,NA,7\n")  # a class of that name
    part = {"loss": 1.25, "accuracy": 0.525}
    record = {"variant": "a+b", "seed": 0, "ended": 10.0, "train": part, "test": part}
    mine = {"hash": "00000001"}
    others_of = (
        {"hash": "00000000"},
        mine | {"variant": "gone"},
        mine | {"ended": 9.0},
    )  # before an edit, before --retrain
    for others in ({}, *others_of):
        (close / "metrics.json").write_text(json.dumps(record | others))
        write_report(tmp_path / "runs" / "toy", folder)
        assert place not in (folder / "summary.md").read_text()
    (close / "metrics.json").write_text(json.dumps(record | {"hash": "00000001"}))
    write_report(tmp_path / "runs" / "toy", folder)
    page = (folder / "summary.md").read_text()
    assert "| [a+b, seed 0](a%2Bb/seed0) | 1.250 | 52.50 | 1.250 | 52.50 | cat and NA |" in page
    assert "(a%2Bb/seed0/test_confusion_matrix.png)" in page
    diverged = {"loss": None, "accuracy": 0.1}
    (close / "metrics.json").write_text(json.dumps(record | {"hash": "00000001", "train": diverged, "test": diverged}))
    write_report(tmp_path / "runs" / "toy", folder)
    assert "| - | 10.00 | - | 10.00 | cat and NA |" in (folder / "summary.md").read_text()
    (close / "confused_pairs.csv").unlink()  # half an evaluation is none
    write_report(tmp_path / "runs" / "toy", folder)
    assert place not in (folder / "summary.md").read_text()


def test_the_table_of_effects_has_holms_p_over_the_variants(runs: Path, tmp_path: Path) -> None:
    found = write_report(runs / "toy-digits", tmp_path / "reports" / "toy-digits")
    for metric in ("val/accuracy", "test/accuracy", "val/loss"):
        rows = [row for row in found.of(metric) if row.variant != "baseline"]
        assert [row.adjusted for row in rows] == pytest.approx(holm([row.p for row in rows]), nan_ok=True)
    assert all(math.isnan(row.adjusted) for row in found.of("seconds"))
    sheet = pd.read_csv(tmp_path / "reports" / "toy-digits" / "summary.csv")
    assert list(sheet.columns) == [
        "variant", "metric", "n", "failed", "mean", "low", "high", "effect", "effect low", "effect high", "effect p",
        "effect p adjusted", "effect n", "side",
    ]  # fmt: skip
    pd.testing.assert_frame_equal(effects_in(sheet).frame(), found.frame())


def test_a_difference_that_rounds_to_nothing_has_no_minus() -> None:
    assert points(Interval(-0.00001, -0.01, 0.01, 3)) == "+0.00 [-1.00, +1.00]"


def test_an_effect_that_is_the_same_in_every_seed_has_no_interval(tmp_path: Path) -> None:
    write_runs(tmp_path / "toy", {"baseline": [0.9, 0.91], "alike": [0.9, 0.91]})
    effect = write_report(tmp_path / "toy", tmp_path / "reports" / "toy").row("alike", "val/accuracy").effect
    assert (effect.estimate, effect.n) == (0.0, 2)
    assert math.isnan(effect.low)
    assert re.search(r"alike \(\+0\.00[^\[]+\)", write_front_page(tmp_path / "reports").read_text())


def test_names_are_taken_as_they_are(tmp_path: Path) -> None:
    name = "toy (copy)[b]-digits"
    write_runs(tmp_path / "runs" / name, {"baseline": [0.5, 0.6, 0.5], "nan": [0.6, 0.71, 0.6], "x[y]": [0.5] * 3})
    console = plain_console(200)
    console.file = out = io.StringIO()
    page = write_all(tmp_path / "runs", [name], tmp_path / "reports", console).read_text()
    assert gather(tmp_path / "runs" / name).trained == ["baseline", "nan", "x[y]"]
    assert "nan (+10.33" in page
    assert "(toy%20%28copy%29%5Bb%5D-digits/summary.md)" in page
    assert "\nx[y] " in out.getvalue()
    console.print("docs [/see]")
    assert "docs [/see]" in out.getvalue()


def test_runs_that_can_only_be_read_have_a_report(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("read-only file system")

    study = json.loads((runs / "toy-digits" / "study.json").read_text())
    question = {"ask": "Is it good?", "value": ["better", 0.5], "metric": "val/accuracy", "expect": "more"}
    (runs / "toy-digits" / "study.json").write_text(json.dumps(study | {"questions": [question]}))
    monkeypatch.setattr("runner.publish.write_card", refuse)
    console = plain_console(200)
    console.file = out = io.StringIO()
    write_all(runs, ["toy-digits"], tmp_path / "reports", console)
    assert "read-only file system" in out.getvalue()
    assert "Is it good?" in (tmp_path / "reports" / "summary.md").read_text()


@pytest.mark.parametrize("ended", ["yesterday", 1e20, -1.0, None])
def test_a_strange_time_is_none(ended: object) -> None:
    assert utc(ended) == ""


def test_every_accuracy_stands_beside_the_majoritys_share(runs: Path, tmp_path: Path) -> None:
    predict(runs / "toy-digits", [0] * 20 + [1], [0] * 21)
    change(runs / "toy-digits", questions=[{"ask": "Is it best?", "best_of": ["baseline", "better"]}])
    terminal = said(runs, ["toy-digits"], tmp_path / "reports")
    folder = tmp_path / "reports" / "toy-digits"
    page, latex, front = ((folder / name).read_text() for name in ("summary.md", "summary.tex", "../summary.md"))
    assert "| always a | - | 95.24 | 95.24 | - |" in page
    assert "| **baseline**† |" in page
    assert re.search(r"^always a +- +95.24 +95.24", terminal, re.M)
    assert re.search(r"^baseline† ", terminal, re.M)
    assert r"always a & $-$ & 95.24 & 95.24" in latex
    assert r"baseline$^\dagger$ &" in latex
    assert front.count("95.24%") == 2  # the headline, the answer
    assert gather(runs / "toy-digits").narrow == [Narrow(name, (0, 1, 2), ("b",), "a") for name in ACCURACY]
    for text in (terminal, page):
        assert re.search(r'baseline, better, same, ruin: .*"a".*0, 1, 2', text)
    table = pd.read_csv(folder / "runs.csv")
    assert table["val/balanced_accuracy"].tolist() == [0.5] * 12
    assert table["test/macro_f1"].tolist() == pytest.approx([40 / 41 / 2] * 12)
    means = pd.read_csv(folder / "summary.csv").set_index(["variant", "metric"])["mean"]
    assert means["better", "test/balanced_accuracy"] == 0.5


def test_balanced_classes_have_no_majority(runs: Path, tmp_path: Path) -> None:
    terminal = said(runs, ["toy-digits"], tmp_path / "reports")
    page = (tmp_path / "reports" / "toy-digits" / "summary.md").read_text()
    assert gather(runs / "toy-digits").majority is None
    assert "always" not in terminal + page.split("## Results")[1].split("##")[0]
    assert "†" not in terminal + page


@pytest.mark.parametrize(("lost", "better"), [("baseline", True), ("better", False)])
def test_a_lost_run_can_change_headline_figure_and_table_alike(tmp_path: Path, lost: str, better: bool) -> None:
    values = {"baseline": [0.90, 0.91, 0.89, 0.9, 0.9], "better": [0.93, 0.945, 0.92, 0.93, 0.94]}
    write_runs(tmp_path / "toy", values, failed=lost)
    table = write_report(tmp_path / "toy", tmp_path / "reports" / "toy")
    assert table.row("better", "val/accuracy").p < 0.05
    assert table.row("better", "val/accuracy").side == ("better" if better else "")
    assert headline(table.of("val/accuracy")) in write_front_page(tmp_path / "reports").read_text()
    assert f"{lost} seed 0 (ValueError: boom" in (tmp_path / "reports" / "toy" / "summary.md").read_text()
    csv = pd.read_csv(tmp_path / "reports" / "toy" / "summary.csv", keep_default_na=False)
    (side,) = csv[(csv["variant"] == "better") & (csv["metric"] == "val/accuracy")]["side"]
    assert side == ("better" if better else "")


def test_questions_that_cannot_be_judged_are_one_line_everywhere(runs: Path, tmp_path: Path) -> None:
    asks = [{"ask": f"Ask {k}?", "compare": ["baseline", "gone"], "claim": "60.8%"} for k in range(5)]
    change(runs / "toy-digits", questions=[*asks, {"ask": "Real?", "compare": ["better", "baseline"]}])
    printed = said(runs, ["toy-digits"], tmp_path / "reports")
    assert "Ask" not in printed
    assert re.search("^Real\\? .*(Yes|No|Undecided)", printed, re.M)
    page = (tmp_path / "reports" / "toy-digits" / "summary.md").read_text()
    for text in (page, (tmp_path / "reports" / "summary.md").read_text()):
        assert "60.8%" not in text
        answers = [line for line in text.splitlines() if "Ask" in line and line.startswith("- ")]
        assert len(answers) == 1
        assert all(f"Ask {k}?" in answers[0] for k in range(5))
    assert re.findall(r"^### (.*)", page.split("## Questions")[1].split("## Diag")[0], re.M) == ["6. Real?"]
    assert len(json.loads((runs / "toy-digits" / "study.json").read_text())["questions"]) == 6


def test_one_broken_report_stops_no_other(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(runs / "zoo", ACCURACY)
    broken = tmp_path / "reports" / "toy-digits" / "summary.md"
    broken.mkdir(parents=True)  # no file can take its place
    with pytest.raises(SystemExit) as end:
        main(["report", "--runs", str(runs), "--reports", str(tmp_path / "reports")])
    assert end.value.code == 1
    out = capsys.readouterr().out
    assert "toy-digits: " in out
    assert "Traceback" not in out
    assert "[zoo: " in (tmp_path / "reports" / "summary.md").read_text()


@pytest.mark.parametrize(
    "question",
    [
        {"value": ["better", None]}, {"value": ["better", 1e308]}, {"value": "better"}, {"value": [1, 2, 3]},
        {"compare": ["better", "baseline"], "smallest": 1e308}, {"compare": 5}, {"compare": ["better", "better"]},
        {"trend": "lr", "metric": "no such metric"}, {"trend": 7}, {"interaction": ["better"] * 4}, {"ask": 5}, {},
    ],
)  # fmt: skip
def test_a_question_that_older_code_accepted_is_named_and_the_rest_reported(
    runs: Path, tmp_path: Path, question: dict[str, Any]
) -> None:
    real = {"ask": "Real?", "compare": ["better", "baseline"], "value": None}
    change(runs / "toy-digits", questions=[{"ask": "Odd?"} | question, real])
    said(runs, ["toy-digits"], tmp_path / "reports")
    page = (tmp_path / "reports" / "toy-digits" / "summary.md").read_text()
    assert "- **Real?** " in page
    assert f"*{question.get('ask', 'Odd?')}* (question" in page


def test_accuracies_that_are_all_equal_are_drawn_without_a_warning(tmp_path: Path) -> None:
    write_runs(tmp_path / "toy", {"baseline": [0.5, 0.5], "same": [0.5, 0.5], "too": [0.5, 0.5]})
    for path in (tmp_path / "toy").glob("*/seed*"):
        table = pd.read_csv(path / "metrics.csv")
        table.loc[:, list(EPOCH_SCALARS)] = 0.5
        table.to_csv(path / "metrics.csv", index=False)
        vouch(RunDir(path))
    write_report(tmp_path / "toy", tmp_path / "report")  # a warning is an error here
    assert "figures/losses.png" in (tmp_path / "report" / "summary.md").read_text()
