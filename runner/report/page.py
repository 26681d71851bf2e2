"""Pages: a study's summary.md, and the front page over all studies."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from runner.report import diagnostics
from runner.report.answers import long_answer, short_answer
from runner.report.factorial import Contrast
from runner.report.makers import left_out_note, made_by, spent, spoilt_note
from runner.report.predictions import OnTest
from runner.report.runs import StudyRuns
from runner.report.verdicts import Verdict
from runner.report.words import counted, effect_text, percent, points
from runner.spec import BASELINE
from runner.stats import ALPHA, holm
from runner.text import table

_JUDGED = (
    "Supported or refuted: p at most .05 after Holm's correction over the study's questions that can be tested, the "
    "effect in the expected or in the opposite direction; otherwise undecided. Where one variant is compared with "
    "several, all must hold, so the question's p is the largest of theirs; against it one difference the other way is "
    "enough, its p times their number. Intervals are 95%, paired by seed, not adjusted. Signed-rank p: Wilcoxon's, "
    "where there are six differences that are not zero. Verdicts are about other seeds on these same validation or "
    "test images; other images add uncertainty (Diagnostics: other seeds, other test images)."
)

RUNS_TABLE = "runs.csv"  # a row a run, of a study and of a search
EFFECTS_TABLE = "summary.csv"  # a row a variant and metric, of a study alone
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
class Findings:
    """Everything that a study's page says: judged, tested and drawn."""

    data: StudyRuns
    summary: pd.DataFrame  # one row a variant
    verdicts: Sequence[Verdict]
    contrasts: list[Contrast]
    tests: dict[str, OnTest]
    figures: dict[str, str]  # a figure's path in the report, by its name
    evaluated: str = ""  # the runs that were looked at closely, as Markdown


def study_page(found: Findings) -> str:
    """A study's whole page, as Markdown for GitHub."""
    data, summary = found.data, found.summary
    parts = [f"# {title(data)}", _introduction(data), _what(data), *(f"> {note}" for note in notes(data))]
    if found.verdicts:
        parts += ["## Answers", answers(found.verdicts)]
    parts += [_figure(found, "effects"), _section("Learning curves", _figure(found, "curves"))]
    parts += [_figure(found, "losses"), _section("Level by level", _figure(found, "levels"))]
    parts += ["## Results", _results(summary), _small_print(summary)]
    if found.verdicts:
        parts += ["## Questions", _JUDGED]
        parts += [long_answer(verdict, number) for number, verdict in enumerate(found.verdicts, start=1)]
    parts += [_section("Main effects and interactions", diagnostics.main_effects(found.contrasts))]
    parts += ["## Diagnostics", _section("Training", diagnostics.training(data, summary), 3)]
    parts += [_section("Each run's most accurate epoch", diagnostics.most_accurate(data), 3)]
    parts += [_section("Overfitting", diagnostics.overfitting(data), 3)]
    parts += [_section("Other seeds, other test images", diagnostics.on_test(found.tests), 3)]
    parts += [_section("Class by class", _figure(found, "classes"), 3)]
    parts += [_section("Confusion", _figure(found, "confusion"), 3)]
    parts += [_section("Symmetry", diagnostics.symmetric(summary), 3)]
    parts += [_section("Runs looked at closely", found.evaluated)]
    parts += [_section("What failed", _failures(data)), "## How it was made", _how(data)]
    return "\n\n".join(part for part in parts if part) + "\n"


def notes(data: StudyRuns) -> list[str]:
    """Which runs don't count, and why."""
    said = [left_out_note(len(data.left_out), "--retrain"), spoilt_note(data.spoilt)]
    return [note for note in said if note]


def title(data: StudyRuns) -> str:
    """The study's one-line description, or its name."""
    return str(data.study["doc"].partition("\n")[0] or data.study["name"])


def _introduction(data: StudyRuns) -> str:
    """The paragraphs of the study's docstring, but for the title and how to run it."""
    paragraphs = re.split(r"\n\s*\n", data.study["doc"].strip())[1:]
    return "\n\n".join(text for text in paragraphs if not text.startswith("Run:"))


def answers(verdicts: Sequence[Verdict]) -> str:
    """Each question's short answer, as a list in Markdown."""
    return "\n".join(f"- {short_answer(verdict)}" for verdict in verdicts)


def _section(head: str, body: str, level: int = 2) -> str:
    return f"{'#' * level} {head}\n\n{body}" if body else ""


def _figure(found: Findings, name: str) -> str:
    return f"![{ALT[name]}]({found.figures[name]})\n\n*{CAPTIONS[name]}*" if name in found.figures else ""


def headline(effects: pd.DataFrame) -> str:
    """One sentence: which variants' validation accuracy differs from the baseline's (rows of summary.csv), at .05
    after Holm's correction over the variants."""
    rows = effects[effects["variant"] != BASELINE]
    better, worse, level = (f"{how} the baseline" for how in ("better than", "worse than", "not told apart from"))
    told: dict[str, list[str]] = {better: [], worse: [], level: []}
    for (_, row), p in zip(rows.iterrows(), holm(rows["effect p"].tolist()), strict=True):
        side = level if not p <= ALPHA else better if row["effect"] > 0 else worse
        size = points(row["effect"], row["effect low"], row["effect high"])
        alike = " in every seed" if row.get("effect n", 0) > 1 and math.isnan(row["effect low"]) else ""
        told[side].append(f"{row['variant']} ({size}{alike})")
    parts = [f"**{side}:** {', '.join(names)}" for side, names in told.items() if names]
    counts = sorted(set(rows.get("effect n", rows["n"]).astype(int)))
    seeds = f"n = {' to '.join(map(str, dict.fromkeys((counts[0], counts[-1]))))} seeds" if counts else ""
    small = f"points of validation accuracy with 95% intervals, {seeds}; told apart at .05 after Holm over the variants"
    return f"{'; '.join(parts)} ({small})." if parts else ""


def _what(data: StudyRuns) -> str:
    baseline = data.study["variants"][BASELINE]["settings"]
    seeds = data.runs["seed"].nunique()
    counts = data.images
    split = (
        f" ({counts['val']:,} validation and {counts['test']:,} test images, one split for all runs)"
        if counts.keys() >= {"val", "test"}
        else ""
    )
    return (
        f"`{data.study['name']}`: {counted(len(data.variants), 'variant')} x {counted(seeds, 'seed')} on "
        f"{baseline['dataset']}{split}; "
        f"{(data.runs['status'] == 'finished').sum()} runs finished, {(data.runs['status'] == 'failed').sum()} failed."
    )


def _results(summary: pd.DataFrame) -> str:
    rows = [
        [
            f"**{row['variant']}**" if row["variant"] == BASELINE else row["variant"],
            str(row["n"]),
            percent(row, "val/accuracy"),
            percent(row, "test/accuracy"),
            effect_text(row, "val/accuracy"),
        ]
        for _, row in summary.sort_values("val/accuracy", ascending=False).iterrows()
    ]
    heads = ["variant", "n", "validation accuracy, %", "test accuracy, %", "effect on validation accuracy, points"]
    return table(heads, rows)


def _small_print(summary: pd.DataFrame) -> str:
    return (
        "Validation and test are measured at the epoch of the lowest validation loss; test chose nothing. "
        "± and [ ] are 95% t intervals over the seeds, not adjusted for the number of variants; "
        "an effect is the variant minus the baseline, paired by seed."
        + ("" if (summary["n"] > 1).all() else " With one seed there is no interval, and no conclusion.")
    )


def _failures(data: StudyRuns) -> str:
    failed = data.runs[data.runs["status"] == "failed"]
    return "\n".join(f"- {row['variant']}, seed {row['seed']}: {row['cause']}" for _, row in failed.iterrows())


def _how(data: StudyRuns) -> str:
    study, baseline = data.study, data.study["variants"][BASELINE]["settings"]
    lines = [
        f"Command: `{study['command']}` (study: `{study['file']}`); {spent(data.runs)}.",
        "",
    ]
    lines += made_by(data.provenances, data.left_out)
    settings = [[key, f"`{value}`"] for key, value in baseline.items()]
    changes = [
        [name, ", ".join(f"`{key}={value}`" for key, value in variant["changes"].items())]
        for name, variant in study["variants"].items()
        if name != BASELINE
    ]
    tables = (table(["setting", "baseline"], settings, names=2), table(["variant", "changes"], changes, names=2))
    return "\n\n".join(part for part in ("\n".join(lines), *tables) if part)


@dataclass(frozen=True)
class Entry:
    """A study or search on the front page."""

    name: str
    title: str
    headline: str
    answers: str
    figure: str | None


def front_page(studies: list[Entry]) -> str:
    """Every study: its folder, its title, its headline, its answers, its effect figure where there is one."""
    parts = ["# Ablations", "Each study's answers in short; its page has the tables, the curves and how it was made."]
    for study in studies:
        place = quote(study.name)
        link = f"{place}/summary.md"
        head = study.name if study.title in ("", study.name) else f"{study.name}: {study.title}"
        parts += [f"## [{head}]({link})", study.headline]
        parts += [study.answers] if study.answers else []
        if study.figure:
            parts.append(f"[![{Path(study.figure).stem}]({place}/{study.figure})]({link})")
    if not studies:
        parts.append("There are no studies yet: `make ablations` makes one.")
    return "\n\n".join(part for part in parts if part) + "\n"


def read_front(folder: Path) -> Entry:
    """A study's entry on the front page, from its folder alone."""
    page = (folder / "summary.md").read_text(encoding="utf-8")
    head = page.partition("\n")[0].removeprefix("# ")
    if not (folder / EFFECTS_TABLE).exists():  # a search, which says its headline first
        figure = "figures/progress.png" if (folder / "figures" / "progress.png").exists() else None
        return Entry(folder.name, head, page.split("\n\n")[1], "", figure)
    found = re.search(r"^## Answers\n\n(.*?)\n\n", page, re.DOTALL | re.MULTILINE)
    summary = pd.read_csv(folder / EFFECTS_TABLE, keep_default_na=False, na_values=[""])  # a variant may be called nan
    figure = "figures/effects.png" if (folder / "figures" / "effects.png").exists() else None
    tidy = "metric" in summary  # a table of an older form has no headline until its report is made anew
    line = headline(summary[summary["metric"] == "val/accuracy"]) if tidy else ""
    return Entry(folder.name, head, line, found[1] if found else "", figure)
