"""Run directories to tables: one row a run, one row an epoch, one row a variant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from runner.metrics import REPORTED
from runner.report.declared import declared
from runner.report.ended import ended_runs, is_readable
from runner.report.lost import SAME_AS, pair_signs, sides
from runner.report.runs import StudyRuns
from runner.spec import BASELINE, Kind, Problem, RequestError
from runner.stats import mean_interval
from runner.store.comparable import comparable
from runner.store.study import TWIN, first_end, read_study
from runner.text import utc

_EFFECTS = ("val/accuracy", "test/accuracy", "val/loss", "test/loss")


def studies_in(runs: Path, names: list[str] | None) -> list[str]:
    """The names asked for, or all that have a study.json; RequestError for one that has not.

    A random search is in the report of the search that it stands beside.
    """
    there = sorted(path.parent.name for path in runs.glob("*/study.json"))
    if missing := [name for name in names or [] if name not in there]:
        valid = f"There are: {', '.join(there)}." if there else "There are none yet; make ablations makes some."
        raise RequestError(
            [Problem(Kind.UNKNOWN, str(runs), f'there are no runs named "{name}". {valid}') for name in missing]
        )
    return names or [name for name in there if not name.endswith(TWIN) and is_readable(runs / name)]


def unreadable(runs: Path) -> list[str]:
    """Directories whose study.json can't be used: spoilt, or of another place."""
    return sorted(path.parent.name for path in runs.glob("*/study.json") if not is_readable(path.parent))


def gather(folder: Path) -> StudyRuns:
    """Reads a study's per-run tables (not the event files). RequestError where there is no study."""
    study = read_study(folder)
    if not study:
        raise RequestError([Problem(Kind.PATH, str(folder), "has no study.json that can be read.")])
    every = list(ended_runs(folder, study))
    found = [each for each in every if not each.corrupt]
    finished = [each.run_json for each in found if each.result and each.run_json]
    good = comparable(finished)
    counts = iter(good)
    kept = [each for each in found if not each.result or next(counts)]
    rows, curves = [], []
    for each in kept:
        metrics = each.result.numbers if each.result else {}
        known = each.run_json
        rows.append(
            {"variant": each.variant, "seed": each.seed, "status": "finished" if each.result else "failed"}
            | {"cause": known.cause if known else "", "machines": known is not None and known.machines}
            | {"ended": utc(known.ended) if known else ""}
            | {name: metrics.get(name, np.nan) for name in REPORTED}
            | (each.guesses.metrics if each.guesses else {})
        )
        if each.result:
            curves.append(pd.read_csv(each.path / "metrics.csv").assign(variant=each.variant, seed=each.seed))
    columns = ["variant", "seed", "status", "cause", "machines", "ended", *REPORTED]
    variants = study.variants.items()
    ends = {name: first_end(folder / each.directory, each.first_end) for name, each in variants}
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
        [declared(question) for question in study.questions],
    )


def summarize(data: StudyRuns) -> pd.DataFrame:
    """One row a variant: n, failures, each metric's mean with its 95% interval, and its effect."""
    rows = []
    others = [name for name in data.variants if name != BASELINE]
    for name in data.variants:
        row: dict[str, Any] = {"variant": name, "n": len(data.finished(name))}
        row["failed"] = int(((data.runs["variant"] == name) & (data.runs["status"] == "failed")).sum())
        for metric in REPORTED:
            interval = mean_interval(data.values(name, metric))
            row |= {metric: interval.estimate, f"{metric} low": interval.low, f"{metric} high": interval.high}
        for metric in _EFFECTS:
            effect = data.effect(name, metric) if name != BASELINE else None
            row |= {
                f"effect {metric}": effect.interval.estimate if effect else np.nan,
                f"effect {metric} low": effect.interval.low if effect else np.nan,
                f"effect {metric} high": effect.interval.high if effect else np.nan,
                f"effect {metric} p": effect.p if effect else np.nan,
                f"effect {metric} n": effect.interval.n if effect else 0,
            }
        rows.append(row)
    for metric in _EFFECTS:
        own = {row["variant"]: row for row in rows}
        effects, p_values = ([own[name][f"effect {metric}{end}"] for name in others] for end in ("", " p"))
        lost = [pair_signs(data, name, BASELINE, metric) for name in others]
        found = dict(zip(others, sides(metric, effects, p_values, lost), strict=True))
        for row in rows:
            row[f"effect {metric} side"] = found.get(row["variant"], SAME_AS)
    if not rows:  # nothing has ended, or what had is spoilt
        names = [*REPORTED, *(f"effect {metric}" for metric in _EFFECTS)]
        ends = ("", " low", " high", " p", " n", " side")
        return pd.DataFrame(columns=["variant", "n", "failed", *(f"{name}{end}" for name in names for end in ends)])
    return pd.DataFrame(rows)


def banded(data: StudyRuns, variant: str, scalar: str) -> pd.DataFrame:
    """Epoch, mean, low, high of a scalar over the variant's seeds; a stopped seed keeps its last value."""
    mine = data.curves[data.curves["variant"] == variant]
    wide = mine.pivot(index="epoch", columns="seed", values=scalar).sort_index().ffill()
    intervals = [mean_interval(row) for row in wide.to_numpy(dtype=float)]
    return pd.DataFrame(
        {
            "epoch": wide.index,
            "mean": [i.estimate for i in intervals],
            "low": [i.low for i in intervals],
            "high": [i.high for i in intervals],
        }
    )


def tidy(summary: pd.DataFrame) -> pd.DataFrame:
    """summary.csv: one row a variant and metric, as other tools like it."""
    rows = []
    for _, row in summary.iterrows():
        for metric in REPORTED:
            values = {"mean": row[metric], "low": row[f"{metric} low"], "high": row[f"{metric} high"]}
            effects = {f"effect{end}": row.get(f"effect {metric}{end}", np.nan) for end in ("", " low", " high", " p")}
            effects |= {"effect n": row.get(f"effect {metric} n", 0), "side": row.get(f"effect {metric} side", "")}
            rows.append(
                {"variant": row["variant"], "metric": metric, "n": row["n"], "failed": row["failed"]} | values | effects
            )
    columns = [
        "variant",
        "metric",
        "n",
        "failed",
        "mean",
        "low",
        "high",
        "effect",
        "effect low",
        "effect high",
        "effect p",
        "effect n",
        "side",
    ]
    return pd.DataFrame(rows, columns=columns)
