"""The table of results: one for the terminal, the page and papers."""

from __future__ import annotations

from dataclasses import dataclass

from runner.metrics import Metric
from runner.report._format import Write, effect_text, lost_runs, narrow_text, own_mean, percent
from runner.store import processors
from runner.text import escaped
from runner.verdicts import EffectsTable, StudyRuns, best_variants_first

_FURTHER = 2  # metrics of your own training, beside the main one
NARROW = "†"  # marks a variant that never predicts some class


@dataclass(frozen=True)
class Result:
    """A row: a variant and its mark, then n, validation accuracy, test accuracy and effect, as text.

    Of your own training: n, the main metric, up to two others, and the effect on the main one.
    """

    variant: str
    mark: str
    cells: tuple[str, ...]


def own_heads(data: StudyRuns, write: Write) -> list[str]:
    """The heads of the table of a study with your own training; `write` writes a metric's name."""
    names = [write(metric.label) for metric in _shown(data)]
    return ["variant", "n", *names, f"effect on {names[0]}"]


def _shown(data: StudyRuns) -> list[Metric]:
    """The main metric, then the first two others."""
    measures = data.measures
    others = [metric for metric in measures.table.values() if metric.name != measures.main]
    return [measures.table[measures.main], *others[:_FURTHER]]


def results(data: StudyRuns, effects: EffectsTable) -> list[Result]:
    """A row a variant, the best first; then what always predicting a majority class gives."""
    narrow = {each.variant for each in data.narrow}
    rows = []
    for name in best_variants_first(data, effects):
        own = effects.row(name, data.measures.main)
        count = f"{own.n} ({own.failed} failed)" if own.failed else str(own.n)
        cells: tuple[str, ...]
        if data.measures.is_ours:
            test = effects.row(name, "test/accuracy")
            cells = (count, percent(own.mean), percent(test.mean), effect_text(own))
        else:
            means = [own_mean(effects.row(name, metric.name).mean) for metric in _shown(data)]
            cells = (count, *means, effect_text(own, _shown(data)[0].unit))
        rows.append(Result(name, NARROW if name in narrow else "", cells))
    if majority := data.majority:
        shares = [f"{100 * majority.shares[part]:.2f}" if part in majority.shares else "-" for part in ("val", "test")]
        rows.append(Result(f"always {majority.name}", "", ("-", shares[0], shares[1], "-")))
    return rows


def remarks(data: StudyRuns, write: Write = escaped) -> list[str]:
    """Sentences below the table: variants that never predict some class, failed runs, and several processors."""
    narrow = narrow_text(data.narrow, write)
    lost = lost_runs(data.lost(data.variants), write)
    names = processors(data.provenances)
    mixed = f"{len(names)} kinds of processors made these runs ({write('; '.join(names))})"
    noise = "They round differently, which adds a little noise to differences between runs"
    return (
        [f"{NARROW} {narrow}."] * bool(narrow)
        + [f"Failed runs: {lost}."] * bool(lost)
        + [f"{mixed}. {noise}."] * (len(names) > 1)
    )
