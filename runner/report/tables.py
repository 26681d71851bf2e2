"""Run directories to tables: one row a run, one row an epoch, one row a variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from runner.execute.makers import of_one_maker
from runner.logs.rundir import RunDir
from runner.logs.studyfile import first_end, read_study
from runner.report.curves import OVER_EPOCHS, from_curve
from runner.report.ended import ended_runs, is_readable
from runner.search.resolve import TWIN
from runner.spec import BASELINE, Problem, RequestError
from runner.stats import Effect, mean_interval, paired_effect
from runner.text import utc

METRICS = (
    "val/accuracy",
    "val/loss",
    "test/accuracy",
    "test/loss",
    "best_epoch",
    "epochs",
    "generalization_gap",
    "distinct_units",
    "units",
    "seconds",
)
_EFFECTS = ("val/accuracy", "test/accuracy", "val/loss", "test/loss")
_FROM_RESULT = {
    "val/accuracy": "best/val_accuracy", "val/loss": "best/val_loss", "test/accuracy": "test/accuracy",
    "test/loss": "test/loss", "best_epoch": "best/epoch", "epochs": "best/epochs",
    "generalization_gap": "best/generalization_gap", "distinct_units": "best/distinct_units", "units": "units",
    "seconds": "seconds",
}  # fmt: skip


@dataclass(frozen=True)
class StudyRuns:
    """A study's run directories, read: `runs` has a row a run, `curves` a row a run and epoch.

    The finished runs are those of one state of code, data and versions: `provenances`; `left_out` are the others'.
    `spoilt` are the files of finished runs that are not what was written; those runs are left out as well.
    """

    study: dict[str, Any]
    runs: pd.DataFrame
    curves: pd.DataFrame
    folders: dict[tuple[str, int], Path]
    provenances: list[dict[str, Any]]
    left_out: list[dict[str, Any]]
    spoilt: Sequence[Path] = ()
    first_ends: Mapping[str, str | None] = field(default_factory=dict)  # of a variant's runs (UTC, ISO 8601)

    @property
    def variants(self) -> list[str]:
        """Variants with a finished or failed run, in the study's order."""
        return [name for name in self.study["variants"] if (self.runs["variant"] == name).any()]

    @property
    def trained(self) -> list[str]:
        """Variants with a finished run, in the study's order."""
        return [name for name in self.variants if len(self.finished(name))]

    @property
    def classes(self) -> list[str]:
        """The data set's class names, from any run that finished."""
        for path in self.folders.values():
            if (identity := RunDir(path).identity()) and identity.get("classes"):
                return list(map(str, identity["classes"]))
        return []

    @property
    def images(self) -> dict[str, int]:
        """How many images validation and test have, from any run that finished; one split is all runs'."""
        for path in self.folders.values():
            if archive := RunDir(path).load_predictions():
                return {part: len(archive[f"{part}_labels"]) for part in ("val", "test") if f"{part}_labels" in archive}
        return {}

    @property
    def finished_folders(self) -> list[Path]:
        """The directories of the runs that finished."""
        done = self.runs[self.runs["status"] == "finished"]
        return [self.folders[name, int(seed)] for name, seed in zip(done["variant"], done["seed"], strict=True)]

    def finished(self, variant: str) -> pd.DataFrame:
        """The variant's finished runs, by seed."""
        rows = self.runs[(self.runs["variant"] == variant) & (self.runs["status"] == "finished")]
        return rows.set_index("seed").sort_index()

    def paired(self, variants: Sequence[str], metric: str, accuracy: float | None = None) -> list[Any]:
        """A question's metric of each variant, over the seeds that all of them finished and, where it is about the
        course of training, over the epochs that all of them had."""
        finished = [self.finished(name) for name in variants]
        seeds = sorted(set.intersection(*(set(each.index) for each in finished)))
        if all(metric in each for each in finished):
            return [each.loc[seeds, metric].to_numpy(dtype=float) for each in finished]
        values: list[list[float]] = [[] for _ in variants]
        for seed in seeds:
            curves = [self._curve(name, seed) for name in variants]
            common = min(map(len, curves)) if metric in OVER_EPOCHS else None
            for number, (name, curve) in enumerate(zip(variants, curves, strict=True)):
                epochs = int(self.study["variants"][name]["settings"]["epochs"])
                values[number].append(from_curve(curve.head(common or len(curve)), metric, epochs, accuracy))
        return [np.array(each, dtype=float) for each in values]

    def _curve(self, variant: str, seed: int) -> pd.DataFrame:
        mine = (self.curves["variant"] == variant) & (self.curves["seed"] == seed)
        return self.curves[mine].sort_values("epoch")

    def levels(self, key: str) -> dict[str, float]:
        """The baseline and the variants that change this setting alone, by its value."""
        variants = self.study["variants"]
        alone = [name for name in self.variants if set(variants[name]["changes"]) <= {key}]
        return dict(
            sorted(((name, float(variants[name]["settings"][key])) for name in alone), key=lambda pair: pair[1])
        )

    def values(self, variant: str, metric: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return self.finished(variant)[metric].to_numpy(dtype=float)

    def effect(self, variant: str, metric: str, other: str = BASELINE) -> Effect:
        """Variant minus the other, over the seeds that both finished."""
        mine, theirs = self.finished(variant)[metric], self.finished(other)[metric]
        seeds = mine.index.intersection(theirs.index)
        return paired_effect(mine[seeds].to_numpy(dtype=float), theirs[seeds].to_numpy(dtype=float))


def studies_in(runs: Path, names: list[str] | None) -> list[str]:
    """The names asked for, or all that have a study.json; RequestError for one that has not.

    A random search is in the report of the search that it stands beside.
    """
    there = sorted(path.parent.name for path in runs.glob("*/study.json"))
    if missing := [name for name in names or [] if name not in there]:
        valid = f"There are: {', '.join(there)}." if there else "There are none yet; make ablations makes some."
        raise RequestError([Problem(str(runs), f'there are no runs named "{name}". {valid}') for name in missing])
    return names or [name for name in there if not name.endswith(TWIN) and is_readable(runs / name)]


def unreadable(runs: Path) -> list[str]:
    """Directories whose study.json can't be used: spoilt, or of another place."""
    return sorted(path.parent.name for path in runs.glob("*/study.json") if not is_readable(path.parent))


def gather(folder: Path) -> StudyRuns:
    """Reads a study's per-run tables (not the event files). RequestError where there is no study."""
    study = read_study(folder)
    if not study:
        raise RequestError([Problem(str(folder), "has no study.json that can be read.")])
    every = list(ended_runs(folder, study))
    found = [each for each in every if not each.spoilt]
    finished = [each.identity for each in found if each.result]
    good = of_one_maker(finished)
    counts = iter(good)
    kept = [each for each in found if not each.result or next(counts)]
    rows, curves = [], []
    for each in kept:
        metrics = each.result["metrics"] if each.result else {}
        rows.append(
            {"variant": each.variant, "seed": each.seed, "status": "finished" if each.result else "failed"}
            | {"cause": each.identity.get("cause", ""), "ended": utc(each.identity.get("ended"))}
            | {metric: metrics.get(key, np.nan) for metric, key in _FROM_RESULT.items()}
        )
        if each.result:
            curves.append(pd.read_csv(each.path / "metrics.csv").assign(variant=each.variant, seed=each.seed))
    columns = ["variant", "seed", "status", "cause", "ended", *METRICS]
    variants = study["variants"].items()
    ends = {name: first_end(folder / each["directory"], each.get("first_end")) for name, each in variants}
    return StudyRuns(
        study,
        pd.DataFrame(rows, columns=columns),
        pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=["variant", "seed", "epoch"]),
        {(each.variant, each.seed): each.path for each in kept},
        [each["provenance"] for each, count in zip(finished, good, strict=True) if count],
        [each["provenance"] for each, count in zip(finished, good, strict=True) if not count],
        [path for each in every for path in each.spoilt],
        ends,
    )


def summarize(data: StudyRuns) -> pd.DataFrame:
    """One row a variant: n, failures, each metric's mean with its 95% interval, and its effect."""
    rows = []
    for name in data.variants:
        row: dict[str, Any] = {"variant": name, "n": len(data.finished(name))}
        row["failed"] = int(((data.runs["variant"] == name) & (data.runs["status"] == "failed")).sum())
        for metric in METRICS:
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
    if not rows:  # nothing has ended, or what had is spoilt
        names = [*METRICS, *(f"effect {metric}" for metric in _EFFECTS)]
        ends = ("", " low", " high", " p", " n")
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
        for metric in METRICS:
            values = {"mean": row[metric], "low": row[f"{metric} low"], "high": row[f"{metric} high"]}
            effects = {f"effect{end}": row.get(f"effect {metric}{end}", np.nan) for end in ("", " low", " high", " p")}
            effects["effect n"] = row.get(f"effect {metric} n", 0)
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
    ]
    return pd.DataFrame(rows, columns=columns)
