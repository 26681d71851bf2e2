"""The results and the answers on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from runner.report._answers import answer_line
from runner.report._results import own_heads, remarks, results
from runner.text import counted, one_line
from runner.verdicts import EffectsTable, StudyRuns, Verdict


def show_results(data: StudyRuns, effects: EffectsTable, verdicts: Sequence[Verdict], console: Console) -> None:
    """Prints the table of results, the best variant first, and each question's answer."""
    shown = _table()
    heads = ["variant", "n", "validation accuracy, %", "test accuracy, %", "effect on validation, points"]
    for head in heads if data.measures.is_ours else own_heads(data, one_line):
        shown.add_column(head, justify="left" if head == "variant" else "right", no_wrap=head == "variant")
    for row in results(data, effects):
        shown.add_row(f"{one_line(row.variant)}{row.mark}", *row.cells)
    console.print()
    console.print(shown)
    for remark in remarks(data, one_line):
        console.print(f"\n{remark}", soft_wrap=True)
    _show_answers(verdicts, console)


def _table() -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), header_style="bold")


def _show_answers(verdicts: Sequence[Verdict], console: Console) -> None:
    judged = [verdict for verdict in verdicts if verdict.judged]
    shown = _table()
    shown.add_column("question")
    shown.add_column("answer")
    for verdict in judged:
        shown.add_row(one_line(verdict.declared.ask), answer_line(verdict, one_line))
    if judged:
        console.print()
        console.print(shown)
    if others := len(verdicts) - len(judged):
        console.print(f"\n{counted(others, 'question')} without an answer: the report says why.", soft_wrap=True)
