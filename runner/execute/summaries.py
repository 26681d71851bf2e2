"""What TensorBoard shows of several runs: the columns of all, and the mean of a variant."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from rich.console import Console

from runner.execute.provenance import same_makers
from runner.expand import Run
from runner.files import lock
from runner.logs.hparams import hparams, search_sessions
from runner.logs.rundir import RunDir
from runner.logs.studyfile import read_study
from runner.logs.summary import write_mean, write_root
from runner.spec.plain import is_plain
from runner.spec.search import MOST_RUNS


def write_columns(runs: Path) -> None:
    """The root's columns: the union over every run that is there, or that some runner is about to make."""
    with lock(runs):
        sessions, ranges = [], None
        for path in runs.glob("*/study.json"):
            study, name = read_study(path.parent) or {"variants": {}}, path.parent.name
            variants = {key: each["settings"] for key, each in study["variants"].items() if is_plain(each["settings"])}
            sessions += [hparams(settings, name, variant) for variant, settings in variants.items()]
            with suppress(AttributeError, LookupError, TypeError, ValueError):  # no search that the runner recorded
                search = study["search"]
                sessions += search_sessions(search, name, len(variants) + min(search["runs"], MOST_RUNS))
                continuous = {key for key, space in search["space"].items() if "categorical" not in space}
                ranges = continuous | (ranges or set())
        for path in runs.glob("*/*/seed*/run.json"):
            directory = RunDir(path.parent)
            if (identity := directory.identity()) and not directory.misplaced():
                sessions.append(hparams(identity["settings"], identity["study"], identity["variant"]))
        write_root(runs, sessions, ranges)


def write_variant_mean(run: Run, runs: Path, console: Console) -> None:
    """Writes the mean over the seeds of a run's variant. Says so where it can't: it is a picture, not a run."""
    folder = runs / run.folder.parent
    try:
        with lock(runs):
            write_mean(folder / "mean", [path / "metrics.csv" for path in _comparable(folder, run)])
    except OSError as error:
        console.print(f"{folder / 'mean'} can't be written: {error}")


def _comparable(folder: Path, run: Run) -> list[Path]:
    """The directories of a variant's finished seeds that are comparable with the run: a mean mixes no others in."""
    made = {path: (RunDir(path).identity() or {}).get("provenance") for path in sorted(folder.glob("seed*"))}
    mine = made.get(folder / run.folder.name) or {}
    mates = [path for path, provenance in made.items() if provenance and same_makers(provenance, mine)]
    return [path for path in mates if RunDir(path).own_status() == "finished"]
