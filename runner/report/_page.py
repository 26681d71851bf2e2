"""Writes a study's page, summary.md, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runner.classnames import legend, numbered
from runner.report import _diagnostics as diagnostics
from runner.report._answers import short_answers, unjudged
from runner.report._factorial import Contrast
from runner.report._format import Write, counted, majority_text
from runner.report._looks import looks, unplanned
from runner.report._makers import corrupt_note, made_by, not_counted_note, spent
from runner.report._predictions import OnTest
from runner.report._results import remarks, results
from runner.report._sections import long_answer
from runner.spec import BASELINE
from runner.store import FAILED
from runner.text import code, escaped, one_line, paragraph, table
from runner.verdicts import EffectsTable, StudyRuns, Verdict

_JUDGED = (
    "Each question has two p-values: that there is a difference, and, where it names the smallest difference that "
    "matters, that the true one is smaller (two one-sided tests). Each p is corrected by Holm over the study's "
    "questions, in a family of its own. *Supported*: the corrected p of a difference is at most .05, and the effect "
    "has the expected direction. *Refuted*: it has the opposite direction. *Practically equivalent*: no difference is "
    "decided, and the corrected p that it is too small to matter is at most .05. *Undecided*: neither. Yes and no are "
    "about zero; a separate sentence says whether the difference is shown to be as large as what matters.\n\n"
    "Where one variant is compared with several, the claim needs every comparison to be significant, so the question's "
    "p is the largest of their p-values. If some effects have the opposite direction, p is the smallest p-value of "
    "these times the number of comparisons (Bonferroni), and the question leans to refuted. The signed-rank p is "
    "Wilcoxon's and needs six differences that are not zero (-: too few). The correlation is that of the paired values "
    "over the seeds: where it is high, pairing makes the interval narrower.\n\n"
    "Verdicts are about new seeds on the same validation or test images, unless a question asks about new ones. An "
    "answer about an accuracy says whether its interval would hold with other images too: seeds and images then both "
    "count as random (a crossed design)."
)
_FIXED = "Intervals are 95%, paired by seed, not corrected for the number of questions."
_SEQUENTIAL = (
    "The runner looked after {looks} seeds. Each look may spend a share of the 5%: its share of all seeds, so looking "
    "often makes no false answers. p is the smallest over the looks, each divided by its look's share. Intervals are "
    "those of the look that decided the question, or of its last look. They are wider than 95%, so that all intervals "
    "of a question, at all looks, contain the truth in 95% of studies."
)

CAPTIONS = {
    "effects": "Green is significantly better than the baseline, red significantly worse, grey not significant: p at "
    "most .05 after Holm correction over the variants. Lines are 95% intervals, paired by seed, not corrected. The "
    "table of results gives n. These comparisons are a family of their own beside the questions. Each family errs in "
    "at most 5% of studies, so one of the two errs in at most 10%.",
    "curves": "Accuracy: the mean over the seeds with a 95% band. A seed that stopped early keeps its last value. Each "
    "panel ends with its longest run.",
    "losses": "Loss, drawn like accuracy above.",
    "levels": "Accuracy at the best epoch for each level of a numeric setting, with all other settings equal. Levels "
    "are drawn in equal steps. Points are means; bars are 95% t intervals over the seeds on validation, not corrected. "
    "Of more than six lines only one is drawn.",
    "classes": "Means over the seeds; the table above gives n. Bold: the 95% interval, paired by seed and not "
    "corrected, excludes 0. By chance alone one cell in twenty would be bold. A difference that is equal in all seeds "
    "has no interval.",
    "confusion": "Predictions on test images, all seeds pooled, without a significance test. Left: the baseline. "
    "Right: the variant with the highest validation accuracy minus the baseline, where that is another variant. Blue "
    "means more often than with the baseline, red less often. Off the diagonal, blue is worse.",
}
_EFFECTS_OF_QUESTIONS = (
    "Green is better than the baseline, red worse: a question about this difference is decided so. Grey is undecided, "
    "or no question compares the two. Lines are the intervals of the questions. Where no question asks, they are 95% "
    "intervals over the seeds of the first look."
)
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
    effects: EffectsTable
    verdicts: Sequence[Verdict]
    contrasts: list[Contrast]
    tests: dict[str, OnTest]
    figures: dict[str, str]  # a figure's path in the report, by its name
    evaluated: str = ""  # the evaluated runs, as Markdown


def study_page(found: StudyFindings) -> str:
    """A study's whole page, as Markdown for GitHub."""
    data, effects = found.data, found.effects
    parts = [f"# {escaped(title(data))}", _introduction(data), _what(data), _data_notes(data)]
    parts += [f"> {note}" for note in notes(data)]
    if found.verdicts:
        parts += ["## Answers", answers(found.verdicts)]
    parts += [_figure(found, "effects"), _section("Learning curves", _figure(found, "curves"))]
    parts += [_figure(found, "losses"), _section("Level by level", _figure(found, "levels"))]
    parts += ["## Results", _results(data, effects), *remarks(data), _small_print(data, effects)]
    if found.verdicts:
        parts += ["## Questions", _JUDGED, _intervals(data), _section("The looks", looks(data, found.verdicts), 3)]
        each = enumerate(found.verdicts, start=1)
        parts += [long_answer(verdict, number) for number, verdict in each if verdict.judged]
        parts += [unjudged(found.verdicts)]
    parts += [_section("Main effects and interactions", diagnostics.main_effects(found.contrasts))]
    parts += ["## Diagnostics", _section("Training", diagnostics.training(data, effects), 3)]
    parts += [_section("Each run's most accurate epoch", diagnostics.most_accurate(data), 3)]
    parts += [_section("Overfitting", diagnostics.overfitting(data), 3)]
    parts += [_section("New seeds, new test images", diagnostics.on_test(found.tests), 3)]
    parts += [_section("Class by class", _figure(found, "classes"), 3)]
    parts += [_section("Confusion", _figure(found, "confusion"), 3), _legend(found)]
    parts += [_section("Symmetry", diagnostics.symmetric(effects), 3)]
    parts += [_section("Evaluated runs", found.evaluated)]
    parts += [_section("What failed", _failures(data)), "## How it was made", _how(data)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _data_notes(data: StudyRuns) -> str:
    """How files became images, on one line."""
    said = escaped("; ".join(data.study.data_notes))
    return f"> Data: {said}." if said else ""


def notes(data: StudyRuns, write: Write = escaped) -> list[str]:
    """Which runs don't count, and why; and that accuracy says little about these data."""
    said = [not_counted_note(len(data.not_counted), "--retrain"), corrupt_note(data.corrupt), unplanned(data)]
    if data.majority:
        said.append(
            f"The classes are imbalanced. {majority_text(data.majority, write)} accuracy. Compare each accuracy with "
            "that, or ask about `val/balanced_accuracy` or `val/macro_f1`."
        )
    return [note for note in said if note]


def title(data: StudyRuns) -> str:
    """The study's one-line description, or its name."""
    return one_line(str(data.study.doc).strip().partition("\n")[0]) or str(data.study.name)


def _introduction(data: StudyRuns) -> str:
    """The paragraphs of the study's docstring, except the title and how to run it."""
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
    if name not in found.figures:
        return ""
    caption = _EFFECTS_OF_QUESTIONS if name == "effects" and found.data.is_sequential else CAPTIONS[name]
    return f"![{ALT[name]}]({found.figures[name]})\n\n*{caption}*"


def _intervals(data: StudyRuns) -> str:
    plan = data.plan
    if not plan or not plan.is_sequential:
        return _FIXED
    *others, last = map(str, plan.looks)
    return _SEQUENTIAL.format(looks=f"{', '.join(others)} and {last}")


def _what(data: StudyRuns) -> str:
    baseline = data.study.baseline
    least, most = (int(n) for n in data.runs.groupby("variant")["seed"].nunique().agg(["min", "max"]).fillna(0))
    seeds = counted(most, "seed") if least == most else f"{least} to {most} seeds"
    counts = data.images
    split = (
        f" ({counts['val']:,} validation and {counts['test']:,} test images, the same split for every run)"
        if counts.keys() >= {"val", "test"}
        else ""
    )
    return (
        f"{code(data.study.name)}: {counted(len(data.variants), 'variant')} x {seeds} on "
        f"{escaped(baseline['dataset'])}{split}. "
        f"{(data.runs['status'] == 'finished').sum()} runs finished, {(data.runs['status'] == 'failed').sum()} failed."
    )


def _results(data: StudyRuns, effects: EffectsTable) -> str:
    rows = results(data, effects)
    names = [f"**{row.variant}**" if row.variant == BASELINE else escaped(row.variant) for row in rows]
    cells = [[name + row.mark, *row.cells] for name, row in zip(names, rows, strict=True)]
    heads = ["variant", "n", "validation accuracy, %", "test accuracy, %", "effect on validation accuracy, points"]
    return table(heads, cells)


def _small_print(data: StudyRuns, effects: EffectsTable) -> str:
    asked = (
        " An effect that a question is about has the question's interval; the others are over the seeds of the first "
        "look."
        if data.is_sequential
        else ""
    )
    return (
        "Validation and test accuracy are measured at the epoch of the lowest validation loss. Test data choose "
        "nothing. ± and [ ] are 95% t intervals over the seeds, not corrected for the number of variants. "
        f"An effect is the variant minus the baseline, paired by seed.{asked}"
        + (" With one seed there is no interval and no conclusion." if any(row.n == 1 for row in effects.rows) else "")
    )


def _failures(data: StudyRuns) -> str:
    failed = data.runs[data.runs["status"] == FAILED]
    return "\n".join(
        f"- {escaped(row['variant'])}, seed {row['seed']}: {escaped(row['cause'])}" for _, row in failed.iterrows()
    )


def _how(data: StudyRuns) -> str:
    study, baseline = data.study, data.study.baseline
    lines = [
        f"Command: {code(study.command)} (study: {code(study.file)}). {spent(data.runs)}.",
        "",
    ]
    lines += made_by(data.provenances, data.not_counted)
    settings = [[key, code(value)] for key, value in baseline.items()]
    changes = [
        [escaped(name), ", ".join(code(f"{key}={value}") for key, value in variant.changes.items())]
        for name, variant in study.variants.items()
        if name != BASELINE
    ]
    tables = (table(["setting", "baseline"], settings, names=2), table(["variant", "changes"], changes, names=2))
    return "\n\n".join(part for part in ("\n".join(lines), *tables) if part)
