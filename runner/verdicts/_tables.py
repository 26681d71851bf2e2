"""Run directories to tables: a row a run, and a row an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from runner.metrics import FromProbabilities, Metric, OfClass
from runner.spec import Kind, Problem, RequestError
from runner.store import FAILED, FINISHED, RunDir, RunJson, StudyFile, comparable, first_end, guesses, read_study
from runner.text import utc
from runner.verdicts._declared import Declared, declared
from runner.verdicts._ended import EndedRun, ended_runs
from runner.verdicts._runs import StudyRuns


def gather(folder: Path, study: StudyFile | None = None, ended: Sequence[EndedRun] | None = None) -> StudyRuns:
    """Reads a study's per-run tables (not the event files). RequestError where there is no study.

    `study` is what study.json will say, where it does not say so yet. Only planned seeds count. `ended` are its runs
    where they are read already.
    """
    study = study or read_study(folder)
    if not study:
        raise RequestError([Problem(Kind.PATH, str(folder), "has no study.json that can be read.")])
    planned = study.plan
    ended = list(ended_runs(folder, study)) if ended is None else ended
    every = [each for each in ended if not planned or each.seed in planned.seeds]
    found = [each for each in every if not each.corrupt]
    finished = [each.run_json for each in found if each.result and each.run_json]
    good = comparable(finished)
    counts = iter(good)
    kept = [each for each in found if not each.result or next(counts)]
    asked = [declared(question, study.measures) for question in study.questions]
    measures = _asked(asked)
    rows, curves = [], []
    for each in kept:
        metrics = each.result.numbers if each.result else {}
        known = each.run_json
        rows.append(
            {"variant": each.variant, "seed": each.seed, "status": FINISHED if each.result else FAILED}
            | {"cause": known.cause if known else "", "machines": known is not None and known.machines}
            | {"ended": utc(known.ended) if known else ""}
            | {name: metrics.get(name, np.nan) for name in study.measures.reported}
            | _of_predictions(each, measures)
        )
        if each.epochs is not None and len(each.epochs):
            curves.append(each.epochs.assign(variant=each.variant, seed=each.seed))
    of_class = [measure.name for measure in measures if isinstance(measure.source, OfClass)]
    columns = ["variant", "seed", "status", "cause", "machines", "ended", *study.measures.reported, *of_class]
    runs: dict[str, list[RunJson | None]] = {}
    for each in every:
        runs.setdefault(each.variant, []).append(each.run_json)
    ends = {name: first_end(entry.first_end, runs.get(name, [])) for name, entry in study.variants.items()}
    trained = [each.run_json for each in kept if each.run_json]
    return StudyRuns(
        study,
        pd.DataFrame(rows, columns=columns),
        pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=["variant", "seed", "epoch"]),
        {(each.variant, each.seed): each.path for each in kept},
        [each.provenance for each, count in zip(finished, good, strict=True) if count],
        [each.provenance for each, count in zip(finished, good, strict=True) if not count],
        [path for each in every for path in each.corrupt],
        ends,
        {(each.variant, each.seed): each.guesses for each in kept if each.guesses},
        [each for each in asked if not each.deleted],
        [each for each in asked if each.deleted and each.after_runs],
        {each.variant: each.train_images for each in trained if each.train_images},
        sum(each.result is not None for each in ended) - sum(each.result is not None for each in every),
    )


def _asked(asked: Sequence[Declared]) -> list[Metric]:
    """Returns the metrics that questions ask about, each once."""
    return list({each.question.metric: each.question.measure for each in asked if each.question}.values())


def _of_predictions(each: EndedRun, measures: Sequence[Metric]) -> dict[str, float]:
    """Returns the metrics of a run that follow from its predictions, and those of one class among `measures`.

    Older runs have their logits only. These are read where a question needs them, since that takes 50 ms a run.
    """
    if not each.guesses or not each.run_json:
        return {}
    found = dict(each.guesses.metrics)
    if not each.guesses.scores and any(isinstance(measure.source, FromProbabilities) for measure in measures):
        archive = RunDir(each.path).load_predictions()
        found |= guesses(archive).scores if archive else {}
    classes = list(map(str, each.run_json.classes))
    for measure in measures:
        source = measure.source
        if isinstance(source, OfClass) and source.name in classes and source.part in each.guesses.confusion:
            found[measure.name] = source.value(each.guesses.confusion[source.part], classes.index(source.name))
    return found
