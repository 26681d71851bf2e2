"""A study's report folder: its page, figures and tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from runner.confusion import shares as row_shares
from runner.files import lock, write_text
from runner.report import curve_figures, figures
from runner.report.answers import short_answers
from runner.report.evaluations import evaluations
from runner.report.factorial import contrasts
from runner.report.front import EFFECTS_TABLE, RUNS_TABLE, Entry, headline, write_front
from runner.report.level_figures import draw_levels, level_lines
from runner.report.lost import most_accurate_first
from runner.report.page import StudyFindings, answers, study_page, title
from runner.report.predictions import Predicted, class_differences, compare_on_test, predicted
from runner.report.results import NARROW, results
from runner.report.runs import StudyRuns
from runner.report.tables import summarize, tidy
from runner.report.verdicts import judge
from runner.sheets import write_sheet
from runner.spec import BASELINE
from runner.text import escaped, one_line


@dataclass(frozen=True)
class Written:
    """A report that was written: its table, one row a variant, and its summary card.

    The card is Markdown for TensorBoard's root run, empty where the study asks no questions.
    """

    summary: pd.DataFrame
    card: str


def write_study(data: StudyRuns, folder: Path) -> Written:
    """Writes a study's report folder."""
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
    card = f"## {escaped(title(data))}\n\n{answers(found.verdicts)}" if found.verdicts else ""
    return Written(summary, card)


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
