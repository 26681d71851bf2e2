"""The table of results: one for the terminal, the page and papers."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from runner.report.format import Write, effect_text, lost_runs, narrow_text, percent
from runner.report.lost import most_accurate_first
from runner.report.runs import StudyRuns
from runner.text import escaped

NARROW = "†"  # marks a variant that never predicts some class


@dataclass(frozen=True)
class Result:
    """A row: a variant and its mark, then n, validation accuracy, test accuracy and effect, as text."""

    variant: str
    mark: str
    cells: tuple[str, str, str, str]


def results(data: StudyRuns, summary: pd.DataFrame) -> list[Result]:
    """A row a variant, the best first; then what always predicting a majority class gives."""
    narrow = {each.variant for each in data.narrow}
    by_name = summary.set_index("variant", drop=False)
    rows = [
        Result(
            row["variant"],
            NARROW if row["variant"] in narrow else "",
            (
                f"{row['n']} ({row['failed']} failed)" if row["failed"] else str(row["n"]),
                percent(row, "val/accuracy"),
                percent(row, "test/accuracy"),
                effect_text(row, "val/accuracy"),
            ),
        )
        for _, row in by_name.loc[most_accurate_first(data, summary)].iterrows()
    ]
    if majority := data.majority:
        shares = [f"{100 * majority.shares[part]:.2f}" if part in majority.shares else "-" for part in ("val", "test")]
        rows.append(Result(f"always {majority.name}", "", ("-", shares[0], shares[1], "-")))
    return rows


def remarks(data: StudyRuns, write: Write = escaped) -> list[str]:
    """Below the table: which variants never predict some class, and which runs are lost."""
    narrow = narrow_text(data.narrow, write)
    lost = lost_runs(data.lost(data.variants), write)
    return [f"{NARROW} {narrow}."] * bool(narrow) + [f"Lost runs: {lost}."] * bool(lost)
