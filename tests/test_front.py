"""The front page is made from what reports say of themselves, and no text of a study can be more than text."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from runner.publish import write_front_page, write_report
from runner.report import front_page, read_front
from runner.report._front import FRONT, Entry, headline
from runner.stats import Interval
from runner.verdicts._effects import EffectRow
from tests.reports import ACCURACY, change, write_runs

DOC = """<script>alert('title')</script> [t](javascript:alert(1)) \\input{x}

## Answers

- **fake** Yes.

| x | y |
|---|---|
| forged | 99 % |

Run: nothing
"""
ASK = "<script>alert(1)</script>\n\n## Results\n\n| x | y |\n|---|---|\n| forged | 99 % |"
CLAIM = "<img src=x onerror=alert(2)>\n\n- **forged** Yes."


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """The report of a study whose every text is hostile."""
    write_runs(tmp_path / "runs" / "toy", ACCURACY, failed="same")
    question = {"ask": ASK, "compare": ["better", "baseline"], "claim": CLAIM}
    change(tmp_path / "runs" / "toy", doc=DOC.strip(), questions=[question], command="a `b` <c>")
    write_report(tmp_path / "runs" / "toy", tmp_path / "reports" / "toy")
    return tmp_path / "reports" / "toy"


def tags(rendered: str) -> set[str]:
    return set(re.findall(r"<([a-z0-9]+)", rendered))


def test_hostile_text_is_inert_on_the_page_and_on_the_front_page(report: Path) -> None:
    render = MarkdownIt("commonmark").enable("table").render
    page, front = (report / "summary.md").read_text(), write_front_page(report.parent).read_text()
    shown = {"h1", "h2", "h3", "p", "ul", "li", "strong", "em", "code", "img", "table", "thead", "tbody", "tr", "th"}
    assert tags(render(page)) <= shown | {"td", "blockquote"}
    assert tags(render(front)) <= shown | {"a"}
    assert set(re.findall('(?:href|src)="([^"]*)"', render(front))) == {"toy/summary.md", "toy/figures/effects.png"}
    for text in (page, front):
        assert len(re.findall("^## Answers", page, re.M)) == 1
        assert not re.search(r"^\| forged|^- \*\*fake|^- \*\*forged", text, re.M)
        (answer,) = [line for line in text.splitlines() if line.startswith("- **")]
        assert "forged" in answer  # the question, and in one line with its answer and claim
        assert "better - baseline: +3.17 points" in answer
        assert "onerror" in answer
    assert "<h1>&lt;script&gt;alert('title')&lt;/script&gt; [t](javascript:alert(1)) \\input{x}</h1>" in render(page)


def test_the_front_page_reads_no_page(report: Path) -> None:
    before = write_front_page(report.parent).read_text()
    (report / "summary.md").write_text("# Another title\n\n## Answers\n\n- **forged** Yes.\n\n")
    assert write_front_page(report.parent).read_text() == before


@pytest.mark.parametrize("stored", [None, "corrupt", [], {"name": 5}, {"name": "x", "title": "t", "headline": [1]}])
def test_a_folder_that_says_nothing_has_an_entry_from_its_table(report: Path, stored: Any) -> None:
    if stored is None:
        (report / FRONT).unlink()
    else:
        (report / FRONT).write_text(json.dumps(stored))
    entry = read_front(report)
    assert (entry.name, entry.title, entry.answers, entry.figure) == ("toy", "", (), "figures/effects.png")
    assert "better (+3.17" in entry.headline
    assert "## [toy](toy/summary.md)" in write_front_page(report.parent).read_text()
    (report / "summary.csv").write_text("variant,of an older form\n")
    assert read_front(report).headline == ""


@pytest.mark.parametrize("columns", [["side"], ["effect p adjusted"], ["side", "effect p adjusted"]])
def test_an_older_table_without_sides_has_the_same_headline(report: Path, columns: list[str]) -> None:
    (report / FRONT).unlink()
    newer = read_front(report).headline
    table = pd.read_csv(report / "summary.csv").drop(columns=columns)
    table.to_csv(report / "summary.csv", index=False)
    assert read_front(report).headline == newer


def entry(name: str, *p: float | None, decided: bool = True) -> Entry:
    answers = tuple(f"**{name} {number}?** Yes." for number in range(len(p)))
    return Entry(name, name, "", answers, p=p, decided=(decided,) * len(p))


def test_the_front_page_says_how_many_of_its_studies_may_have_a_false_verdict() -> None:
    entries = [entry("a", 0.001), entry("b", 0.002, None), entry("c", None), Entry("d", "older", "", ("**?** No.",))]
    text = front_page(entries)
    assert "2 studies here have tested questions" in text
    assert "at most 0.1 of them" in text
    assert "2 questions" in text
    assert "tested questions" not in front_page(entries[2:])


def test_answers_that_the_whole_page_does_not_confirm_are_marked() -> None:
    """After Benjamini & Hochberg .03 is .03 * 21 / 2 among 21 questions."""
    undecided = entry("many", *[0.5] * 19, decided=False)
    text = front_page([entry("a", 0.0001, 0.03), undecided])
    assert [line for line in text.splitlines() if line.endswith("‡")] == ["- **a 1?** Yes. ‡"]
    assert "‡: holds in its study, but not" in text
    assert "‡" not in front_page([entry("a", 0.0001, 0.03)])


def test_a_moved_report_is_named_by_its_folder(report: Path) -> None:
    moved = report.rename(report.with_name("elsewhere"))
    assert read_front(moved).name == "elsewhere"


def test_a_variant_without_a_finished_run_has_no_effect_in_the_headline() -> None:
    none, mean = Interval(math.nan, math.nan, math.nan, 0), Interval(0.9, 0.8, 1.0, 3)
    rows = [
        EffectRow("baseline", "val/accuracy", 3, 0, mean),
        EffectRow("fine", "val/accuracy", 3, 0, mean, Interval(0.01, 0.0, 0.02, 3), side="better"),
        EffectRow("lost", "val/accuracy", 0, 3, none),
    ]
    said = headline(rows)
    assert "fine (+1.00 [+0.00, +2.00])" in said
    assert "lost (3 failed)" in said
    assert "n = 3 seeds" in said
