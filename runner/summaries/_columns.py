"""Writes the root run: the charts of the means, and the columns of the runs of all studies and searches."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from runner.events import Hparam, event_files, hparams, summary_event, text_summary, write_events
from runner.files import lock
from runner.spec import MOST_RUNS, is_plain
from runner.store import EVALUATION_SUFFIX, RUN_SUFFIX, RunDir, StudyFile, read_study
from runner.summaries._card import is_card
from runner.summaries._charts import charts_summary
from runner.summaries._hparams import experiment, search_sessions
from runner.summaries._means import has_diverged, is_older_mean, seed_tables, write_mean
from runner.summaries._notes import NOTES


def write_columns(runs: Path) -> None:
    """Writes the root's charts and columns: the union over every run that exists or that a study or search plans.

    TensorBoard accepts only one list of each. It also rewrites means that an older version wrote with other tags.
    """
    with lock(runs):
        studies = [study for path in runs.glob("*/study.json") if (study := read_study(path.parent))]
        sessions, ranges = [], None
        for study in studies:
            planned, free = _planned(study)
            sessions += planned
            if free is not None:
                ranges = free | (ranges or set())
        for path in runs.glob("*/*/seed*/run.json"):
            if known := RunDir(path.parent).own_run_json():
                sessions.append(hparams(known.settings, known.study, known.variant))
        for folder in runs.glob("*/*/mean"):
            if is_older_mean(folder):
                write_mean(folder, *seed_tables(folder.parent))
        _write_root(runs, studies, sessions, ranges)


def _planned(study: StudyFile) -> tuple[list[dict[str, Hparam]], set[str] | None]:
    """Returns the sessions that a study or search plans, and the settings for which the search takes any number."""
    name, search = study.name, study.search
    variants = {key: each.settings for key, each in study.variants.items() if is_plain(each.settings)}
    sessions = [hparams(settings, name, variant) for variant, settings in variants.items()]
    if search is not None:
        with suppress(AttributeError, LookupError, TypeError, ValueError):  # no search that the runner recorded
            sessions += search_sessions(search, name, len(variants) + min(search["runs"], MOST_RUNS))
            return sessions, {key for key, space in search["space"].items() if "categorical" not in space}
    return sessions, None


def _write_root(
    folder: Path, studies: Sequence[StudyFile], sessions: Iterable[Mapping[str, Hparam]], ranges: Collection[str] | None
) -> None:
    old = [path for path in event_files(folder) if not is_card(path)]
    own = {study.name for study in studies if study.metrics}  # whose runs the runner did not train
    ours = len(own) < len(studies) or not studies
    metrics = dict.fromkeys(name for study in studies for name in study.metrics)
    older_runs = any(_is_older_run(path) for path in folder.glob("*/*/seed*") if path.parts[-3] not in own)
    diverged = any(map(has_diverged, folder.glob("*/*/mean")))
    summaries = [
        charts_summary(ours, metrics, diverged),
        experiment(sessions, ranges, ours, metrics, older_runs),
        text_summary("notes", NOTES),
    ]
    now = time.time()
    write_events(folder, [summary_event(each, 0, now) for each in summaries], old=old)


def _is_older_run(folder: Path) -> bool:
    """Whether only an older version wrote a run's events, so that its final values have other tags."""
    names = [path.name for path in event_files(folder) if not path.name.endswith(EVALUATION_SUFFIX)]
    return bool(names) and not any(name.endswith(RUN_SUFFIX) for name in names)
