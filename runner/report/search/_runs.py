"""A search's run directories, read: what its page and figures are made from."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from runner.expand import ignored_settings
from runner.search.records import Record, importances, read_record, winner_name, winners_name
from runner.spec import RequestError
from runner.stats import Effect, value_effect
from runner.store import FINISHED, PRUNED, RUNNING, RunDir, VariantEntry, comparable, read_rows, read_study
from runner.text import utc
from runner.verdicts import StudyRuns, gather

_RESAMPLES, _TREES = 20, 8


@dataclass(frozen=True)
class SearchRuns:
    """A search's run directories, read: `runs` has a row a run, in the order in which they were asked for.

    `twin` is the random search beside it, `winners` the study that trained the winners on fresh seeds, each
    None where there is none, or none of the same code, data and versions: then `apart` names it.
    """

    record: Record
    runs: pd.DataFrame
    twin: SearchRuns | None
    winners: StudyRuns | None
    apart: tuple[str, ...] = ()

    def shrinkage(self, variant: str, metric: str) -> tuple[float, Effect]:
        """The value that chose a winner, from the search's one seed, and fresh seeds minus that value."""
        assert self.winners is not None
        wanted = _hash(self.winners.study.variants[variant])
        table = pd.concat([self.runs, self.twin.runs]) if self.twin else self.runs
        found = table[(table["hash"] == wanted) & (table["status"] == FINISHED)][metric]
        chosen = float(found.iloc[0]) if len(found) else np.nan  # its run is no more
        return chosen, value_effect(self.winners.values(variant, metric), chosen)


def read_search(runs: Path) -> SearchRuns:
    """A search's runs, with its random twin's and its winners' where there are any."""
    record = read_record(runs)
    beside = record.search.random_twin()
    there = runs.with_name(beside.name)
    twin = None
    if (there / "study.json").exists():
        with suppress(RequestError):  # what is in its place is no search
            twin = read_search(there)
    if twin and twin.record.search.digest() != beside.digest():  # of this search as it was before an edit
        twin = None
    winners, mine = _winners(record, runs), _folders(record)
    apart: list[str] = []
    if twin and not _of_one_state(mine, _folders(twin.record)):
        twin, apart = None, [*apart, "the random search"]
    if winners and not _of_one_state(mine, winners.finished_folders):
        winners, apart = None, [*apart, "the winners' runs on fresh seeds"]
    return SearchRuns(record, _table(record), twin, winners, tuple(apart))


def _folders(record: Record) -> list[Path]:
    """Returns the directories of finished and pruned runs; failed runs have no numbers to mix."""
    ended = [run for run, tried in record.counted()[0].items() if tried.state in (FINISHED, PRUNED)]
    return [record.runs / run.folder for run in ended]


def _of_one_state(mine: list[Path], others: list[Path]) -> bool:
    """Whether one table may have both."""
    return all(comparable([known for path in (*mine, *others) if (known := RunDir(path).run_json())]))


def importance_table(record: Record) -> pd.DataFrame:
    """Each setting's importance, with the least and the most over resampled runs (bootstrap; Efron 1979)."""
    tried = [each for each in record.counted()[0].values() if each.state != RUNNING]
    whole = importances(record.search, tried)
    if not whole:
        return pd.DataFrame()
    rng = np.random.default_rng(0)
    resamples = [[tried[i] for i in rng.integers(len(tried), size=len(tried))] for _ in range(_RESAMPLES)]
    draws = [draw for resample in resamples if (draw := importances(record.search, resample, _TREES))]
    shares = np.array([[draw[key] for key in whole] for draw in draws])
    bounds = shares.min(axis=0), shares.max(axis=0)
    table = pd.DataFrame(
        {"setting": list(whole), "importance": list(whole.values()), "low": bounds[0], "high": bounds[1]}
    )
    return table.assign(n=len(tried)).sort_values("importance", ascending=False, ignore_index=True)


def _table(record: Record) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for run, tried in record.counted()[0].items():
        directory = RunDir(record.runs / run.folder)
        known, result = directory.run_json(), directory.result()
        idle = ignored_settings(run.variant.ours, tried.values)
        rows.append(
            {
                "run": run.variant.name,
                "status": tried.state,
                "epochs had": len(tried.losses),
                "val/loss": tried.loss,
                "val/accuracy": result.numbers.get("val/accuracy", np.nan) if result else np.nan,
                "seconds": sum(row["seconds"] for row in read_rows(directory.folder / "metrics.csv")),
                "cause": known.cause if known else "",
                "ended": utc(known.ended) if known else "",
                **{key: value for key, value in tried.values.items() if key not in idle},
                "settings": run.variant.ours.plain(),
                "hash": run.variant.digest,
            }
        )
    columns = [
        "run",
        "status",
        "epochs had",
        "val/loss",
        "val/accuracy",
        "seconds",
        "cause",
        "ended",
        *record.search.space,
        "settings",
        "hash",
    ]
    numbers = {"epochs had": int, "val/loss": float, "val/accuracy": float, "seconds": float}
    return pd.DataFrame(rows, columns=columns).astype(numbers)


def _winners(record: Record, runs: Path) -> StudyRuns | None:
    """The winners' runs, if they are those of the search as it is now."""
    folder = runs.with_name(winners_name(record.search.name, record.search.file.stem))
    study = read_study(folder)
    variants = study.variants if study else {}
    ranked = record.ranked()
    if not ranked:
        return None
    best = ranked[0][0]
    name = winner_name(best)
    if name not in variants or _hash(variants[name]) != best.variant.digest:
        return None
    data = gather(folder)
    return data if len(data.finished(name)) else None


def _hash(variant: VariantEntry) -> str:
    """Returns the digest in a directory's name. New settings with neutral values do not change it."""
    return variant.directory.rpartition("-")[2]
