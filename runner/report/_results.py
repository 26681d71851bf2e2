"""The table of results: one for the terminal, the page and papers."""

from __future__ import annotations

from dataclasses import dataclass

from runner.report._format import Write, effect_text, lost_runs, narrow_text, percent
from runner.text import escaped
from runner.verdicts import EffectsTable, StudyRuns, best_variants_first

NARROW = "†"  # marks a variant that never predicts some class


@dataclass(frozen=True)
class Result:
    """A row: a variant and its mark, then n, validation accuracy, test accuracy and effect, as text."""

    variant: str
    mark: str
    cells: tuple[str, str, str, str]


def results(data: StudyRuns, effects: EffectsTable) -> list[Result]:
    """A row a variant, the best first; then what always predicting a majority class gives."""
    narrow = {each.variant for each in data.narrow}
    rows = []
    for name in best_variants_first(data, effects):
        own, test = effects.row(name, "val/accuracy"), effects.row(name, "test/accuracy")
        count = f"{own.n} ({own.failed} failed)" if own.failed else str(own.n)
        cells = (count, percent(own.mean), percent(test.mean), effect_text(own))
        rows.append(Result(name, NARROW if name in narrow else "", cells))
    if majority := data.majority:
        shares = [f"{100 * majority.shares[part]:.2f}" if part in majority.shares else "-" for part in ("val", "test")]
        rows.append(Result(f"always {majority.name}", "", ("-", shares[0], shares[1], "-")))
    return rows


def remarks(data: StudyRuns, write: Write = escaped) -> list[str]:
    """Sentences below the table: which variants never predict some class, and which runs failed."""
    narrow = narrow_text(data.narrow, write)
    lost = lost_runs(data.lost(data.variants), write)
    return [f"{NARROW} {narrow}."] * bool(narrow) + [f"Failed runs: {lost}."] * bool(lost)
