"""Pages: a study's summary.md, and the front page over all studies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from runner.classnames import legend, numbered
from runner.report import diagnostics
from runner.report.answers import long_answer, short_answers, unjudged
from runner.report.factorial import Contrast
from runner.report.format import Write, counted, majority_text
from runner.report.makers import left_out_note, made_by, spent, spoilt_note
from runner.report.predictions import OnTest
from runner.report.results import remarks, results
from runner.report.runs import StudyRuns
from runner.report.verdicts import Verdict
from runner.spec import BASELINE
from runner.text import code, escaped, one_line, paragraph, table

_JUDGED = (
    "Supported or refuted: p at most .05 after Holm's correction over the study's questions that can be tested, the "
    "effect in the expected or in the opposite direction; otherwise undecided. Where one variant is compared with "
    "several, all must hold, so the question's p is the largest of theirs; against it one difference the other way is "
    "enough, its p times their number. Intervals are 95%, paired by seed, not adjusted. Signed-rank p: Wilcoxon's, "
    "where there are six differences that are not zero. Verdicts are about other seeds on these same validation or "
    "test images; other images add uncertainty (Diagnostics: other seeds, other test images)."
)

CAPTIONS = {
    "effects": "In green and red: better and worse than the baseline at .05 after Holm over the variants. Lines: 95% "
    "intervals, paired by seed, each for itself. n as in the table below.",
    "curves": "Accuracy: means over the seeds with 95% bands; a seed that stopped early keeps its last value, and each "
    "panel ends with its longest.",
    "losses": "Loss, likewise.",
    "levels": "Accuracy at the best epoch over the levels of a numeric setting, in equal steps, all else equal: means, "
    "and on validation 95% t intervals over the seeds, each for itself. Of more than six lines one alone is drawn.",
    "classes": "Means over the seeds, n as in the table above. Bold: the 95% interval, paired by seed and each for "
    "itself, leaves out 0, as it would for one cell in twenty by luck alone.",
    "confusion": "All seeds' test predictions together; a description, not tested. Right, unless it is the baseline: "
    "the variant with the highest validation accuracy. Blue is more often than with the baseline, red less; off the "
    "diagonal blue is worse.",
}
ALT = {
    "effects": "each variant's effect on validation accuracy, with its 95% interval",
    "curves": "accuracy over the epochs, on a fixed part of train and on validation, means with 95% bands",
    "losses": "loss over the epochs, on a fixed part of train and on validation, means with 95% bands",
    "levels": "accuracy at each level of a setting, on a fixed part of train and on validation, with 95% intervals",
    "classes": "each class's test accuracy, minus the baseline's",
    "confusion": "confusion on test, and how it differs from the baseline's",
}


@dataclass(frozen=True)
class StudyFindings:
    """Everything that a study's page says: judged, tested and drawn."""

    data: StudyRuns
    summary: pd.DataFrame  # one row a variant
    verdicts: Sequence[Verdict]
    contrasts: list[Contrast]
    tests: dict[str, OnTest]
    figures: dict[str, str]  # a figure's path in the report, by its name
    evaluated: str = ""  # the runs that were looked at closely, as Markdown


def study_page(found: StudyFindings) -> str:
    """A study's whole page, as Markdown for GitHub."""
    data, summary = found.data, found.summary
    parts = [f"# {escaped(title(data))}", _introduction(data), _what(data), _data_notes(data)]
    parts += [f"> {note}" for note in notes(data)]
    if found.verdicts:
        parts += ["## Answers", answers(found.verdicts)]
    parts += [_figure(found, "effects"), _section("Learning curves", _figure(found, "curves"))]
    parts += [_figure(found, "losses"), _section("Level by level", _figure(found, "levels"))]
    parts += ["## Results", _results(data, summary), *remarks(data), _small_print(summary)]
    if found.verdicts:
        parts += ["## Questions", _JUDGED]
        each = enumerate(found.verdicts, start=1)
        parts += [long_answer(verdict, number) for number, verdict in each if verdict.judged]
        parts += [unjudged(found.verdicts)]
    parts += [_section("Main effects and interactions", diagnostics.main_effects(found.contrasts))]
    parts += ["## Diagnostics", _section("Training", diagnostics.training(data, summary), 3)]
    parts += [_section("Each run's most accurate epoch", diagnostics.most_accurate(data), 3)]
    parts += [_section("Overfitting", diagnostics.overfitting(data), 3)]
    parts += [_section("Other seeds, other test images", diagnostics.on_test(found.tests), 3)]
    parts += [_section("Class by class", _figure(found, "classes"), 3)]
    parts += [_section("Confusion", _figure(found, "confusion"), 3), _legend(found)]
    parts += [_section("Symmetry", diagnostics.symmetric(summary), 3)]
    parts += [_section("Runs looked at closely", found.evaluated)]
    parts += [_section("What failed", _failures(data)), "## How it was made", _how(data)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _data_notes(data: StudyRuns) -> str:
    """How files became images, on one line."""
    said = escaped("; ".join(data.study.data_notes))
    return f"> Data: {said}." if said else ""


def notes(data: StudyRuns, write: Write = escaped) -> list[str]:
    """Which runs don't count, and why; and that accuracy says little about these data."""
    said = [left_out_note(len(data.left_out), "--retrain"), spoilt_note(data.corrupt)]
    if data.majority:
        said.append(
            f"The classes are imbalanced. {majority_text(data.majority, write)} accuracy: compare each accuracy "
            "with it, or ask about `val/balanced_accuracy` or `val/macro_f1`."
        )
    return [note for note in said if note]


def title(data: StudyRuns) -> str:
    """The study's one-line description, or its name."""
    return one_line(str(data.study.doc).strip().partition("\n")[0]) or str(data.study.name)


def _introduction(data: StudyRuns) -> str:
    """The paragraphs of the study's docstring, but for the title and how to run it."""
    paragraphs = re.split(r"\n\s*\n", data.study.doc.strip())[1:]
    return "\n\n".join(paragraph(text) for text in paragraphs if not text.startswith("Run:"))


def answers(verdicts: Sequence[Verdict]) -> str:
    """Each question's short answer, as a list in Markdown."""
    return "\n".join(f"- {line}" for line in short_answers(verdicts))


def _section(head: str, body: str, level: int = 2) -> str:
    return f"{'#' * level} {head}\n\n{body}" if body else ""


def _legend(found: StudyFindings) -> str:
    """Which class each number in the figures is, where no font can write the names."""
    classes = found.data.classes
    return (
        f"Classes: {legend(classes)}." if {"classes", "confusion"} & found.figures.keys() and numbered(classes) else ""
    )


def _figure(found: StudyFindings, name: str) -> str:
    return f"![{ALT[name]}]({found.figures[name]})\n\n*{CAPTIONS[name]}*" if name in found.figures else ""


def _what(data: StudyRuns) -> str:
    baseline = data.study.baseline
    seeds = data.runs["seed"].nunique()
    counts = data.images
    split = (
        f" ({counts['val']:,} validation and {counts['test']:,} test images, one split for all runs)"
        if counts.keys() >= {"val", "test"}
        else ""
    )
    return (
        f"{code(data.study.name)}: {counted(len(data.variants), 'variant')} x {counted(seeds, 'seed')} on "
        f"{escaped(baseline['dataset'])}{split}; "
        f"{(data.runs['status'] == 'finished').sum()} runs finished, {(data.runs['status'] == 'failed').sum()} failed."
    )


def _results(data: StudyRuns, summary: pd.DataFrame) -> str:
    rows = results(data, summary)
    names = [f"**{row.variant}**" if row.variant == BASELINE else escaped(row.variant) for row in rows]
    cells = [[name + row.mark, *row.cells] for name, row in zip(names, rows, strict=True)]
    heads = ["variant", "n", "validation accuracy, %", "test accuracy, %", "effect on validation accuracy, points"]
    return table(heads, cells)


def _small_print(summary: pd.DataFrame) -> str:
    return (
        "Validation and test are measured at the epoch of the lowest validation loss; test chose nothing. "
        "± and [ ] are 95% t intervals over the seeds, not adjusted for the number of variants; "
        "an effect is the variant minus the baseline, paired by seed."
        + ("" if (summary["n"] > 1).all() else " With one seed there is no interval, and no conclusion.")
    )


def _failures(data: StudyRuns) -> str:
    failed = data.runs[data.runs["status"] == "failed"]
    return "\n".join(
        f"- {escaped(row['variant'])}, seed {row['seed']}: {escaped(row['cause'])}" for _, row in failed.iterrows()
    )


def _how(data: StudyRuns) -> str:
    study, baseline = data.study, data.study.baseline
    lines = [
        f"Command: {code(study.command)} (study: {code(study.file)}); {spent(data.runs)}.",
        "",
    ]
    lines += made_by(data.provenances, data.left_out)
    settings = [[key, code(value)] for key, value in baseline.items()]
    changes = [
        [escaped(name), ", ".join(code(f"{key}={value}") for key, value in variant.changes.items())]
        for name, variant in study.variants.items()
        if name != BASELINE
    ]
    tables = (table(["setting", "baseline"], settings, names=2), table(["variant", "changes"], changes, names=2))
    return "\n\n".join(part for part in ("\n".join(lines), *tables) if part)
