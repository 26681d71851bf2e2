"""The front page over all reports, from what each report's folder says of itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import quote

import pydantic

from runner.files import read_json, write_json
from runner.metrics import METRICS, Metric, Unit
from runner.report._format import difference_text, majority_text
from runner.sheets import read_sheet
from runner.spec import BASELINE
from runner.stats import ALPHA, benjamini_hochberg
from runner.text import code, counted, escaped, link, one_line
from runner.typed import command
from runner.verdicts import BETTER_THAN, SAME_AS, WORSE_THAN, EffectRow, Majority, effects_in

EFFECTS_TABLE = "summary.csv"  # a row a variant and metric, of a study alone
RUNS_TABLE = "runs.csv"  # a row a run, of a study and of a search
FRONT = "front.json"
_UNASKED = "unasked"
_UNCONFIRMED = "‡"  # marks a decided answer that the correction over the page does not confirm
_FIGURES = ("figures/effects.png", "figures/progress.png")  # a study's, a search's


@dataclass(frozen=True)
class Entry:
    """A study or search on the front page. `headline` and `answers` are lines of Markdown, the others are text."""

    name: str
    title: str
    headline: str
    answers: tuple[str, ...] = ()
    figure: str = ""  # its path in the report's folder
    p: tuple[float | None, ...] = ()  # of each answer, before any correction; None where there is no test
    decided: tuple[bool, ...] = ()  # whether each answer is yes, no or practically equivalent


def headline(
    rows: Sequence[EffectRow],
    majority: Majority | None = None,
    sequential: bool = False,
    metric: Metric = METRICS["val/accuracy"],
) -> str:
    """One sentence: which variants differ from the baseline in a metric; `rows` are that metric's.

    `sequential`: seeds were added where a question was open, and only questions decide.
    """
    without = [row for row in rows if row.variant != BASELINE and not row.n]
    there = [row for row in rows if row.variant != BASELINE and row.n]
    heads = {
        BETTER_THAN: "better than the baseline",
        WORSE_THAN: "worse than the baseline",
        SAME_AS: "no significant difference",
        _UNASKED: "no question asks",
    }
    named_by: dict[str, list[str]] = {side: [] for side in heads}
    for row in there:
        alike = " in every seed" if row.effect.n > 1 and math.isnan(row.effect.low) else ""
        lost = f"; {row.failed} failed" if row.failed else ""
        side = _UNASKED if sequential and math.isnan(row.adjusted) else row.side
        named_by[side].append(f"{escaped(row.variant)} ({difference_text(row.effect, metric.unit)}{alike}{lost})")
    parts = [f"**{heads[side]}:** {', '.join(names)}" for side, names in named_by.items() if names]
    counts = sorted({row.effect.n for row in there})
    seeds = f"n = {_range(counts[0], counts[-1])}" if counts else ""
    if without:
        named = [f"{escaped(row.variant)} ({row.failed} failed)" for row in without]
        parts.append(f"**no finished run:** {', '.join(named)}")
    test = "significant: p at most .05 after Holm correction over the variants"
    intervals = "95% intervals"
    if sequential:
        test, intervals = "better or worse: a question about this difference says so", "intervals"
    what = f"points of {metric.label}" if metric.unit is Unit.SHARE else code(metric.label)
    small = f"{what} with {intervals}, {seeds}; {test}"
    imbalance = f" {majority_text(majority)} accuracy." if majority else ""
    return f"{'; '.join(parts)} ({small}).{imbalance}" if parts else ""


def _range(least: int, most: int) -> str:
    return counted(most, "seed") if least == most else f"{least} to {most} seeds"


def front_page(entries: Sequence[Entry]) -> str:
    """Every report: its folder, title, headline and answers, and its figure where there is one."""
    marks = _marked(entries)
    parts = [
        "# Ablations",
        "The short answers of each study. Its own page has the tables, the curves and how it was made.",
        _errors(entries, marks),
    ]
    for entry in entries:
        place = quote(entry.name)
        page = f"{place}/summary.md"
        head = entry.name if entry.title in ("", entry.name) else f"{entry.name}: {entry.title}"
        parts += [f"## {link(head, page)}", one_line(entry.headline)]
        marked = [f"{one_line(answer)}{marks.get((entry.name, n), '')}" for n, answer in enumerate(entry.answers)]
        parts.append("\n".join(f"- {line}" for line in marked))
        if entry.figure:
            parts.append(f"[![{Path(entry.figure).stem}]({place}/{entry.figure})]({page})")
    if not entries:
        parts.append(f"There are no studies yet. `{command('run', make='make ablations')}` trains one.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _marked(entries: Sequence[Entry]) -> dict[tuple[str, int], str]:
    """The decided answers that Benjamini & Hochberg's correction over all questions of the page does not confirm."""
    tested = [(entry, n, p) for entry in entries for n, p in enumerate(entry.p) if p is not None and math.isfinite(p)]
    adjusted = benjamini_hochberg([p for _, _, p in tested])
    return {
        (entry.name, n): f" {_UNCONFIRMED}"
        for (entry, n, _), p in zip(tested, adjusted, strict=True)
        if p > ALPHA and n < len(entry.decided) and entry.decided[n]
    }


def _errors(entries: Sequence[Entry], marks: Mapping[tuple[str, int], str]) -> str:
    """How many of the page's studies may have a false verdict, and what the marks mean. Empty without questions."""
    asking = [entry for entry in entries if any(p is not None for p in entry.p)]
    if not asking:
        return ""
    questions = sum(p is not None for entry in asking for p in entry.p)
    have = "1 study here has" if len(asking) == 1 else f"{len(asking)} studies here have"
    said = (
        "In a study the chance of any false yes or no is at most 5%, if the assumptions of its t tests hold. "
        f"{have} tested questions; on average at most {ALPHA * len(asking):.2g} of them contain one. "
        'False "practically equivalent" answers have another 5%, and so have the variants in a headline. Exploratory '
        "answers do not count."
    )
    confirmed = "Every decided answer also holds" if not marks else f"{_UNCONFIRMED}: holds in its study, but not"
    counts = counted(questions, "question")
    return f"{said} {confirmed} after a correction over the {counts} of this page (Benjamini and Hochberg, 5%)."


def write_front(folder: Path, entry: Entry) -> None:
    """What the front page says of a report, beside its page."""
    write_json(folder / FRONT, asdict(entry))


def read_front(folder: Path) -> Entry:
    """A report's entry; of a folder without a front.json that can be read what its tables say."""
    figure = next((path for path in _FIGURES if (folder / path).exists()), "")
    try:
        entry = pydantic.TypeAdapter(Entry).validate_python(read_json(folder / FRONT) or {})
        return replace(entry, name=folder.name, figure=figure)
    except pydantic.ValidationError:
        return Entry(folder.name, "", _headline_of(folder / EFFECTS_TABLE), figure=figure)


def _headline_of(path: Path) -> str:
    """Returns the headline from summary.csv; empty where the file is missing or lacks a column."""
    try:
        return headline(effects_in(read_sheet(path, text=("variant", "metric"))).of("val/accuracy"))
    except (OSError, KeyError, TypeError, ValueError):
        return ""
