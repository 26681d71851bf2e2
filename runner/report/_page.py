"""Writes a study's page, summary.md, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from runner.classnames import legend, numbered
from runner.report import _diagnostics as diagnostics
from runner.report._answers import short_answers, unjudged
from runner.report._factorial import Contrast
from runner.report._format import Write, majority_text
from runner.report._looks import looks, unplanned
from runner.report._makers import corrupt_note, made_by, not_counted_note, spent
from runner.report._phrases import best_epoch
from runner.report._predictions import OnTest
from runner.report._results import own_heads, remarks, results
from runner.report._sections import long_answer
from runner.report._shown import not_shown
from runner.report._texts import (
    ALT,
    ALT_OF_OWN,
    CAPTIONS,
    CAPTIONS_OF_OWN,
    EFFECTS_OF_QUESTIONS,
    FIXED,
    JUDGED,
    JUDGED_OF_OWN,
    REDRAWN,
    SEQUENTIAL,
)
from runner.spec import BASELINE
from runner.store import FAILED
from runner.text import code, counted, escaped, one_line, paragraph, table
from runner.verdicts import EffectsTable, StudyRuns, Verdict


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
        judged = JUDGED if data.measures.is_ours else JUDGED_OF_OWN
        parts += ["## Questions", judged, _intervals(data), _section("The looks", looks(data, found.verdicts), 3)]
        each = enumerate(found.verdicts, start=1)
        parts += [long_answer(verdict, number) for number, verdict in each if verdict.judged]
        parts += [unjudged(found.verdicts)]
    main = data.measures.table[data.measures.main]
    parts += [_section("Main effects and interactions", diagnostics.main_effects(found.contrasts, main))]
    parts += _diagnostics(found) if data.measures.is_ours else []
    parts += [_section("Evaluated runs", found.evaluated)]
    parts += [_section("What failed", _failures(data)), "## How it was made", _how(data)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _diagnostics(found: StudyFindings) -> list[str]:
    """What the runner's own training shows of each run."""
    data, effects = found.data, found.effects
    parts = ["## Diagnostics", _section("Training", diagnostics.training(data, effects), 3)]
    parts += [_section("Each run's most accurate epoch", diagnostics.most_accurate(data), 3)]
    parts += [_section("Overfitting", diagnostics.overfitting(data), 3)]
    parts += [_section("New seeds, new test images", diagnostics.on_test(found.tests), 3)]
    parts += [_section("Class by class", _figure(found, "classes"), 3)]
    parts += [_section("Confusion", _figure(found, "confusion"), 3), _legend(found)]
    return [*parts, _section("Symmetry", diagnostics.symmetric(effects), 3)]


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
    is_ours = found.data.measures.is_ours
    captions, alt = (CAPTIONS, ALT) if is_ours else (CAPTIONS | CAPTIONS_OF_OWN, ALT | ALT_OF_OWN)
    caption = EFFECTS_OF_QUESTIONS if name == "effects" and found.data.is_sequential else captions[name]
    caption = " ".join(filter(None, (caption, not_shown(name, found.data, found.effects))))
    return f"![{alt[name]}]({found.figures[name]})\n\n*{caption}*"


def _intervals(data: StudyRuns) -> str:
    plan = data.plan
    redrawn = f" {REDRAWN}" if data.redraws(data.study.variants) else ""
    if not plan or not plan.is_sequential:
        return FIXED + redrawn
    *others, last = map(str, plan.looks)
    return SEQUENTIAL.format(looks=f"{', '.join(others)} and {last}", most=last) + redrawn


def _what(data: StudyRuns) -> str:
    baseline = data.study.baseline
    least, most = (int(n) for n in data.runs.groupby("variant")["seed"].nunique().agg(["min", "max"]).fillna(0))
    seeds = counted(most, "seed") if least == most else f"{least} to {most} seeds"
    counts = data.images
    redrawn = data.redraws(data.study.variants)
    split = "validation and train redrawn with the seed" if redrawn else "the same split for every run"
    parts = (
        f" ({counts['val']:,} validation and {counts['test']:,} test images, {split})"
        if counts.keys() >= {"val", "test"}
        else ""
    )
    on = f" on {escaped(baseline['dataset'])}{parts}" if data.measures.is_ours else ""
    return (
        f"{code(data.study.name)}: {counted(len(data.variants), 'variant')} x {seeds}{on}. "
        f"{(data.runs['status'] == 'finished').sum()} runs finished, {(data.runs['status'] == 'failed').sum()} failed."
    )


def _results(data: StudyRuns, effects: EffectsTable) -> str:
    rows = results(data, effects)
    names = [f"**{row.variant}**" if row.variant == BASELINE else escaped(row.variant) for row in rows]
    cells = [[name + row.mark, *row.cells] for name, row in zip(names, rows, strict=True)]
    heads = ["variant", "n", "validation accuracy, %", "test accuracy, %", "effect on validation accuracy, points"]
    return table(heads if data.measures.is_ours else own_heads(data, code), cells)


def _small_print(data: StudyRuns, effects: EffectsTable) -> str:
    asked = (
        " Means are over all seeds of a variant. An effect that a question is about is the question's: over the seeds "
        "of the look that decided it, with its interval. The other effects are over the seeds of the first look."
        if data.is_sequential
        else ""
    )
    at = (
        f"Validation and test accuracy are measured at {best_epoch(data.study)}. Test data choose nothing."
        if data.measures.is_ours
        else _measured(data)
    )
    return (
        f"{at} ± and [ ] are 95% t intervals over the seeds, not corrected for the number of variants. "
        f"An effect is the variant minus the baseline, paired by seed.{asked}"
        + (" With one seed there is no interval and no conclusion." if any(row.n == 1 for row in effects.rows) else "")
    )


def _measured(data: StudyRuns) -> str:
    """At which step a run of your own training is measured."""
    where, monitor = data.study.adopted.get("at", ""), data.study.monitor
    if where == "table":
        return "Values are those of the table."
    best = where.removeprefix("best:") if where.startswith("best:") else "" if where else monitor
    if best:
        return f"Values are those at the best step of {code(best)}."
    return f"Values are those at step {where}." if where.isdecimal() else "Values are those at a run's last step."


def _failures(data: StudyRuns) -> str:
    failed = data.runs[data.runs["status"] == FAILED]
    return "\n".join(
        f"- {escaped(row['variant'])}, seed {row['seed']}: {escaped(row['cause'])}" for _, row in failed.iterrows()
    )


def _how(data: StudyRuns) -> str:
    study, baseline = data.study, data.study.baseline
    file = f" (study: {code(study.file)})" if study.file else ""
    lines = [
        f"Command: {code(study.command)}{file}. {spent(data.runs)}.",
        "",
    ]
    lines += made_by(data.provenances, data.not_counted)
    settings = [[key if data.measures.is_ours else escaped(key), code(value)] for key, value in baseline.items()]
    changes = [
        [escaped(name), ", ".join(code(f"{key}={value}") for key, value in variant.changes.items())]
        for name, variant in study.variants.items()
        if name != BASELINE
    ]
    tables = (table(["setting", "baseline"], settings, names=2), table(["variant", "changes"], changes, names=2))
    return "\n\n".join(part for part in ("\n".join(lines), *tables) if part)
