"""Run tables to pages, figures and tables. Knows no model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from runner.confusion import shares as row_shares
from runner.files import lock, write_text
from runner.logs.summary import write_card
from runner.report import curve_figures, figures
from runner.report.answers import short_answers
from runner.report.evaluations import evaluations
from runner.report.factorial import contrasts
from runner.report.front import EFFECTS_TABLE, Entry, front_page, headline, read_front, write_front
from runner.report.level_figures import draw_levels, level_lines
from runner.report.lost import most_accurate_first
from runner.report.page import RUNS_TABLE, StudyFindings, answers, notes, study_page, title
from runner.report.predictions import Predicted, class_differences, compare_on_test, predicted
from runner.report.results import NARROW, remarks, results
from runner.report.runs import StudyRuns
from runner.report.tables import gather, summarize, tidy
from runner.report.verdicts import judge
from runner.sheets import write_sheet
from runner.spec import BASELINE
from runner.spec.problems import words
from runner.store.study import read_study
from runner.text import escaped, one_line, plain_console


def write_report(runs: Path, folder: Path) -> pd.DataFrame:
    """A study's report folder from its run directories, and its answers as a card in TensorBoard's root run;
    returns its table, one row a variant."""
    return _write(gather(runs), runs, folder, plain_console())


def _write(data: StudyRuns, runs: Path, folder: Path, console: Console) -> pd.DataFrame:
    summary = summarize(data)
    predictions = predicted(data)
    with lock(folder.parent):
        folder.mkdir(parents=True, exist_ok=True)
        drawn = _draw(data, summary, predictions, folder)
        seen = evaluations(folder, data.folders)
        found = StudyFindings(data, summary, judge(data), contrasts(data), compare_on_test(predictions), drawn, seen)
        effects = tidy(summary)
        write_sheet(folder / EFFECTS_TABLE, effects)
        write_sheet(folder / RUNS_TABLE, data.runs)
        write_text(folder / "summary.tex", _latex(data, summary))
        write_text(folder / "summary.md", study_page(found))
        line = headline(effects[effects["metric"] == "val/accuracy"], data.majority)
        figure = drawn.get("effects", "")
        write_front(folder, Entry(folder.name, title(data), line, tuple(short_answers(found.verdicts)), figure))
    if found.verdicts:
        try:
            with lock(runs.parent):
                write_card(runs.parent, data.study["name"], f"## {escaped(title(data))}\n\n{answers(found.verdicts)}")
        except OSError as error:  # runs in a place that can only be read: the page has the answers too
            console.print(f"the answers' card for TensorBoard can't be written: {error}")
    return summary


def write_search(runs: Path, folder: Path, console: Console) -> None:
    """A search's report folder from its run directories; its headline goes to the terminal."""
    from runner.report.search import write_search_report  # with Optuna

    write_search_report(runs, folder)
    console.print()
    console.print(read_front(folder).headline.replace("**", ""))


class BrokenReports(Exception):
    """Some reports could not be written; the others and the front page, `page`, were."""

    def __init__(self, page: Path) -> None:
        self.page = page
        super().__init__(f"some reports could not be written; the others are in {page}")


def write_all(runs: Path, names: Sequence[str], reports: Path, console: Console) -> Path:
    """The reports of these studies and searches, each shown on the terminal, and the front page; returns its path.

    BrokenReports, at the end, where one could not be written: each is named with what went wrong.
    """
    broken = False
    for name in names:
        try:
            _write_one(runs / name, reports / name, console)
        except Exception as error:  # one study's report stops no other's
            broken = True
            console.print(f"\n{name}: its report can't be written: {words(error)}", soft_wrap=True)
    page = write_front_page(reports)
    if broken:
        raise BrokenReports(page)
    return page


def _write_one(runs: Path, folder: Path, console: Console) -> None:
    if "search" in (read_study(runs) or {}):
        write_search(runs, folder, console)
        return
    data = gather(runs)
    show_table(data, _write(data, runs, folder, console), console)
    for note in notes(data, one_line):
        console.print(f"\n{data.study['name']}: {note}", soft_wrap=True)


def write_front_page(reports: Path) -> Path:
    """reports/summary.md, from the folders that there are."""
    page = reports / "summary.md"
    with lock(reports):
        folders = [path.parent for path in reports.glob("*/summary.md") if _has_table(path.parent)]
        write_text(page, front_page([read_front(folder) for folder in sorted(folders)]))
    return page


def _has_table(folder: Path) -> bool:
    return any((folder / name).exists() for name in (EFFECTS_TABLE, RUNS_TABLE))


def show_table(data: StudyRuns, summary: pd.DataFrame, console: Console) -> None:
    """The result table on the terminal, the best first."""
    shown = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for head in ("variant", "n", "validation accuracy, %", "test accuracy, %", "effect on validation, points"):
        shown.add_column(head, justify="left" if head == "variant" else "right", no_wrap=head == "variant")
    for row in results(data, summary):
        shown.add_row(f"{one_line(row.variant)}{row.mark}", *row.cells)
    console.print()
    console.print(shown)
    for remark in remarks(data, one_line):
        console.print(f"\n{remark}", soft_wrap=True)


def _latex(data: StudyRuns, summary: pd.DataFrame) -> str:
    """A table for a paper (needs \\usepackage{booktabs})."""
    heads = ("Variant", "n", "Validation accuracy (%)", "Test accuracy (%)", "Effect (points) [95% CI]")
    rows = [(f"{one_line(row.variant)}{row.mark}", *row.cells) for row in results(data, summary)]
    style = pd.DataFrame(rows, columns=heads).style.hide(axis="index")
    style = style.format(escape="latex").format_index(escape="latex", axis=1)
    text = str(style.to_latex(hrules=True, column_format="lrrrr"))
    return text.replace("±", r"$\pm$").replace("& -", "& $-$").replace(NARROW, r"$^\dagger$")


def _draw(data: StudyRuns, summary: pd.DataFrame, predictions: dict[str, Predicted], folder: Path) -> dict[str, str]:
    """Draws what there is to draw; returns each figure's path in the report."""
    if summary.empty:
        return {}
    drawn = {name: f"figures/{name}.png" for name in ("effects", "curves", "losses", "levels", "classes", "confusion")}
    made = []
    if summary["effect val/accuracy"].notna().any():
        figures.effects(summary, "val/accuracy", "validation accuracy", folder / drawn["effects"])
        made.append("effects")
    if trained := data.trained:
        curve_figures.accuracies(data, trained, folder / drawn["curves"])
        curve_figures.losses(data, trained, folder / drawn["losses"])
        made += ["curves", "losses"]
    if lines := level_lines(data):
        draw_levels(summary, lines, folder / drawn["levels"])
        made.append("levels")
    classes = data.classes
    differences, told = class_differences(predictions, classes)
    if len(differences) and len(classes) <= 20:
        figures.class_differences(differences, told, folder / drawn["classes"])
        made.append("classes")
    if BASELINE in predictions:
        best = most_accurate_first(data, summary)[0]
        shares = row_shares(predictions[BASELINE].confusion(len(classes)))
        other = (
            row_shares(predictions[best].confusion(len(classes))) if best in predictions and best != BASELINE else None
        )
        difference = None if other is None else other - shares
        figures.confusions(shares, difference, best, classes, folder / drawn["confusion"])
        made.append("confusion")
    return {name: drawn[name] for name in made}
