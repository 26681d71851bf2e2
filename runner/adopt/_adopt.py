"""Adopts logged runs as a study: checks the whole request first, then writes what is new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.adopt._logs import read_logs
from runner.adopt._measure import At, measured
from runner.adopt._names import directory_of, safe_name, variant_names
from runner.adopt._questions import declared, metrics_of, questions_of
from runner.adopt._runs import Found, LoggedRun
from runner.adopt._settings import changes_of, settings_of, varying
from runner.adopt._table import read_table
from runner.adopt._write import Change, Place, kept_runs, write_run
from runner.board.anyruns import is_lower_better
from runner.files import lock
from runner.measures import own_metrics
from runner.places import check_writable
from runner.spec import BASELINE, Kind, Problem, RequestError, suggest
from runner.store import StudyFile, VariantEntry, command, read_study, write_study
from runner.summaries import seed_tables, write_columns, write_mean

_NAMED = 5  # runs in a sentence
Measured = tuple[LoggedRun, dict[str, float]]  # a run, and its metrics


@dataclass(frozen=True)
class AdoptRequest:
    """What is adopted: a log directory or a CSV table, and how its runs become a study.

    variants   the pattern of run names; empty to guess it
    baseline   the variant that others are compared with; empty for the one called baseline
    name       the study's name; empty for that of the source
    at         where metrics are taken: last, best:TAG or a step; empty for where they were taken before, or last
    questions  a study file with questions and metrics
    """

    source: Path
    variants: str = ""
    baseline: str = ""
    name: str = ""
    at: str = ""
    questions: Path | None = None
    runs: Path = Path("runs")


@dataclass(frozen=True)
class Adopted:
    """What was adopted: the study's name, how many runs are new, refreshed or unchanged, and remarks for people."""

    name: str
    counts: Mapping[Change, int]
    remarks: Sequence[str]

    def lines(self) -> list[str]:
        """Returns the counts and the remarks, a line each."""
        return ["runs: " + (", ".join(f"{n} {each.value}" for each, n in self.counts.items()) or "none"), *self.remarks]


def adopt(request: AdoptRequest) -> Adopted:
    """Writes the run directories of a study from logs. Raises RequestError before anything is written."""
    is_table = request.source.is_file()
    name = request.name or safe_name(request.source.resolve().stem if is_table else request.source.resolve().name)
    folder = request.runs / name
    before = _before(request, folder, is_table)
    found = read_table(request.source) if is_table else read_logs(request.source, request.variants or _pattern(before))
    at = At.parse(request.at or (before.adopted.get("at", "last") if before and not is_table else "last"))
    asked = declared(request.questions, name)
    baseline = _baseline(found, request.baseline or (before.adopted.get("baseline", "") if before else ""), before)
    metrics = metrics_of(found, asked, before)
    monitor = asked.monitor or (before.monitor if before and not asked.file else "")
    if at.best and at.best not in found.tags:
        raise RequestError([Problem(Kind.UNKNOWN, "--at", f'no run has "{at.best}". {suggest(at.best, found.tags)}')])
    known = {_called(own, each): own for own, each in before.variants.items()} if before else {}
    names = variant_names(found.variants, baseline, known)
    kept = kept_runs(folder, {each: before.variants[own] for each, own in known.items()}, found.runs) if before else []
    logged = [*found.runs, *kept]
    settings = settings_of(logged, names)
    questions = questions_of(asked, metrics, names, settings, before)
    less = metrics.get(at.best, "less" if is_lower_better(at.best) else "more") == "less"
    runs = [(run, measured(run.scalars, at, less)) for run in logged]
    main = own_metrics(metrics, monitor).main
    remarks = [
        *found.remarks, *_renamed(names), *_gone(kept), *varying(logged), *_lacking(runs, main, at),
        *_unequal(runs, main, at),
    ]  # fmt: skip
    study = StudyFile(
        name=name, file=asked.file or (before.file if before else ""), command=command(), questions=questions,
        doc=asked.doc or (before.doc if before else f"Adopted runs: {request.source.resolve().name}"),
        variants={own: _entry(own, each, settings) for each, own in _baseline_first(names).items()},
        metrics=metrics, monitor=monitor, data_notes=[each.rstrip(".") for each in remarks],
        adopted={"at": _at_text(request, before, is_table), "baseline": baseline, "pattern": found.pattern},
    )  # fmt: skip
    check_writable(request.runs, folder)
    counts = _write_all(folder, study, [(names[run.variant], run, values) for run, values in runs], before)
    write_columns(request.runs)
    return Adopted(name, counts, remarks)


def _write_all(
    folder: Path, study: StudyFile, runs: Sequence[tuple[str, LoggedRun, dict[str, float]]], before: StudyFile | None
) -> Counter[Change]:
    """Writes study.json, the runs that have the main metric, and the means that are missing or of a run that changed.

    `runs` have their variant's name in the study, and their metrics.
    """
    found: dict[str, list[Change]] = {}
    again = before is not None and before.metrics != study.metrics
    main = study.measures.main
    with lock(folder.parent):
        write_study(folder, study)
        for own, run, values in runs:
            if main in values:
                place = Place(folder, own, study.variants[own], main, list(study.metrics), again)
                found.setdefault(own, []).append(write_run(place, run, values))
        for own, changes in found.items():
            variant = folder / study.variants[own].directory
            if set(changes) != {Change.NONE} or not (variant / "mean").exists():
                write_mean(variant / "mean", *seed_tables(variant), study.metrics)
    return Counter(change for changes in found.values() for change in changes)


def _before(request: AdoptRequest, folder: Path, is_table: bool) -> StudyFile | None:
    """Returns the study.json of an earlier command. Raises RequestError for a place that can't be used."""
    source, runs = request.source.resolve(), request.runs.resolve()
    if not is_table and not source.is_dir():
        raise RequestError(
            [Problem(Kind.PATH, str(request.source), "is neither a directory nor a CSV file; give one.")]
        )
    if not is_table and (runs == source or source in runs.parents):
        what = f"is in {request.source}, which is not changed; choose another place with --runs."
        raise RequestError([Problem(Kind.CONFLICT, str(request.runs), what)])
    if is_table and (request.at or request.variants):
        what = "is for event files; a table has one row a run, with its variant and its metrics."
        raise RequestError([Problem(Kind.CONFLICT, "--at" if request.at else "--variants", what)])
    before = read_study(folder)
    if (before is None and (folder / "study.json").exists()) or (before is not None and not before.adopted):
        what = "has other runs than adopted ones; choose another name with --as."
        raise RequestError([Problem(Kind.CONFLICT, str(folder), what)])
    if before and request.baseline and request.baseline != before.adopted.get("baseline", ""):
        what = f'was adopted with the baseline "{before.adopted.get("baseline", "")}"; choose another name with --as.'
        raise RequestError([Problem(Kind.CONFLICT, str(folder), what)])
    return before


def _pattern(before: StudyFile | None) -> str:
    pattern = before.adopted.get("pattern", "") if before else ""
    return "" if pattern == "table" else pattern


def _at_text(request: AdoptRequest, before: StudyFile | None, is_table: bool) -> str:
    return "table" if is_table else request.at or (before.adopted.get("at", "last") if before else "last")


def _baseline(found: Found, asked: str, before: StudyFile | None) -> str:
    """Returns the baseline as the logs call it. Raises RequestError with all variants where there is none."""
    name = asked or BASELINE
    if name in found.variants or (before and name == before.adopted.get("baseline", "")):
        return name
    listed = ", ".join(f"{each} ({len(seeds)} seed{'s' * (len(seeds) > 1)})" for each, seeds in found.variants.items())
    what = f'there is no variant "{name}". There are: {listed}. Name one with --baseline.'
    raise RequestError([Problem(Kind.UNKNOWN if asked else Kind.MISSING, "--baseline", what)])


def _baseline_first(names: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(names.items(), key=lambda pair: pair[1] != BASELINE))


def _called(name: str, entry: VariantEntry) -> str:
    """Returns what the logs call a variant of the study."""
    return entry.called or str(entry.settings.get("variant", name))


def _entry(name: str, called: str, settings: Mapping[str, Mapping[str, Any]]) -> VariantEntry:
    return VariantEntry(
        directory=directory_of(name, called), changes=changes_of(settings, name), settings=dict(settings[name]),
        called=called,
    )  # fmt: skip


def _renamed(names: Mapping[str, str]) -> list[str]:
    renamed = [f"{each} is {own}" for each, own in names.items() if each != own]
    return [f"Names in the study: {_listed(renamed)}."] if renamed else []


def _gone(kept: Sequence[LoggedRun]) -> list[str]:
    return [f"Runs that are no longer in the logs stay: {_listed(_runs(kept))}."] if kept else []


def _lacking(runs: Sequence[Measured], main: str, at: At) -> list[str]:
    lacking = [run for run, values in runs if main not in values]
    until = f" until step {at.step}" if at.step is not None else ""
    tag = f"{main} or {at.best}" if at.best not in ("", main) else main
    return [f"Runs without {tag}{until} are skipped: {_listed(_runs(lacking))}."] if lacking else []


def _unequal(runs: Sequence[Measured], main: str, at: At) -> list[str]:
    """Says what unequal numbers of steps do to a comparison."""
    ends = {max(run.scalars[main]) for run, values in runs if main in values}
    least, most = min(ends, default=0), max(ends, default=0)
    if at.step is not None:
        return [f"Some runs end before step {at.step}: their last step counts."] if least < at.step else []
    if least == most:
        return []
    if at.best:
        return [f"Runs end at unequal steps, {least} to {most}: longer ones have more steps to be best at."]
    return [f"Runs end at unequal steps, {least} to {most}. Compare at one step with --at {least}."]


def _runs(runs: Sequence[LoggedRun]) -> list[str]:
    return [f"{run.variant} seed {run.seed}" for run in runs]


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(texts[:_NAMED]) + more
