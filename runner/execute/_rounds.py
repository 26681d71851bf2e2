"""The rounds of a command: the runs that the next looks need. A fixed design has one round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from runner.execute._plan import Plan
from runner.execute._request import Request
from runner.execute._study_file import study_file
from runner.expand import ResolvedStudy, Run
from runner.text import about

if TYPE_CHECKING:
    from runner.verdicts import Progress


class Rounds:
    """Which runs of the studies are needed next. What the runs say decides it, so resuming decides the same."""

    def __init__(self, studies: Sequence[ResolvedStudy], request: Request) -> None:
        self._request = request
        self._studies = studies
        self._done: set[Run] = set()
        self._said: set[str] = set()
        self._sequential = [study for study in studies if study.seeds.is_sequential]
        self._files = {study.name: study_file(study, request.runs, []) for study in self._sequential}
        self._progress = self._looked()

    def _looked(self) -> dict[str, Progress]:
        """Takes the looks that the runs allow by now."""
        if not self._files:
            return {}
        from runner.verdicts import gather, progress  # with pandas and scipy

        return {name: progress(gather(self._request.runs / name, file)) for name, file in self._files.items()}

    @property
    def most(self) -> list[Run]:
        """The runs of all looks."""
        return [run for study in self._studies for run in study.runs(_all_seeds(study))]

    @property
    def is_last(self) -> bool:
        """Whether no look can ask for more runs."""
        return not self._sequential

    def remaining(self) -> list[Run]:
        """Returns the runs that the looks so far and the next one need, except those of earlier rounds."""
        found = [run for study in self._studies for run in study.runs(self._counts(study))]
        return [run for run in found if run not in self._done]

    def following(self, trained: Sequence[Run], console: Console) -> list[Run]:
        """Returns the runs of the next round, after these; prints what the looks decided."""
        self._done |= set(trained)
        self._progress = self._looked()
        for study in self._sequential:
            if (said := _said(study, self._progress[study.name])) not in self._said:
                self._said.add(said)
                console.print(said, soft_wrap=True)
        return self.remaining()

    def show(self, plan: Plan, console: Console) -> None:
        """Prints the looks, and what they cost at best and at worst; `plan` is the next round."""
        for study in self._sequential:
            worst = study.runs(_worst(study, self._progress[study.name]))
            best = {run for run in plan.runs if run.study == study.name}
            more = [run for run in worst if run not in best]
            at_best, at_worst = (plan.seconds([*plan.left, *extra]) for extra in ([], more))
            looks = ", ".join(map(str, study.seeds.looks))
            console.print(
                f"{study.name}: looks after {looks} seeds; only open questions get more seeds. "
                f"At best {len(best)} runs, {about(at_best)} from now; "
                f"at worst {len(worst)} runs, {about(at_worst)} from now.",
                soft_wrap=True,
            )

    def _counts(self, study: ResolvedStudy) -> dict[str, int] | None:
        if study.name not in self._progress or (self._request.retrain and not self._done):
            return None
        return self._progress[study.name].counts


def _all_seeds(study: ResolvedStudy) -> dict[str, int]:
    return dict.fromkeys((variant.name for variant in study.selected), len(study.seeds.seeds))


def _worst(study: ResolvedStudy, found: Progress) -> dict[str, int]:
    """How many seeds each variant takes if no open question is decided before the last look."""
    most = {name: study.seeds.looks[-1] for track in found.open for name in track.variants} if found.look else {}
    return found.counts | most


def _said(study: ResolvedStudy, found: Progress) -> str:
    """What the looks so far decided."""
    looks, asked = study.seeds.looks, [track for track in found.tracks if not track.deleted]
    taken = found.look - 1 if found.look else max((len(track.looks) for track in asked), default=0)
    decided = sum(track.decided > 0 for track in asked)
    head = f"{study.name}: look {taken} of {len(looks)}, {looks[taken - 1]} seeds: {decided} of {len(asked)} questions"
    if not taken:
        return f"{study.name}: the first look, at {looks[0]} seeds, still lacks runs"
    if not found.look:
        return f"{head} are decided; no other question asks for more seeds"
    names = dict.fromkeys(name for track in found.open for name in track.variants)
    return f"{head} are decided; {len(found.open)} ask for {looks[taken]} seeds of {', '.join(names)}"
