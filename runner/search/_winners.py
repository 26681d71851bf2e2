"""Makes studies that test a search's winners."""

from __future__ import annotations

import dataclasses
import pprint
import re
from pathlib import Path
from typing import Any

from runner.expand import Overrides, ResolvedStudy, Run, ignored_settings, resolve, slug
from runner.files import write_text
from runner.places import check_writable
from runner.search._record import Record
from runner.spec import (
    BASELINE,
    FOLDER,
    Kind,
    Problem,
    RequestError,
    Settings,
    check_name,
    neutral_values,
    references,
    refuse_modules_in,
)
from runner.typed import lasting

WINNER, RUNNER_UP, RANDOM_WINNER, CLAIMED = "winner", "runner_up", "random_winner", "claimed"
_SMALLEST = 0.005  # in accuracy
_LONGEST = 60  # characters of a search's name in a file's


def winners_name(search: str, stem: str) -> str:
    """Returns the name of the study that retrains a search's winners.

    >>> winners_name("search_dropout-mnist5k", "search_dropout")
    'search_dropout_winners-mnist5k'
    """
    return f"{stem}_winners{search.removeprefix(stem)}"


def winners_study(record: Record, twin: Record | None) -> ResolvedStudy | None:
    """Returns the study that retrains the winners on fresh seeds; None where no run finished.

    Its variants are baseline, winner, runner-up, the random search's winner, and the settings claimed elsewhere to be
    best. A winner with the baseline's settings is the baseline. Validation chose the winner, so the questions are
    about test.
    """
    search = record.search
    ranked = record.ranked()
    if not ranked:
        return None
    best = dict(zip((WINNER, RUNNER_UP), ranked, strict=False))
    if twin and (theirs := twin.ranked()):
        best[RANDOM_WINNER] = theirs[0]
    changes = {name: run.variant.changes for name, (run, _) in best.items()}
    if claimed := search.claimed():
        changes[CLAIMED] = claimed.differences(search.baseline)
    variants: dict[str, dict[str, Any]] = {}
    for name, change in changes.items():
        if change and change not in variants.values():
            variants[name] = change
    winner = winner_name(ranked[0][0])
    others = {
        BASELINE: "Are the winner's settings better than those the search began with?",
        RUNNER_UP: "Is the winner better than the runner-up?",
        CLAIMED: "Is the winner better than the settings said elsewhere to be best?",
        RANDOM_WINNER: "Did the search find better settings than a random search of as many runs?",
    }
    data = {
        "baseline": _read(search.baseline, variants),
        "variants": variants,
        "seeds": fresh_seeds(record),
        "questions": [
            {"ask": ask, "compare": [winner, other], "metric": "test/accuracy", "expect": "more", "smallest": _SMALLEST}
            for other, ask in others.items()
            if other in (variants.keys() | {BASELINE}) - {winner}
        ],
    }
    stem = search.file.stem
    doc = f"Do the winners of {stem} keep their promise on fresh seeds?"
    study = resolve(search.file, data, doc, Overrides())
    return dataclasses.replace(study, name=winners_name(search.name, stem))


def _read(baseline: Settings, variants: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Returns the baseline's settings, except those that no variant's model reads, as in a search over models."""
    idle = ignored_settings(
        baseline, baseline.plain(), [changes["model"] for changes in variants.values() if "model" in changes]
    )
    return {key: value for key, value in baseline.plain().items() if key not in idle}


def winner_name(best: Run) -> str:
    """Returns the name of the search's best run in the winners' study: "baseline" where the baseline was best."""
    return WINNER if best.variant.changes else BASELINE


def fresh_seeds(record: Record) -> list[int]:
    """Returns the seeds after the search's own seed."""
    search = record.search
    return list(range(search.seed + 1, search.seed + 1 + search.fresh_seeds))


def write_ablation(record: Record, folder: Path = FOLDER) -> Path:
    """Writes a study whose baseline is the winner; each variant undoes one choice. Returns its file.

    Raises RequestError where there is no winner, or where it equals the search's baseline.
    """
    run, start, stem = _winner(record), record.search.baseline.plain(), _stem(record)
    name = _file_name(record.search.name)
    if not run.variant.changes:
        raise RequestError(
            [Problem(Kind.STATE, record.search.name, "its winner is its baseline, so there is nothing to undo.")]
        )
    winner = run.variant.ours
    undone = {_undone(key, start[key]): {key: start[key]} for key in run.variant.changes}
    questions = [
        {
            "ask": f"Does the winner owe something to {key} = {_short(value)}, instead of {_short(start[key])}?",
            "compare": [BASELINE, _undone(key, start[key])],
            "metric": "test/accuracy", "expect": "more", "smallest": _SMALLEST,
        }
        for key, value in run.variant.changes.items()
    ]  # fmt: skip
    title = f"What does the winner of {stem} owe its accuracy to?"
    doc = (
        f"The baseline is run {run.variant.name} of {record.search.name}; each variant undoes one of its choices.\n"
        f"Written by: {lasting('ablate-winner', record.search.name)}\n"
    )
    refuse_modules_in(record.runs, [*references(winner), *references(record.search.baseline)])
    return _write(folder / f"{name}_winner.py", title, doc, winner, undone, questions, fresh_seeds(record))


def write_comparison(first: Record, second: Record, folder: Path = FOLDER) -> Path:
    """Writes a study that compares two searches' winners, as variants of the first search's baseline. Returns its file.

    Raises RequestError where the searches do not fit together, or where a search has no winner.
    """
    start, stems = first.search.baseline, [_stem(record) for record in (first, second)]
    if start.dataset != second.search.baseline.dataset or stems[0] == stems[1]:
        names = " and ".join(record.search.name for record in (first, second))
        raise RequestError(
            [Problem(Kind.CONFLICT, names, "expected two searches of different files, on the same data set.")]
        )
    winners = [_winner(record).variant.ours for record in (first, second)]
    if winners[0] == winners[1]:
        raise RequestError(
            [Problem(Kind.STATE, " and ".join(stems), "both winners have the same settings; expected different ones.")]
        )
    variants = {stem: winner.differences(start) for stem, winner in zip(stems, winners, strict=True)}
    variants = {stem: changes for stem, changes in variants.items() if changes}  # a winner may be the baseline itself
    sides = [stem if stem in variants else BASELINE for stem in stems]
    question = {  # about test: validation chose both
        "ask": f"Which is better, the winner of {stems[0]} or that of {stems[1]}?",
        "best_of": sides, "metric": "test/accuracy", "smallest": _SMALLEST,
    }  # fmt: skip
    title = f"{stems[0]} or {stems[1]}: whose winner is better?"
    doc = (
        f"The baseline is what {stems[0]} began with; the variants are the winners, on seeds that chose nothing.\n"
        f"Written by: {lasting('compare-winners', first.search.name, second.search.name)}\n"
    )
    for record in (first, second):
        refuse_modules_in(record.runs, [text for each in (start, *winners) for text in references(each)])
    seeds = sorted({*fresh_seeds(first), *fresh_seeds(second)} - {first.search.seed, second.search.seed})
    file = folder / f"{stems[0]}_or_{_file_name(second.search.name)}.py"
    return _write(file, title, doc, start, variants, [question], seeds)


def _winner(record: Record) -> Run:
    ranked = record.ranked()
    if not ranked:
        raise RequestError(
            [
                Problem(
                    Kind.STATE,
                    record.search.name,
                    "no run of this search has finished, so it has no winner; run the search first.",
                )
            ]
        )
    return ranked[0][0]


def _stem(record: Record) -> str:
    """Returns the name of the search's file. Raises RequestError where the record has a name that can't be a file's."""
    stem = record.search.file.stem
    if wrong := check_name(stem):
        raise RequestError([wrong.at(f"{record.search.name}: its file's name")])
    return stem


def _file_name(search: str) -> str:
    """Returns a search's whole name, with its data set, as a file's name: search_dropout_cifar10."""
    return re.sub(r"\W+", "_", search, flags=re.ASCII).strip("_")[:_LONGEST]


def _undone(key: str, value: Any) -> str:
    return f"{key}={slug(value)}"


def _short(value: Any) -> str:
    return slug(value) if isinstance(value, list) else f"{value:.3g}" if isinstance(value, float) else str(value)


def _write(
    file: Path,
    title: str,
    doc: str,
    baseline: Settings,
    variants: dict[str, Any],
    questions: list[Any],
    seeds: list[int],
) -> Path:
    """Writes a study's file as you would write it. Raises RequestError where a different file has that name."""
    neutral = neutral_values()
    read = _read(baseline, variants).items()
    given = {key: value for key, value in read if key not in neutral or value != neutral[key]}
    study = {"baseline": given, "variants": variants, "seeds": seeds, "questions": questions}
    run = lasting("run", file.stem, make=f"make ablations STUDY={file.stem}")
    whole = f"{title}\n\nRun:      {run}\n\n{doc}"
    text = f'"""{_quoted(whole)}"""\n\nSTUDY = {pprint.pformat(study, width=115, sort_dicts=False)}\n'
    if file.exists() and file.read_text(encoding="utf-8") != text:
        raise RequestError(
            [Problem(Kind.PATH, str(file), "exists already with other contents; rename or remove it first.")]
        )
    check_writable(file.parent)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, text)
    return file


def _quoted(doc: str) -> str:
    """Escapes a text for a docstring, so that a record from elsewhere can't add code."""
    return "\n".join(line.encode("unicode_escape").decode("ascii").replace('"', '\\"') for line in doc.split("\n"))
