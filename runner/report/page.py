"""Pages: a study's summary.md, and the front page over all studies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from runner.execute.progress import duration
from runner.report.answers import long_answer, short_answer
from runner.report.tables import StudyRuns
from runner.report.verdicts import Verdict
from runner.spec import BASELINE

_JUDGED = (
    "Supported or refuted: p at most .05 after Holm's correction over the study's questions, the effect in the "
    "expected or in the opposite direction; otherwise undecided. Where one variant is compared with several, all "
    "must hold. Intervals are 95%, paired by seed, not adjusted."
)


def percent(row: pd.Series[Any], metric: str) -> str:
    """A share with half its 95% interval, in percent."""
    return plus_minus(row[metric] * 100, row[f"{metric} low"] * 100, 2)


def plus_minus(estimate: float, low: float, digits: int) -> str:
    """A mean with half its 95% interval, as in 94.60 ± 0.41; the mean alone where there is none."""
    if math.isnan(estimate):
        return "-"
    half = f" ± {estimate - low:.{digits}f}" if math.isfinite(low) else ""
    return f"{estimate:.{digits}f}{half}"


def effect_text(row: pd.Series[Any], metric: str) -> str:
    """An effect in percentage points with its interval, as in +0.52 [+0.10, +0.94]."""
    estimate, low, high = (row[f"effect {metric}{end}"] * 100 for end in ("", " low", " high"))
    if math.isnan(estimate):
        return "-"
    return f"{estimate:+.2f}" + (f" [{low:+.2f}, {high:+.2f}]" if math.isfinite(low) else "")


def study_page(
    data: StudyRuns, table: pd.DataFrame, figures: list[tuple[str, str]], verdicts: Sequence[Verdict] = ()
) -> str:
    """A study's whole page, as Markdown for GitHub."""
    study = data.study
    title = study["doc"].partition("\n")[0]
    parts = [f"# {title or study['name']}", _what(data)]
    if verdicts:
        parts += ["## Answers", "\n".join(f"- {short_answer(verdict)}" for verdict in verdicts)]
    parts += [f"![{alt}]({path})" for path, alt in figures[:1]]
    parts += ["## Results", _results(table), _small_print(table)]
    parts += ["## Training", _training(table), *(f"![{alt}]({path})" for path, alt in figures[1:])]
    if verdicts:
        parts += ["## Questions", _JUDGED, *(long_answer(verdict, n) for n, verdict in enumerate(verdicts, start=1))]
    if symmetric := _symmetric(table):
        parts += ["## Symmetry", symmetric]
    if failures := _failures(data):
        parts += ["## What failed", failures]
    parts += ["## How it was made", _how(data)]
    return "\n\n".join(part for part in parts if part) + "\n"


def headline(table: pd.DataFrame) -> str:
    """One sentence: what the intervals say of each variant's validation accuracy."""
    better: list[str] = []
    worse: list[str] = []
    open_: list[str] = []
    for _, row in table[table["variant"] != BASELINE].iterrows():
        low, high = row["effect val/accuracy low"], row["effect val/accuracy high"]
        text = f"{row['variant']} ({row['effect val/accuracy'] * 100:+.2f})"
        (better if low > 0 else worse if high < 0 else open_).append(text)
    parts = []
    if better:
        parts.append("**better than the baseline:** " + ", ".join(better))
    if worse:
        parts.append("**worse:** " + ", ".join(worse))
    if open_:
        parts.append("**not told apart from it:** " + ", ".join(open_))
    return "; ".join(parts) + "." if parts else ""


def _what(data: StudyRuns) -> str:
    baseline = data.study["variants"][BASELINE]["settings"]
    seeds = data.runs["seed"].nunique()
    return (
        f"`{data.study['name']}`: {len(data.variants)} variants x {seeds} seeds on {baseline['dataset']}; "
        f"{(data.runs['status'] == 'finished').sum()} runs finished, {(data.runs['status'] == 'failed').sum()} failed."
    )


def _results(table: pd.DataFrame) -> str:
    lines = [
        "| variant | n | validation accuracy, % | test accuracy, % | effect on validation accuracy, points |",
        "|---|--:|--:|--:|--:|",
    ]
    for _, row in table.sort_values("val/accuracy", ascending=False).iterrows():
        name = f"**{row['variant']}**" if row["variant"] == BASELINE else row["variant"]
        accuracies = f"{percent(row, 'val/accuracy')} | {percent(row, 'test/accuracy')}"
        lines.append(f"| {name} | {row['n']} | {accuracies} | {effect_text(row, 'val/accuracy')} |")
    return "\n".join(lines)


def _small_print(table: pd.DataFrame) -> str:
    return (
        "Validation and test are measured at the epoch of the lowest validation loss; test chose nothing. "
        "± and [ ] are 95% t intervals over the seeds, not adjusted for the number of variants; "
        "an effect is the variant minus the baseline, paired by seed."
        + ("" if (table["n"] > 1).all() else " With one seed there is no interval, and no conclusion.")
    )


def _training(table: pd.DataFrame) -> str:
    lines = [
        "| variant | validation loss | test loss | best epoch | epochs | generalization gap, points | time a run |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for _, row in table.iterrows():
        cells = [
            row["variant"],
            plus_minus(row["val/loss"], row["val/loss low"], 4),
            plus_minus(row["test/loss"], row["test/loss low"], 4),
            plus_minus(row["best_epoch"], row["best_epoch low"], 1), plus_minus(row["epochs"], math.nan, 1),
            percent(row, "generalization_gap"), duration(row["seconds"]) if row["n"] else "-",
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _symmetric(table: pd.DataFrame) -> str:
    """Variants whose first layer is narrower than it looks: units that began alike and never parted."""
    lines = [
        f"- {row['variant']}: on average {row['distinct_units']:.0f} of the first layer's {row['units']:.0f} units "
        f"differ from one another at the best epoch (n = {row['n']}). Units that begin alike get the same gradients "
        "and stay alike."
        for _, row in table.iterrows()
        if row["distinct_units"] < row["units"] / 2
    ]
    return "\n".join(lines)


def _failures(data: StudyRuns) -> str:
    failed = data.runs[data.runs["status"] == "failed"]
    return "\n".join(f"- {row['variant']}, seed {row['seed']}: {row['cause']}" for _, row in failed.iterrows())


def _how(data: StudyRuns) -> str:
    study, baseline = data.study, data.study["variants"][BASELINE]["settings"]
    lines = [f"Command: `{study['command']}` (study: `{study['file']}`)", ""]
    kinds: list[dict[str, Any]] = []
    for provenance in data.provenances:
        if provenance not in kinds:
            kinds.append(provenance)
    if len(kinds) > 1:
        lines += [
            f"> These runs were made by {len(kinds)} different states of code, data or versions; "
            "`--retrain` makes them anew.",
            "",
        ]
    for kind in kinds:
        versions = ", ".join(f"{name} {version}" for name, version in kind["versions"].items() if version)
        lines.append(
            f"- commit {kind['commit'] or 'unknown'}, code {kind['code']}, data {kind['data']}, {kind['machine']}, "
            f"{kind['device']}, {kind['threads']} thread a worker; {versions}"
        )
    lines += ["", "| setting | baseline |", "|---|---|", *(f"| {key} | `{value}` |" for key, value in baseline.items())]
    lines += ["", "| variant | changes |", "|---|---|"]
    lines += [
        f"| {name} | {', '.join(f'`{k}={v}`' for k, v in variant['changes'].items())} |"
        for name, variant in study["variants"].items()
        if name != BASELINE
    ]
    return "\n".join(lines)


def front_page(studies: list[tuple[str, str, str, str | None]]) -> str:
    """Every study: its folder, its title, its headline, its effect figure where there is one."""
    parts = ["# Ablations", "Each study's answers in short; its page has the tables, the curves and how it was made."]
    for name, title, line, figure in studies:
        parts += [f"## [{title or name}]({name}/summary.md)", f"`{name}`: {line}" if line else f"`{name}`"]
        if figure:
            parts.append(f"[![effects]({name}/{figure})]({name}/summary.md)")
    if not studies:
        parts.append("There are no studies yet: `make ablations` makes one.")
    return "\n\n".join(parts) + "\n"


def read_front(folder: Path) -> tuple[str, str, str, str | None]:
    """A study's entry on the front page, from its folder alone."""
    title = (folder / "summary.md").read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
    table = pd.read_csv(folder / "summary.csv")
    figure = "figures/effects.png" if (folder / "figures" / "effects.png").exists() else None
    return folder.name, title, headline(table), figure
