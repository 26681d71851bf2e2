"""A search's runs: recorded in study.json before one begins, and from then on in its own directory."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from runner.execute.messages import Message
from runner.expand import Run
from runner.search.resolve import ResolvedSearch, Values
from runner.search.suggest import FAILED, FINISHED, PRUNED, RUNNING, Tried, hopeless, suggest
from runner.spec import Kind, Problem, RequestError
from runner.store.comparable import comparable
from runner.store.epochs import read_rows
from runner.store.provenance import command
from runner.store.rundir import RunDir
from runner.store.study import TWIN, StudyFile, VariantEntry, read_study, write_study

_ENDED = (FINISHED, PRUNED, FAILED)
_NUMBER = re.compile("[0-9]{4}|[1-9][0-9]{4,8}")  # a run's, as it is written


class Record:
    """The runs of one search in the order in which they were asked for, read from the disk.

    A search whose spec has changed is another one: its runs get further numbers, the older ones stay where
    they are and are no part of it.
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
        self.corrupt: list[Path] = []  # files of finished runs that are not what was written; those are made anew
        self.again: list[Run] = []  # failed by the machine's doing: each is tried once more
        for name, entry in self._variants.items():
            if entry.search == search.digest() and (values := _values(search, entry)) is not None:
                self._read(search.run(search.variant(int(name), values)), values)

    def _read(self, run: Run, values: Values) -> None:
        """How far a recorded run is, as its own directory says."""
        directory = RunDir(self.runs / run.folder)
        status = directory.status()
        self.corrupt += directory.corrupt_files() if status == "corrupt" else []
        self.tried[run] = Tried(values, status if status in _ENDED else RUNNING, self.losses(run))
        known = directory.run_json()
        if status == FAILED and known and known.machines and not self._variants[run.variant.name].again:
            self.again.append(run)

    def losses(self, run: Run, epochs: int | None = None) -> list[float]:
        """The validation loss after each of the run's first epochs, as far as its table goes."""
        return [row["val/loss"] for row in read_rows(self.runs / run.folder / "metrics.csv")][:epochs]

    @property
    def left(self) -> int:
        """How many runs there are to do: those asked for, as far as the space has so many, that have not ended, and
        those that are tried again."""
        ended = sum(tried.state in _ENDED for tried in self.tried.values())
        left = max(0, int(min(self.search.runs, self.search.cells)) - ended)
        if left and ended == len(self.tried) and math.isfinite(self.search.cells):
            # Combinations that differ only in what their model does not read are no runs of their own.
            left *= suggest(self.search, list(self.tried.values())) is not None
        return left + len(self.again)

    def ask(self) -> Iterator[Run]:
        """First the runs that were asked for and did not end, and those to be tried again, of which study.json has it
        from then on; then, whenever one more is wanted, a new one."""
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
        """Takes in what a worker says; the answer is why its run is to stop, or nothing."""
        tried = self.tried[message.run]
        if message.kind == "epoch":
            tried.losses.append(message.metrics["val/loss"])
        else:  # a checkpoint may have fewer epochs than the run had had
            tried.losses = self.losses(message.run, int(message.metrics["epoch"]) if message.kind == "began" else None)
        if message.kind in _ENDED:
            tried.state = message.kind
        if message.kind not in ("began", "epoch") or not tried.losses:
            return ""
        return hopeless(self.search, list(self.tried.values()), tried)

    def write(self) -> None:
        """study.json, as a study has it: what a run is recorded in before it begins."""
        search = self.search
        content = StudyFile(
            name=search.name, file=str(search.file), doc=search.doc.strip(), command=command(),
            variants=self._variants, questions=[], search=search.plain(),
        )  # fmt: skip
        write_study(self._folder, content)

    def counted(self) -> tuple[dict[Run, Tried], list[Run]]:
        """The runs that may be compared, and those that ended in another state of code, data or versions."""
        ended = [run for run, tried in self.tried.items() if tried.state in (FINISHED, PRUNED)]
        known = {run: each for run in ended if (each := RunDir(self.runs / run.folder).run_json())}
        good = comparable(list(known.values()))
        not_counted = [run for run, counts in zip(known, good, strict=True) if not counts]
        return {run: tried for run, tried in self.tried.items() if run not in not_counted}, not_counted

    def ranked(self) -> list[tuple[Run, Tried]]:
        """The finished runs that count, the lowest validation loss first."""
        finished = [pair for pair in self.counted()[0].items() if pair[1].state == FINISHED]
        return sorted(finished, key=lambda pair: pair[1].loss)


def is_search(folder: Path) -> bool:
    """Whether a directory of runs is a search's."""
    study = read_study(folder)
    return study is not None and study.search is not None


def read_record(folder: Path) -> Record:
    """The search recorded in a directory of runs; RequestError where there is none."""
    try:
        study = read_study(folder)
        if study is None or study.search is None:
            raise ValueError("no search")
        return Record(ResolvedSearch.from_plain(folder.name, study.file, study.doc, study.search), folder.parent)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RequestError([Problem(Kind.PATH, str(folder), "has no record of a search that can be read.")]) from error


def _values(search: ResolvedSearch, entry: VariantEntry) -> Values | None:
    """The values that a run was recorded with; None where the search would never have asked for them."""
    given = entry.values
    values = {key: given.get(key) for key in search.space} if isinstance(given, dict) else {}
    return values if values and all(space.has(values[key]) for key, space in search.space.items()) else None


def find_record(runs: Path, name: str) -> Record:
    """A search by its name in ablations/, or by that of its directory where there are several of that name."""
    there = sorted(path.parent for path in runs.glob("*/study.json") if is_search(path.parent))
    named = [path for path in there if path.name == name]
    found = named or [path for path in there if path.name.startswith(f"{name}-") and not path.name.endswith(TWIN)]
    if len(found) == 1:
        return read_record(found[0])
    names = ", ".join(path.name for path in found or there)
    what = (
        f"there are several; name one: {names}." if found else f"no such search has been made here. There are: {names}."
    )
    raise RequestError(
        [Problem(Kind.UNKNOWN, f"{runs}: {name}", what if names else "no search has been made here yet.")]
    )
