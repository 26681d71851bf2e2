"""Run tables to pages, figures and tables. Knows no model."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from runner.files import replace, write_text
from runner.report import figures
from runner.report.page import effect_text, front_page, percent, read_front, study_page
from runner.report.tables import StudyRuns, confusion, gather, summarize
from runner.report.verdicts import judge
from runner.spec import BASELINE


def write_report(runs: Path, folder: Path) -> pd.DataFrame:
    """A study's report folder from its run directories; returns its table, one row a variant."""
    data = gather(runs)
    table = summarize(data)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = _draw(data, table, folder / "figures")
    replace(folder / "summary.csv", lambda path: table.to_csv(path, index=False))
    write_text(folder / "summary.md", study_page(data, table, drawn, judge(data)))
    return table


def write_front_page(reports: Path) -> Path:
    """reports/summary.md, from the folders that there are."""
    folders = sorted(path.parent for path in reports.glob("*/summary.csv"))
    page = reports / "summary.md"
    reports.mkdir(parents=True, exist_ok=True)
    write_text(page, front_page([read_front(folder) for folder in folders]))
    return page


def show_table(table: pd.DataFrame, console: Console) -> None:
    """The result table on the terminal, the best first."""
    shown = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for head in ("variant", "n", "validation accuracy, %", "test accuracy, %", "effect on validation, points"):
        shown.add_column(head, justify="left" if head == "variant" else "right", no_wrap=head == "variant")
    for _, row in table.sort_values("val/accuracy", ascending=False).iterrows():
        failed = f" ({row['failed']} failed)" if row["failed"] else ""
        shown.add_row(
            row["variant"],
            f"{row['n']}{failed}",
            percent(row, "val/accuracy"),
            percent(row, "test/accuracy"),
            effect_text(row, "val/accuracy"),
        )
    console.print()
    console.print(shown, highlight=False)


def _draw(data: StudyRuns, table: pd.DataFrame, folder: Path) -> list[tuple[str, str]]:
    """Draws what there is to draw; returns each figure's path in the report and its description."""
    drawn = []
    if table["effect val/accuracy"].notna().any():
        figures.effects(table, "val/accuracy", "validation accuracy", folder / "effects.png")
        drawn.append(("figures/effects.png", "each variant's effect on validation accuracy, with its 95% interval"))
    trained = [name for name in data.variants if len(data.finished(name))]
    if trained:
        figures.curves(data, trained, folder / "curves.png")
        drawn.append(("figures/curves.png", "accuracy over the epochs, training and validation, mean and 95% band"))
        best = str(table["variant"].iloc[int(table["val/accuracy"].argmax())])
        names = dict.fromkeys([name for name in (BASELINE, best) if name in trained])
        matrices = {name: matrix for name in names if (matrix := confusion(data, name)) is not None}
        if matrices:
            classes = data.classes
            figures.confusions(matrices, classes, folder / "confusion.png")
            drawn.append(("figures/confusion.png", "confusion matrices on test, all seeds together"))
    return drawn
