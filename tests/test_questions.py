"""Every study asks what it can answer, and docs/questions.md answers the whole questionnaire from what is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.questions import images
from benchmarks.questions.__main__ import MEASUREMENTS
from runner.expand import Overrides, resolve
from runner.spec import available, read_file

ROOT = Path(__file__).parents[1]
ABLATIONS = ROOT / "ablations"
ANSWERS = (ROOT / "docs" / "questions.md").read_text()
MEASURED = (ROOT / "docs" / "questions-measured.md").read_text()
QUESTIONNAIRE = ROOT.parent / "shared" / "mission" / "questions.md"
# What the answers call each metric of a quoted question; the page says that the rest is validation accuracy.
CALLED = {
    "val_accuracy_area": "accuracy in the course of training",
    "generalization_gap": "generalization gap",
    "first_epoch_loss_max": "largest loss of a step in the first epoch",
    "late_spread": "spread of validation loss",
    "best_epoch": "best epoch",
    "epochs_to": "epochs to 90%",
    "seconds": "training time",
}


@pytest.mark.parametrize("name", available(ABLATIONS))
def test_every_claim_says_what_data_it_is_about(name: str) -> None:
    for question in read_file(name, ABLATIONS)[1].get("questions", []):
        if "claim" in question:
            assert set(question["claim_for"]) <= {"mnist5k", "cifar10"}
            own = question["claim_for"] == ["cifar10"]  # the questionnaire's are about images of its own
            assert own or question["claim"].endswith("(of other images)")


@pytest.mark.parametrize("name", available(ABLATIONS))
def test_every_study_is_valid_and_its_trends_have_levels(name: str) -> None:
    study = resolve(*read_file(name, ABLATIONS), Overrides())
    assert re.search(r"^Run: +\S", study.doc, re.M)
    for question in study.questions:
        if question.trend:
            assert sum(set(variant.changes) == {question.trend} for variant in study.variants) >= 2, question.ask


def test_every_question_of_the_questionnaire_is_answered_in_its_order() -> None:
    if not QUESTIONNAIRE.is_file():
        pytest.skip(f"the questionnaire is not at {QUESTIONNAIRE}")
    asked = re.findall(r"^(?:- \*\*(.+\?)\*\*|## (.+))$", QUESTIONNAIRE.read_text(), re.M)
    answered = re.findall(r"^(?:### (.+)|## (\d.+))$", ANSWERS, re.M)
    assert len(asked) > 40
    assert [question or section.strip() for question, section in answered] == [
        question or section.strip() for question, section in asked
    ]


def test_every_answer_is_more_than_its_heading() -> None:
    for section in re.split(r"^### ", ANSWERS, flags=re.M)[1:]:
        assert len(section.split("\n## ")[0].split("\n", 1)[1].split()) > 20, section


def test_what_the_answers_cite_is_there() -> None:
    headings = re.findall(r"^## (\S+)$", MEASURED, re.M)
    assert headings == [measurement.__name__ for measurement in MEASUREMENTS]
    assert set(re.findall(r"questions-measured\.md#(\w+)", ANSWERS)) == set(headings)
    for study, number in re.findall(r"TODO\(results: (\w+) (\d+)\)", ANSWERS):
        assert int(number) <= len(read_file(study, ABLATIONS)[1]["questions"]), (study, number)


def quotes_of(text: str) -> list[re.Match[str]]:
    found = list(re.finditer(r"\((supported|refuted|undecided), `(\w+)` question (\d+)\)", text))
    assert len(found) > 50
    return found


def test_quotes_of_studies_are_what_their_pages_say() -> None:
    text = re.sub(r"`([^`]+)`: ([-+])", r"\1 \2", re.sub(r"\s+", " ", ANSWERS)).replace("dropout: ", "dropout ")
    begin, quotes = 0, quotes_of(text)
    for quote in quotes:
        page = (ROOT / "reports" / "reference" / f"{quote[2]}-mnist5k" / "summary.md").read_text()
        section = page.split(f"\n### {quote[3]}. ")[1].split("\n### ")[0].split("\n## ")[0]
        assert re.search(r"\*\*(\w+)\.\*\*", section)[1].lower() == quote[1], quote[0]  # type: ignore[index]
        rows = re.findall(r"^\| (.+?) \| ([-+]\S+(?: \w+)? \[.+?\]) \|", section, re.M)
        before = text[begin : quote.start()]
        quoted = [row for row in rows if " ".join(row) in before]
        more = re.search(r", and (\d+) more $", before)
        assert len(rows) == len(quoted) + int(more[1] if more else 0) > 0, (quote[0], rows, before)
        begin = quote.end()


def test_quotes_of_another_metric_than_validation_accuracy_name_it_before_the_figure() -> None:
    text = re.sub(r"\s+", " ", ANSWERS)
    begin, seen = 0, set()
    for quote in quotes_of(text):
        metric = read_file(quote[2], ABLATIONS)[1]["questions"][int(quote[3]) - 1]["metric"]
        sentence = re.split(r"[.?!] |\|", text[begin : quote.start()])[-1].lower()
        words = re.split(r" [-+][\d.,]+ (?:\w+ )?\[", sentence)[0]
        if metric != "val/accuracy":
            assert CALLED[metric] in words, (metric, quote[0], sentence)
        else:
            assert not [name for name in CALLED.values() if name in words.replace("at the best epoch", "")], sentence
        seen.add(metric)
        begin = quote.end()
    assert seen == {"val/accuracy", *CALLED}


def test_the_exercises_figures_are_what_its_page_says() -> None:
    text, page = (ROOT / "docs" / "exercise5.md").read_text(), ROOT / "reports" / "reference" / "exercise5-cifar10"
    pages = (page, *(page.parent / f"{name}-cifar10" for name in ("best_cnn", "best_mlp", "best_mlp_parts")))
    summary = "".join((folder / "summary.md").read_text() for folder in pages)
    quoted = re.findall(r"[-+]?\d+\.\d+ (?:± \d+\.\d+|\[.+?\])", text)
    assert len(quoted) > 20
    assert [figure for figure in quoted if figure not in summary] == []
    for link in re.findall(r"\]\(\.\./([^)#]+)", text):
        assert (ROOT / link).exists(), link


@pytest.mark.parametrize("measurement", [images.normalize, images.to_tensor, images.flatten])
def test_the_page_of_measurements_is_what_its_command_gives(measurement: Callable[[], str]) -> None:
    assert f"\n{measurement()}\n" in MEASURED
