"""Lists run directories that no table needs, and removes them on request. It touches only what the runner made."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from filelock import Timeout
from rich.console import Console

from runner.events import MARK
from runner.expand import Overrides, Variant, resolve
from runner.files import lock
from runner.removable import Item, newest
from runner.report import studies_in
from runner.search.records import is_search, read_record
from runner.spec import (
    FOLDER,
    RequestError,
    Settings,
    available,
    find_recorded,
    folders,
    read_file,
    refuse_modules_in,
)
from runner.store import FINISHED, RunDir, StudyFile, comparable, has_finished, read_study

_SEED = re.compile(r"seed\d+")
_LEFTOVER = re.compile(r"\..+\.\d+-[0-9a-f]{6}\.tmp")  # from an interrupted `files.replace`
_OURS = ("result.json", "checkpoint.pt", "best.pt", "predictions.npz", "correct.npz", "metrics.csv", "traceback.txt")
_WEIGHTS = ("best.pt", "checkpoint.pt")


@dataclass
class PruneFindings:
    """What can be removed, and notes on what is kept for another reason."""

    items: list[Item] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def show(self, console: Console) -> None:
        """Prints every path with its size and reason, then the sum."""
        lines = [f"{item.size / 1e6:>10.2f} MB  {item.shown}  ({item.why})" for item in self.items]
        total = sum(item.size for item in self.items) / 1e6
        end = f"{len(self.items)} to remove, {total:.2f} MB" if self.items else "there is nothing to remove"
        for line in (*lines, *self.notes, end):
            console.print(line, soft_wrap=True)


def find_removable(runs: Path, names: Sequence[str] | None = None, checkpoints: bool = False) -> PruneFindings:
    """Finds what can be removed of these studies and searches, or of all in `runs`; with `checkpoints` only weights.

    Adopted runs are never among them.

    - run directories that neither the study's present file nor its last command (study.json) names
    - finished runs that a report skips, because other code, data or versions made them
    - files from interrupted writes

    Raises RequestError for a name that does not exist.
    """
    asked = studies_in(runs, list(names)) if names else [path.parent.name for path in runs.glob("*/study.json")]
    found = PruneFindings()
    for folder in (runs / name for name in sorted(set(asked))):
        study = read_study(folder)
        if study is not None and study.adopted:
            continue
        if study is None or folder.is_symlink():
            found.notes.append(f"{folder} is kept: it is a link, or has no study.json that can be read")
        elif checkpoints:
            found.items += _weights(folder, found.notes)
        else:
            found.items += _of_study(folder, study, found.notes)
    return found


def _of_study(folder: Path, study: StudyFile, notes: list[str]) -> Iterator[Item]:
    if not _is_locked(folder) and (files := _leftovers(folder)):
        yield Item.of(folder, files, _INTERRUPTED, whole=False)
    claimed, others = _claimed(folder, study, notes), set(_others(folder, study))
    gone: set[Path] = set()
    for path in _free_runs(folder, notes):
        why = "made by other code, data or versions than the runs that count" if path in others else ""
        if claimed is not None and path.parent.name not in claimed:
            why = "neither the study nor its last command names it"
        if why:
            gone.add(path)
            yield Item.of(path, tuple(_files_of_run(path)), why)
        elif files := _leftovers(path):
            yield Item.of(path, files, _INTERRUPTED, whole=False)
    for variant in sorted({path.parent for path in gone}):
        mean = variant / "mean"
        files = tuple(path for path in _plain_files(mean) if path.name.startswith(MARK))
        if files and not set(variant.glob("seed*")) - gone:
            yield Item.of(mean, files, "the mean of removed runs")


_INTERRUPTED = "from an interrupted write"


def _claimed(folder: Path, study: StudyFile, notes: list[str]) -> set[str] | None:
    """Returns the variants' directories that the study's file and its study.json name; None where this is unknown."""
    claimed = {variant.directory for variant in study.variants.values()} | set(study.directories)
    file = find_recorded(study.file)
    if is_search(folder) or file.suffix != ".py" or not file.is_file() or file.stem not in available(file.parent):
        return claimed  # a search's file, a notebook's dict, or a file that is gone
    if file.resolve().parent not in {place.resolve() for place in folders()}:
        notes.append(f"{folder}: {file} is not in {FOLDER}/ and is not read: runs that its last command named are kept")
        return claimed  # reading a study runs it, and runs may be from elsewhere
    baseline = study.baseline
    changed = {key for key in re.findall(r"\+(\w+)=", folder.name) if key in Settings.model_fields and key in baseline}
    overrides = Overrides(dataset=baseline.get("dataset"), settings={key: baseline[key] for key in changed})
    trained = partial(has_finished, folder.parent)
    try:
        refuse_modules_in(folder.parent, (baseline.get("dataset"), *overrides.settings.values()))
        return claimed | set(_directories(folder, study, resolve(*read_file(str(file)), overrides, trained).variants))
    except RequestError:
        notes.append(f"{folder}: {file} can't be read as a study, so all its variants are kept")
        return None


def _directories(folder: Path, study: StudyFile, variants: Iterable[Variant]) -> Iterator[str]:
    """Yields the directories of these variants from what runs record. It reads no file that arguments name."""
    for variant in variants:
        yield variant.directory
        settings = variant.settings.plain()
        known = study.variants.get(variant.name)
        if known and known.settings == settings:
            continue  # study.json names its directory
        for path in folder.glob(f"{glob.escape(variant.name)}-*/seed*"):
            run = RunDir(path).run_json()
            if run and run.files and run.settings == settings:
                yield path.parent.name


def _others(folder: Path, study: StudyFile) -> Iterable[Path]:
    """Returns the ended runs that the report skips."""
    if is_search(folder):
        with suppress(RequestError):
            record = read_record(folder)
            return [record.runs / run.folder for run in record.counted()[1]]
        return []
    finished = {
        path: state.run_json
        for entry in study.variants.values()
        for path in sorted((folder / entry.directory).glob("seed*"))
        if (state := RunDir(path).look()).own_status == FINISHED and state.run_json
    }
    good = comparable(list(finished.values()))
    return [path for path, counts in zip(finished, good, strict=True) if not counts]


def _weights(folder: Path, notes: list[str]) -> Iterator[Item]:
    for path in _free_runs(folder, notes):
        files = tuple(path / name for name in _WEIGHTS if (path / name).is_file())
        files += tuple(RunDir(path).final_states())
        if files and RunDir(path).result():  # an unfinished run resumes from its checkpoint
            yield Item.of(path, files, "weights, which evaluate and longer runs need and reports don't", whole=False)


def _free_runs(folder: Path, notes: list[str]) -> Iterator[Path]:
    """Yields a study's run directories that the runner made and that are not in training. Follows no link."""
    for path in sorted(folder.glob("*/seed*")):
        if path.is_symlink() or path.parent.is_symlink() or not path.is_dir() or not _is_ours(path):
            continue
        if _is_locked(path):
            notes.append(f"{path} is kept: it is in training")
        else:
            yield path


def _is_ours(path: Path) -> bool:
    """Whether run.json names this place: the directory is not copied, renamed or from another program."""
    known = RunDir(path).run_json()
    here = (path.parent.parent.name, path.parent.name, path.name)
    return bool(_SEED.fullmatch(path.name)) and known is not None and known.place == here


def _is_locked(folder: Path) -> bool:
    if not (folder / ".lock").is_file():
        return False  # taking the lock would leave a file
    try:
        with lock(folder).acquire(blocking=False):
            return False
    except (Timeout, OSError):
        return True


def _plain_files(folder: Path) -> list[Path]:
    there = folder.is_dir() and not folder.is_symlink()
    return sorted(path for path in folder.iterdir() if path.is_file() or path.is_symlink()) if there else []


def _leftovers(folder: Path) -> tuple[Path, ...]:
    return tuple(path for path in _plain_files(folder) if _LEFTOVER.fullmatch(path.name))


def _files_of_run(folder: Path) -> Iterator[Path]:
    """Yields the files that the runner makes, result.json first, so that a partly removed run is never finished."""
    names = [path.name for path in _plain_files(folder)]
    yield from (folder / name for name in _OURS if name in names)
    yield from RunDir(folder).final_states()
    yield from (folder / name for name in names if name.startswith(MARK) or _LEFTOVER.fullmatch(name))
    yield folder / "run.json"  # last: the remaining files still count as a run


def remove(found: PruneFindings, runs: Path) -> list[str]:
    """Removes what was found and has not changed since; returns a message for each item that stays."""
    stays: list[str] = []
    with lock(runs):  # so that no command writes a study.json or a mean meanwhile
        for item in found.items:
            try:
                stays += _remove(item)
            except Timeout:
                stays.append(f"{item.folder} stays: it is in training")
            except OSError as error:
                stays.append(f"{item.folder} stays: {error}")
    return stays


def _remove(item: Item) -> list[str]:
    if item.folder.is_symlink() or not item.folder.is_dir():
        return [f"{item.folder} stays: it is no longer a directory"]
    with lock(item.folder).acquire(blocking=False):
        if newest(item.files) != item.stamp:  # such as retrained while you read the question
            return [f"{item.folder} stays: it has changed since it was listed"]
        for path in item.files:
            path.unlink(missing_ok=True)
    return _drop(item.folder) if item.whole else []


def _drop(folder: Path) -> list[str]:
    """Removes the emptied directory, and its variant's directory if that is empty then."""
    strange = [path.name for path in folder.iterdir() if path.name != ".lock"]
    if strange:
        return [f"{folder} stays: the runner did not make {', '.join(strange)}"]
    (folder / ".lock").unlink(missing_ok=True)
    folder.rmdir()
    with suppress(OSError):  # something else is in it
        folder.parent.rmdir()
    return []
