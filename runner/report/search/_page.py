"""A search's page, as Markdown for GitHub."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from urllib.parse import quote

import pandas as pd

from runner.expand import Run
from runner.report._answers import short_answers
from runner.report._format import percent, plus_minus
from runner.report._makers import corrupt_note, made_by, not_counted_note, spent
from runner.report.search._runs import SearchRuns
from runner.report.search._settings import at_bounds, best_settings, text_of
from runner.search.records import CLAIMED, RANDOM_WINNER, RUNNER_UP, WINNER, Record, winner_name
from runner.spec import BASELINE
from runner.store import FAILED, FINISHED, PRUNED, RUNNING, Provenance, RunDir, read_study
from runner.text import code, counted, escaped, one_line, table
from runner.typed import command
from runner.verdicts import effects_table, judge

_TOP = 10
_SAMPLERS = {"tpe": "TPE (Optuna)", "random": "random", "grid": "grid"}
_FIGURES = {
    "settings": "each run's validation loss against each setting's value",
    "progress": "lowest validation loss so far against the epochs spent",
    "importance": "importance of each setting, and its range over resampled runs",
}
_HEADS = {"progress": "Progress", "settings": "Loss by setting", "importance": "Importance"}
_SLICES = (
    "*Each point is one run with one seed. All other settings change from point to point too. Transforms are named by "
    "their capitals: HF is HorizontalFlip.*"
)
_TITLES = {
    WINNER: "winner", RUNNER_UP: "runner-up", RANDOM_WINNER: "random search's winner", CLAIMED: "claimed elsewhere",
    BASELINE: "start",
}  # fmt: skip


def search_page(data: SearchRuns, mattered: pd.DataFrame, figures: Sequence[str]) -> str:
    """The whole page. `mattered` has a row a setting, `figures` are those that were drawn."""
    again = f"{command('prune', make='make prune')} and then the same command"
    notes = [not_counted_note(len(data.record.counted()[1]), again), corrupt_note(data.record.corrupt), _apart(data)]
    parts = [f"# {escaped(title(data))}", headline(data), _what(data)]
    parts += [f"> {note}" for note in notes if note]
    if ranked := data.record.ranked():
        parts += ["## Best settings", best_settings(data), at_bounds(data)]
    if data.winners:
        parts += ["## On fresh seeds", _fresh(data), _choosing(data)]
        parts += ["\n".join(f"- {line}" for line in short_answers(judge(data.winners)))]
        name = data.winners.study.name
        parts += [f"Those runs have their own report: [{name}](../{quote(name)}/summary.md)."]
    for name in figures:
        parts += [f"## {_HEADS[name]}", f"![{_FIGURES[name]}](figures/{name}.png)"]
        parts += [_below(name, data, mattered)]
    if ranked:
        parts += [f"## The {counted(min(_TOP, len(ranked)), 'best run')}", _runs(data)]
    parts += ["## What failed", failed] if (failed := _failed(data)) else []
    parts += ["## How it was made", _how(data)]
    return "\n\n".join(part for part in parts if part) + "\n"


def title(data: SearchRuns) -> str:
    """The search's one-line description, or its name."""
    search = data.record.search
    return one_line(search.doc.strip().partition("\n")[0]) or search.name


def _apart(data: SearchRuns) -> str:
    named = " and ".join(data.apart)
    return f"Not counted, because other code, data or versions made them: {named}." if named else ""


def _below(figure: str, data: SearchRuns, mattered: pd.DataFrame) -> str:
    """What stands below a figure."""
    if figure == "progress":
        return _random(data)
    return _importance(mattered) if figure == "importance" else _SLICES


def headline(data: SearchRuns) -> str:
    """One sentence of Markdown: the best run, and what its settings give on fresh seeds."""
    ranked = data.record.ranked()
    if not ranked:
        return "No run has finished yet."
    best = data.runs.set_index("run").loc[ranked[0][0].variant.name]
    ended = (data.runs["status"] != RUNNING).sum()
    line = (
        f"**Best of {ended} runs:** {ranked[0][0].variant.name}, validation loss {best['val/loss']:.4f}, "
        f"accuracy {best['val/accuracy'] * 100:.2f}% (one seed)"
    )
    if data.winners:
        effects, name = effects_table(data.winners), winner_name(ranked[0][0])
        validation, test = (effects.row(name, f"{part}/accuracy") for part in ("val", "test"))
        line += f"; on {validation.n} fresh seeds validation {percent(validation.mean)}%, test {percent(test.mean)}%"
    return line + "."


def _what(data: SearchRuns) -> str:
    search, counts = data.record.search, data.runs["status"].value_counts()
    return (
        f"`{search.name}`: {len(data.runs)} of {search.runs} runs over {len(search.space)} settings on "
        f"{escaped(search.baseline.dataset)}, {_SAMPLERS[search.sampler]}; {counts.get(FINISHED, 0)} finished, "
        f"{counts.get(PRUNED, 0)} pruned, {counts.get(FAILED, 0)} failed. The search minimises the validation loss "
        f"at the best of at most {search.baseline.epochs} epochs."
    )


def _fresh(data: SearchRuns) -> str:
    assert data.winners is not None
    winner = winner_name(data.record.ranked()[0][0])
    rows = []
    effects = effects_table(data.winners)
    for name in effects.variants:
        loss, lead = effects.row(name, "val/loss"), effects.row(name, "test/loss").effect
        chosen, shrunk = "-", "-"
        value, effect = data.shrinkage(name, "val/loss")
        if (name == winner or name not in (BASELINE, CLAIMED)) and not math.isnan(value):
            chosen, shrunk = f"{value:.4f}", _signed(effect.interval.estimate, effect.interval.low, 4)
        fresh = plus_minus(loss.mean.estimate, loss.mean.low, 4)
        accuracies = [percent(effects.row(name, f"{part}/accuracy").mean) for part in ("val", "test")]
        less = "-" if name == BASELINE else _signed(lead.estimate, lead.low, 4)
        rows.append([_TITLES[name], str(loss.n), chosen, fresh, shrunk, less, *accuracies])
    heads = ["", "n", "validation loss that chose it", "on fresh seeds", "change", "test loss, minus the start's"]
    return table([*heads, "validation accuracy, %", "test accuracy, %"], rows)


def _choosing(data: SearchRuns) -> str:
    """What was luck: how much of the winner's score did not come back."""
    assert data.winners is not None
    winner = winner_name(data.record.ranked()[0][0])
    _, loss = data.shrinkage(winner, "val/loss")
    chosen, accuracy = data.shrinkage(winner, "val/accuracy")
    low = accuracy.interval.low
    points = _signed(accuracy.interval.estimate * 100, low * 100, 2)
    return (
        f"The winner is the best of {len(data.runs)} runs on one seed, so part of its score is chance. On "
        f"{loss.interval.n} fresh seeds its validation loss changed by "
        f"{_signed(loss.interval.estimate, loss.interval.low, 4)}, and its validation accuracy by {points} points from "
        f"{chosen * 100:.2f}%. All seeds share one validation set, so the validation columns still favour what was "
        "fitted to it. Test is free of that. ± are 95% t intervals over the fresh seeds."
    )


def _signed(estimate: float, low: float, digits: int) -> str:
    half = f" ± {estimate - low:.{digits}f}" if math.isfinite(low) else ""
    return f"{estimate:+.{digits}f}{half}"


def _random(data: SearchRuns) -> str:
    if data.twin is None or not data.twin.record.ranked() or not data.record.ranked():
        return ""
    mine, theirs = data.record.ranked()[0][1].loss, data.twin.record.ranked()[0][1].loss
    runs, (there, here) = len(data.twin.runs), (int(each["epochs had"].sum()) for each in (data.twin.runs, data.runs))
    less = min(there, here)
    at_cost = [f"{best_within(each, less):.4f}" for each in (data.twin.runs, data.runs)]
    fresh = data.winners is not None and RANDOM_WINNER in data.winners.variants
    return (
        f"A random search of {runs} runs ({there} epochs in total; this search had {here}) found a validation loss of "
        f"{theirs:.4f}; this search found {mine:.4f}. At the same cost, within {less} epochs, the two losses are "
        f"{at_cost[0]} and {at_cost[1]}. There is one search of each kind (n = 1), so this compares two outcomes, not "
        "two methods." + (" The table above has both winners on fresh seeds." if fresh else "")
    )


def best_within(runs: pd.DataFrame, epochs: int) -> float:
    """The lowest loss of the runs that had finished when a search had spent so many epochs."""
    spent = runs[(runs["epochs had"].cumsum() <= epochs) & (runs["status"] == FINISHED)]
    return float(spent["val/loss"].min())


def _importance(mattered: pd.DataFrame) -> str:
    rows = [
        [row["setting"], f"{row['importance']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"]
        for _, row in mattered.iterrows()
    ]
    note = (
        "The share of the variance that each setting explains alone: functional ANOVA over a random forest (Optuna), "
        f"on the ranks of the validation losses of {mattered['n'].iloc[0]} runs. Pruned runs count with their lowest "
        "loss; failed runs come last. In brackets: the smallest and the largest share over 20 resamples of the runs, "
        "with smaller forests. A search varies unpromising settings less, so a setting that it soon stopped varying "
        "seems to matter less."
    )
    return table(["setting", "share of the variance [over 20 resamples]"], rows) + "\n\n" + note


def _runs(data: SearchRuns) -> str:
    keys = list(data.record.search.space)
    finished = data.runs[data.runs["status"] == FINISHED].sort_values("val/loss").head(_TOP)
    rows = []
    for _, row in finished.iterrows():
        cells = [row["run"], f"{row['val/loss']:.4f}", f"{row['val/accuracy'] * 100:.2f}", str(row["epochs had"])]
        rows.append([*cells, *(text_of(row["settings"][key]) for key in keys)])
    heads = ["run", "validation loss", "validation accuracy, %", "epochs had", *keys]
    note = "Each run has one seed, so there is no interval. `runs.csv` has all runs, also the pruned and failed ones."
    return f"{table(heads, rows)}\n\n{note}"


def _failed(data: SearchRuns) -> str:
    failed = data.runs[data.runs["status"] == FAILED]
    return "\n".join(f"- {escaped(row['run'])}: {escaped(row['cause'])}" for _, row in failed.iterrows())


def _how(data: SearchRuns) -> str:
    search, record = data.record.search, data.record
    seeds = f"seed {search.seed} for the sampler and the runs, pruner {search.pruner}"
    tried, not_counted = record.counted()
    made = [_provenances(record, [run for run in tried if tried[run].losses]), _provenances(record, not_counted)]
    command = study.command if (study := read_study(record.runs / search.name)) else ""
    made_with = f"{_SAMPLERS[search.sampler]}, {seeds}"
    lines = [
        f"Command: {code(command)} (search: {code(search.file)}). {spent(data.runs)}. {made_with}.",
        "",
    ]
    lines += made_by(*made)
    settings = [[key, code(value)] for key, value in search.baseline.plain().items()]
    return "\n".join(lines) + "\n\n" + table(["setting", "start"], settings, names=2)


def _provenances(record: Record, runs: Iterable[Run]) -> list[Provenance]:
    known = [RunDir(record.runs / run.folder).run_json() for run in runs]
    return [each.provenance for each in known if each]
