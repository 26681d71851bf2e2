"""A search's runs: each is recorded in study.json before it begins, and then in its own directory."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from runner.execute import Message
from runner.expand import Run
from runner.search._resolve import ResolvedSearch, Values
from runner.search._suggest import Tried, hopeless, suggest
from runner.spec import Kind, Problem, RequestError, recorded
from runner.store import (
    CORRUPT,
    FAILED,
    FINISHED,
    PRUNED,
    RUNNING,
    TWIN,
    RunDir,
    StudyFile,
    VariantEntry,
    command,
    comparable,
    read_rows,
    read_study,
    write_study,
)

_ENDED = (FINISHED, PRUNED, FAILED)
_NUMBER = re.compile("[0-9]{4}|[1-9][0-9]{4,8}")  # a run's number as text


class Record:
    """The runs of one search in the order in which they were suggested, read from the disk.

    A search with a changed spec is a new search. Its runs get the next numbers. The older runs keep their
    directories and do not count.
    """

    def __init__(self, search: ResolvedSearch, runs: Path) -> None:
        self.search = search
        self.runs = runs
        self._folder = runs / search.name
        known = read_study(self._folder)
        self._variants: dict[str, VariantEntry] = {
            name: entry
            for name, entry in (known.variants if known else {}).items()
            if entry.search is not None and _NUMBER.fullmatch(name)
        }
        self.tried: dict[Run, Tried] = {}
        self.corrupt: list[Path] = []  # corrupt files of finished runs, which are retrained
        self.again: list[Run] = []  # runs that failed because of the machine: each is tried once more
        for name, entry in self._variants.items():
            if entry.search == search.digest() and (values := _values(search, entry)) is not None:
                self._read(search.run(search.variant(int(name), values)), values)

    def _read(self, run: Run, values: Values) -> None:
        """Reads from a recorded run's own directory how far it is."""
        directory = RunDir(self.runs / run.folder)
        status = directory.status()
        self.corrupt += directory.corrupt_files() if status == CORRUPT else []
        self.tried[run] = Tried(values, status if status in _ENDED else RUNNING, self.losses(run))
        known = directory.run_json()
        if status == FAILED and known and known.machines and not self._variants[run.variant.name].again:
            self.again.append(run)

    def losses(self, run: Run, epochs: int | None = None) -> list[float]:
        """Returns the validation loss (nats) after each epoch in the run's table, at most `epochs`."""
        return [row["val/loss"] for row in read_rows(self.runs / run.folder / "metrics.csv")][:epochs]

    @property
    def left(self) -> int:
        """How many runs remain: those that have not ended, as far as the space has so many, and those tried again."""
        ended = sum(tried.state in _ENDED for tried in self.tried.values())
        left = max(0, int(min(self.search.runs, self.search.cells)) - ended)
        if left and ended == len(self.tried) and math.isfinite(self.search.cells):
            # Combinations that differ only in settings that their model ignores are the same run.
            left *= suggest(self.search, list(self.tried.values())) is not None
        return left + len(self.again)

    def ask(self) -> Iterator[Run]:
        """Yields the runs to train: first those that have not ended, then those tried again, then new ones.

        Each is recorded in study.json before it is yielded.
        """
        yield from [run for run, tried in self.tried.items() if tried.state == RUNNING]
        while self.again:
            run = self.again.pop()
            self.tried[run].state = RUNNING
            self._variants[run.variant.name].again = True
            self.write()
            yield run
        while len(self.tried) < self.search.runs:
            values = suggest(self.search, list(self.tried.values()))
            if values is None:
                return
            run = self.search.run(self.search.variant(1 + max(map(int, self._variants), default=-1), values))
            variant = run.variant
            self._variants[variant.name] = VariantEntry.of(variant, search=self.search.digest(), values=values)
            self.write()
            self.tried[run] = Tried(values, RUNNING, [])
            yield run

    def on_message(self, message: Message) -> str:
        """Receives a worker's message; returns why its run must stop, or an empty text."""
        tried = self.tried[message.run]
        if message.kind == "epoch":
            tried.losses.append(message.metrics["val/loss"])
        else:  # a checkpoint may have fewer epochs than the run had
            tried.losses = self.losses(message.run, int(message.metrics["epoch"]) if message.kind == "began" else None)
        if message.kind in _ENDED:
            tried.state = message.kind
        if message.kind not in ("began", "epoch") or not tried.losses:
            return ""
        return hopeless(self.search, list(self.tried.values()), tried)

    def write(self) -> None:
        """Writes study.json in the form that studies use."""
        search = self.search
        content = StudyFile(
            name=search.name, file=recorded(search.file), doc=search.doc.strip(), command=command(),
            variants=self._variants, questions=[], search=search.plain(),
        )  # fmt: skip
        write_study(self._folder, content)

    def counted(self) -> tuple[dict[Run, Tried], list[Run]]:
        """Returns the comparable runs, and the runs that other code, data or versions made."""
        ended = [run for run, tried in self.tried.items() if tried.state in (FINISHED, PRUNED)]
        known = {run: each for run in ended if (each := RunDir(self.runs / run.folder).run_json())}
        good = comparable(list(known.values()))
        not_counted = [run for run, counts in zip(known, good, strict=True) if not counts]
        return {run: tried for run, tried in self.tried.items() if run not in not_counted}, not_counted

    def ranked(self) -> list[tuple[Run, Tried]]:
        """Returns the finished runs that count, the lowest validation loss first."""
        finished = [pair for pair in self.counted()[0].items() if pair[1].state == FINISHED]
        return sorted(finished, key=lambda pair: pair[1].loss)


def is_search(folder: Path) -> bool:
    """Whether a directory of runs is a search's."""
    study = read_study(folder)
    return study is not None and study.search is not None


def read_record(folder: Path) -> Record:
    """Returns the search recorded in a directory of runs. Raises RequestError where there is none."""
    try:
        study = read_study(folder)
        if study is None or study.search is None:
            raise ValueError("not a search")
        return Record(ResolvedSearch.from_plain(folder.name, study.file, study.doc, study.search), folder.parent)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RequestError(
            [Problem(Kind.PATH, str(folder), "is not a search whose study.json can be read.")]
        ) from error


def _values(search: ResolvedSearch, entry: VariantEntry) -> Values | None:
    """Returns the values that a run was recorded with; None where the search can't have suggested them."""
    given = entry.values
    values = {key: given.get(key) for key in search.space} if isinstance(given, dict) else {}
    return values if values and all(space.has(values[key]) for key, space in search.space.items()) else None


def find_record(runs: Path, name: str) -> Record:
    """Returns a search by its name in ablations/, or by the name of its directory where several match.

    Raises RequestError where there is none, or where several match.
    """
    there = sorted(path.parent for path in runs.glob("*/study.json") if is_search(path.parent))
    named = [path for path in there if path.name == name]
    found = named or [path for path in there if path.name.startswith(f"{name}-") and not path.name.endswith(TWIN)]
    if len(found) == 1:
        return read_record(found[0])
    names = ", ".join(path.name for path in found or there)
    what = f"several searches match; give one of: {names}." if found else f"there is no such search. Valid: {names}."
    raise RequestError(
        [Problem(Kind.UNKNOWN, f"{runs}: {name}", what if names else "there is no search yet; run one first.")]
    )
