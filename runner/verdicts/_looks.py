"""The looks of a study: what each question's first seeds say, which questions are decided, and who needs more seeds.

Alpha is split over the looks in proportion to their new seeds (Lan & DeMets 1983): p at a look counts as p / weight,
and the smallest over the looks is the question's p. By Bonferroni it errs at most as often as it says, however p
depends on earlier looks (Maurer & Bretz 2013 for families). A fixed design has one look of weight 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from runner.spec import SeedPlan
from runner.stats import holm
from runner.verdicts._needed import images_needed, is_hopeless
from runner.verdicts._runs import StudyRuns
from runner.verdicts._track import DECIDED, FAILED_RUNS, FEW_IMAGES, HOPELESS, Evidence, Track


@dataclass(frozen=True)
class Progress:
    """How far a study is.

    tracks  a question each, then the deleted ones
    look    the look that has not all its runs yet, from 1; 0 where no look remains
    counts  how many of the planned seeds each variant needs now, by its name
    """

    tracks: tuple[Track, ...]
    look: int
    counts: dict[str, int]

    @property
    def open(self) -> list[Track]:
        """The questions that ask for more seeds."""
        return [track for track in self.tracks if track.is_asking]


def look_at(data: StudyRuns, tracks: Sequence[Track]) -> Progress:
    """Takes every look whose runs have ended, in order, and decides after each.

    A look uses the first seeds of the plan alone, whatever else was trained, so resuming changes no decision. Questions
    declared before their runs go first and know nothing of exploratory ones. A study.json without a plan has one look,
    at what is there.
    """
    plan = data.plan or SeedPlan((), (max(1, int(data.runs["seed"].nunique())),))
    counts = dict.fromkeys(data.study.variants, plan.looks[0])
    selected = set(data.study.selected or data.study.variants)
    for track in tracks:
        track.suspended = track.question is None or not set(track.variants) <= selected
    early = [track for track in tracks if not track.exploratory]
    late = [track for track in tracks if track.exploratory and not track.deleted]
    waits = [_take_looks(data, plan, some, counts, before) for some, before in ((early, []), (late, early))]
    return Progress((*early, *late), min((look for look in waits if look), default=0), counts)


def _take_looks(
    data: StudyRuns, plan: SeedPlan, tracks: Sequence[Track], counts: dict[str, int], before: Sequence[Track]
) -> int:
    """Takes the looks of some questions, `before` being judged already; returns the look that lacks runs, or 0.

    Raises the counts of seeds that variants need.
    """
    for number, (count, weight) in enumerate(zip(plan.looks, plan.weights, strict=True), start=1):
        asking = [track for track in tracks if track.is_asking]
        for name in {name for track in asking for name in track.variants}:
            counts[name] = max(counts.get(name, 0), count)
        ready = {id(track) for track in tracks if _has_ended(data, track, count)}
        if plan.is_sequential and any(id(track) not in ready for track in asking):
            return number
        view = data.first(count)
        for track in tracks:
            if id(track) in ready and len(track.looks) == number - 1 and not track.closed:
                track.take_look(view, weight)
        decide([*before, *tracks], number, plan)
    return 0


def _has_ended(data: StudyRuns, track: Track, count: int) -> bool:
    """Whether the first seeds of all its variants have ended; of a file without a plan it is not known how many."""
    seeds = data.plan.seeds[:count] if data.plan else ()
    return all(data.has_ended(name, seeds) for name in track.variants)


def decide(tracks: Sequence[Track], look: int, plan: SeedPlan) -> None:
    """Corrects the p-values after a look, and closes the questions that ask for no more seeds."""
    adjust(tracks, plan.is_sequential)
    for track in tracks:
        _close(track, look, plan)


def adjust(tracks: Sequence[Track], sequential: bool) -> None:
    """Corrects every question's two p-values by Holm, each in its own family.

    Questions declared before their runs are a family, deleted ones included. Each exploratory one is adjusted among
    all. In a sequential design a question that can't be tested yet counts with p = 1.
    """
    for family in ("difference", "equivalence"):
        found: list[Evidence] = [getattr(track, family) for track in tracks]
        p = [_counted(track, each, family, sequential) for track, each in zip(tracks, found, strict=True)]
        everyone = holm(p)
        early = iter(holm([own for own, track in zip(p, tracks, strict=True) if not track.exploratory]))
        for track, each, among_all in zip(tracks, found, everyone, strict=True):
            each.adjusted = among_all if track.exploratory else next(early)


def family_size(tracks: Sequence[Track], exploratory: bool, sequential: bool) -> int:
    """How many questions a difference is corrected for: the early ones, or for an exploratory question all."""
    found = [track for track in tracks if exploratory or not track.exploratory]
    return max(1, sum(not math.isnan(_counted(each, each.difference, "difference", sequential)) for each in found))


def _counted(track: Track, evidence: Evidence, family: str, sequential: bool) -> float:
    """The p with which a question counts in a family; nan where it is no part of it."""
    question = track.question
    if question is None or (family == "equivalence" and not question.smallest):
        return math.nan
    untested = 1.0 if sequential or track.deleted else math.nan
    return untested if math.isnan(evidence.p) else evidence.p


def _close(track: Track, look: int, plan: SeedPlan) -> None:
    question = track.question
    if question is None or not track.looks:
        return
    if not track.decided and (track.differs or track.is_equivalent):
        track.decided = look
    if track.closed:
        return
    if track.decided:
        track.closed = DECIDED
    elif track.difference.significant or track.equivalence.significant or _cannot_be_decided(track):
        track.closed = FAILED_RUNS
    elif plan.is_sequential and len(track.looks) < len(plan.looks):
        effects = [each.effect for each in track.looks[-1]]
        track.images = images_needed(effects, question)
        if track.images:
            track.closed = FEW_IMAGES
        elif is_hopeless(effects, question, plan.looks[-1]):
            track.closed = HOPELESS


def _cannot_be_decided(track: Track) -> bool:
    """Whether too few runs finished for a test, or diverged runs speak for neither side or for both."""
    found = track.looks[-1]
    signs = {sign for each in found for sign in each.lost}
    return not found or any(each.effect.interval.n < 2 for each in found) or 0 in signs or len(signs) > 1
