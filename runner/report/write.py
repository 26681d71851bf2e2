"""A study's report folder: its page, figures and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from runner.files import lock, write_text
from runner.metrics import Unit
from runner.report import _curve_figures as curve_figures
from runner.report import _figures as figures
from runner.report._answers import short_answers, tests
from runner.report._curves import learning_curves, own_curves
from runner.report._evaluations import evaluations
from runner.report._factorial import contrasts
from runner.report._front import EFFECTS_TABLE, RUNS_TABLE, Entry, headline, write_front
from runner.report._level_figures import draw_levels
from runner.report._levels import level_lines
from runner.report._own_figures import draw_own_curves
from runner.report._page import StudyFindings, answers, study_page, title
from runner.report._predictions import Predicted, class_differences, compare_on_test, confusions, predicted
from runner.report._results import NARROW, own_heads, results
from runner.report._shown import effect_rows, panels
from runner.sheets import write_sheet
from runner.text import escaped, one_line
from runner.verdicts import EffectsTable, StudyRuns, Verdict, best_variants_first, effects_table, judge

_MOST_CLASSES = 20  # whose differences have room in one figure


@dataclass(frozen=True)
class Written:
    """A report that was written: its effects, its verdicts, and its summary card.

    The card is Markdown for TensorBoard's root run, empty where the study asks no questions.
    """

    effects: EffectsTable
    verdicts: Sequence[Verdict]
    card: str


def write_study(data: StudyRuns, folder: Path) -> Written:
    """Writes a study's report folder."""
    verdicts = judge(data)
    effects = effects_table(data, verdicts)
    predictions = predicted(data)
    with lock(folder.parent):
        folder.mkdir(parents=True, exist_ok=True)
        drawn = _draw(data, effects, predictions, folder)
        seen = evaluations(folder, data.folders)
        found = StudyFindings(data, effects, verdicts, contrasts(data), compare_on_test(predictions), drawn, seen)
        write_sheet(folder / EFFECTS_TABLE, effects.frame())
        write_sheet(folder / RUNS_TABLE, data.runs)
        write_text(folder / "summary.tex", _latex(data, effects))
        write_text(folder / "summary.md", study_page(found))
        main = data.measures.table[data.measures.main]
        line = headline(effects.of(main.name), data.majority, data.is_sequential, main)
        figure, said = drawn.get("effects", ""), short_answers(found.verdicts)
        write_front(folder, Entry(folder.name, title(data), line, tuple(said), figure, *tests(found.verdicts)))
    card = f"## {escaped(title(data))}\n\n{answers(found.verdicts)}" if found.verdicts else ""
    return Written(effects, verdicts, card)


def _latex(data: StudyRuns, effects: EffectsTable) -> str:
    """A table for a paper (needs \\usepackage{booktabs})."""
    level = "CI" if data.is_sequential else "95% CI"
    heads = ["Variant", "n", "Validation accuracy (%)", "Test accuracy (%)", f"Effect (points) [{level}]"]
    if not data.measures.is_ours:
        heads = [f"{head[0].upper()}{head[1:]}" if head != "n" else head for head in own_heads(data, one_line)]
        heads[-1] += f" [{level}]"
    rows = [(f"{one_line(row.variant)}{row.mark}", *row.cells) for row in results(data, effects)]
    style = pd.DataFrame(rows, columns=heads).style.hide(axis="index")
    style = style.format(escape="latex").format_index(escape="latex", axis=1)
    text = str(style.to_latex(hrules=True, column_format="l" + "r" * (len(heads) - 1)))
    return text.replace("±", r"$\pm$").replace("& -", "& $-$").replace(NARROW, r"$^\dagger$")


def _draw(data: StudyRuns, effects: EffectsTable, predictions: dict[str, Predicted], folder: Path) -> dict[str, str]:
    """Draws what there is to draw; returns each figure's path in the report."""
    if not effects.rows:
        return {}
    best_first = best_variants_first(data, effects)
    drawn = {name: f"figures/{name}.png" for name in ("effects", "curves", "losses", "levels", "classes", "confusion")}
    made = []
    shown = panels(data, effects)
    main = data.measures.table[data.measures.main]
    if rows := effect_rows(data, effects):
        points = "points, " if main.unit is Unit.SHARE else ""
        label = f"{main.label} minus the baseline's, {points}with {'' if data.is_sequential else '95% '}intervals"
        figures.effects(rows, label, folder / drawn["effects"], main.unit)
        made.append("effects")
    if not data.measures.is_ours:
        if found_curves := own_curves(data, best_first):
            draw_own_curves(found_curves, folder / drawn["curves"])
            made.append("curves")
    elif shown:
        curve_figures.accuracies(learning_curves(data, shown, "accuracy"), folder / drawn["curves"])
        curve_figures.losses(learning_curves(data, shown, "loss"), folder / drawn["losses"])
        made += ["curves", "losses"]
    if lines := level_lines(data):
        draw_levels(effects, lines, folder / drawn["levels"], None if data.measures.is_ours else main)
        made.append("levels")
    classes = data.classes
    differences, told = class_differences(predictions, classes)
    if len(differences) and len(classes) <= _MOST_CLASSES:
        kept = differences.index.isin(shown)
        figures.class_differences(differences.loc[kept], told.loc[kept], folder / drawn["classes"])
        made.append("classes")
    if found := confusions(predictions, best_first[0], classes):
        figures.confusions(found, folder / drawn["confusion"])
        made.append("confusion")
    return {name: drawn[name] for name in made}
