"""The table of results on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from runner.report._results import own_heads, remarks, results
from runner.text import one_line
from runner.verdicts import EffectsTable, StudyRuns


def show_table(data: StudyRuns, effects: EffectsTable, console: Console) -> None:
    """The result table on the terminal, the best first."""
    shown = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    heads = ["variant", "n", "validation accuracy, %", "test accuracy, %", "effect on validation, points"]
    for head in heads if data.measures.is_ours else own_heads(data, one_line):
        shown.add_column(head, justify="left" if head == "variant" else "right", no_wrap=head == "variant")
    for row in results(data, effects):
        shown.add_row(f"{one_line(row.variant)}{row.mark}", *row.cells)
    console.print()
    console.print(shown)
    for remark in remarks(data, one_line):
        console.print(f"\n{remark}", soft_wrap=True)
