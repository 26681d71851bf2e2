"""Writes what TensorBoard shows of several runs: the columns of all, and the mean of a variant."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from rich.console import Console

from runner.expand import Run
from runner.files import lock
from runner.logs import hparams, search_sessions, write_mean, write_root
from runner.spec import MOST_RUNS, is_plain
from runner.store import FINISHED, Provenance, RunDir, read_study, same_provenance


def write_columns(runs: Path) -> None:
    """Writes the root's columns: the union over every run that exists or that a study or search plans."""
    with lock(runs):
        sessions, ranges = [], None
        for path in runs.glob("*/study.json"):
            if not (study := read_study(path.parent)):
                continue
            name, search = study.name, study.search
            variants = {key: each.settings for key, each in study.variants.items() if is_plain(each.settings)}
            sessions += [hparams(settings, name, variant) for variant, settings in variants.items()]
            if search is None:
                continue
            with suppress(AttributeError, LookupError, TypeError, ValueError):  # no search that the runner recorded
                sessions += search_sessions(search, name, len(variants) + min(search["runs"], MOST_RUNS))
                continuous = {key for key, space in search["space"].items() if "categorical" not in space}
                ranges = continuous | (ranges or set())
        for path in runs.glob("*/*/seed*/run.json"):
            directory = RunDir(path.parent)
            if (known := directory.run_json()) and not directory.misplaced():
                sessions.append(hparams(known.settings, known.study, known.variant))
        write_root(runs, sessions, ranges)


def write_variant_mean(run: Run, runs: Path, console: Console) -> None:
    """Writes the mean over the seeds of a run's variant. An error is only printed, because no run depends on it."""
    folder = runs / run.folder.parent
    try:
        with lock(runs):
            write_mean(folder / "mean", [path / "metrics.csv" for path in _comparable(folder, run)])
    except OSError as error:
        console.print(f"{folder / 'mean'} can't be written: {error}")


def _comparable(folder: Path, run: Run) -> list[Path]:
    """Returns the directories of a variant's finished seeds that are comparable with the run."""
    known = {path: RunDir(path).run_json() for path in sorted(folder.glob("seed*"))}
    made = {path: each.provenance for path, each in known.items() if each}
    mine = made.get(folder / run.folder.name, Provenance())
    mates = [path for path, provenance in made.items() if same_provenance(provenance, mine)]
    return [path for path in mates if RunDir(path).own_status() == FINISHED]
