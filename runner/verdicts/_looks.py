"""The looks of a study: what each question's first seeds say, which questions are decided, and who needs more seeds.

Alpha is split over the looks in proportion to their new seeds (Lan & DeMets 1983): p at a look counts as p / weight,
and the smallest over the looks is the question's p. By Bonferroni it errs at most as often as it says, however p
depends on earlier looks (Maurer & Bretz 2013 for families). A fixed design has one look of weight 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from runner.metrics import METRICS
from runner.spec import Question, SeedPlan
from runner.stats import ALPHA, Effect, holm
from runner.verdicts._comparisons import Comparison, comparisons, largest_differences
from runner.verdicts._declared import Declared
from runner.verdicts._needed import images_needed, is_hopeless
from runner.verdicts._runs import StudyRuns
from runner.verdicts._weigh import SUPPORTED, weigh, weigh_best, weigh_equivalence

# Why a question asks for no more seeds.
DECIDED, HOPELESS, FEW_IMAGES, FAILED_RUNS, SUSPENDED = "decided", "hopeless", "few images", "failed runs", "suspended"


@dataclass
class Evidence:
    """The smallest p over the looks, each divided by its look's weight; which way it leans, and at which look it was.

    p is nan before the first look, and where no test is defined. `look` counts from 1.
    """

    p: float = math.nan
    leaning: str = SUPPORTED
    look: int = 0
    adjusted: float = math.nan

    def add(self, p: float, leaning: str, weight: float, look: int) -> None:
        """Adds a look."""
        if not math.isnan(p) and not self.p <= (spent := min(1.0, p / weight)):
            self.p, self.leaning, self.look = spent, leaning, look

    @property
    def significant(self) -> bool:
        """Whether it is decided, after Holm's correction."""
        return self.adjusted <= ALPHA


@dataclass
class Track:
    """A question on its way through the looks.

    looks     the comparisons at each look that it has taken
    closed    why it asks for no more seeds; empty while it is open
    decided   the look at which it was decided; 0 for none
    images    how many images it would take, where the present ones are too few
    """

    declared: Declared
    variants: tuple[str, ...]
    exploratory: bool = False
    deleted: bool = False
    difference: Evidence = field(default_factory=Evidence)
    equivalence: Evidence = field(default_factory=lambda: Evidence(leaning=""))
    looks: list[tuple[Comparison, ...]] = field(default_factory=list)
    closed: str = ""
    decided: int = 0
    images: int = 0

    @property
    def question(self) -> Question | None:
        """The question; None where it is malformed."""
        return self.declared.question

    def take_look(self, data: StudyRuns, weight: float) -> None:
        """Adds what the runs say; they are those of the look's seeds."""
        question = self.question
        if question is not None:
            found = tuple(comparisons(data, question))
            whole = all(len(data.finished(name)) for name in self.variants)
            self.add(found, largest_differences(data, question, found) if whole else [], weight)

    def add(self, found: tuple[Comparison, ...], largest: Sequence[Effect], weight: float) -> None:
        """Adds a look. `largest` are the differences that are all small where none matters; none can't be tested."""
        question = self.question
        assert question is not None
        self.looks.append(found)
        effects, smallest = [each.effect for each in found] if largest else [], question.smallest
        leaning, p = weigh_best(effects) if question.best_of else weigh(effects, question.expect, smallest)
        self.difference.add(p, leaning, weight, len(self.looks))
        self.equivalence.add(weigh_equivalence(largest, smallest), "", weight, len(self.looks))

    @property
    def leading(self) -> Evidence:
        """What the question asks for: the difference, or for "equal" the smaller p of the two."""
        both, question = (self.difference, self.equivalence), self.question
        if question is None or question.expect != "equal":
            return self.difference
        return min(both, key=lambda each: math.inf if math.isnan(each.p) else each.p)

    @property
    def contradicted(self) -> bool:
        """Whether a diverged run does not speak for the verdict that the finished runs lean to."""
        return self._contradicts(self.leading)

    @property
    def differs(self) -> bool:
        """Whether a difference is decided, also in view of failed runs."""
        return self.difference.significant and not self._contradicts(self.difference)

    @property
    def is_equivalent(self) -> bool:
        """Whether it is decided that no difference matters, also in view of failed runs."""
        return self.equivalence.significant and not self._contradicts(self.equivalence)

    def _contradicts(self, evidence: Evidence) -> bool:
        found = self.looks[evidence.look - 1] if evidence.look else self.looks[-1] if self.looks else ()
        return self.question is not None and contradicted(found, self.question, evidence.leaning)


def contradicted(found: Sequence[Comparison], question: Question, leaning: str) -> bool:
    """Whether a diverged run does not speak for a leaning; "" is the one that no difference matters."""
    expected = {"more": 1, "less": -1}.get(question.expect, 0)
    for each in found:
        if not leaning:
            called = 0
        elif question.best_of:
            called = METRICS[question.metric].better
            if called and each.effect.interval.estimate * called < 0:  # better where it finished, but it diverged
                return True
        elif expected:
            called = expected if leaning == SUPPORTED else -expected
        else:
            called = int(np.sign(np.nan_to_num(each.effect.interval.estimate)))
        if any(not sign or sign != called for sign in each.lost):
            return True
    return False


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
        return [track for track in self.tracks if not track.closed and not track.deleted]


def look_at(data: StudyRuns, tracks: Iterable[Track]) -> Progress:
    """Takes every look whose runs have ended, in order, and decides after each.

    A look uses the first seeds of the plan alone, whatever else was trained, so resuming changes no decision. It waits
    for every open question's runs. A fixed design looks at what is there.
    """
    tracks = tuple(tracks)
    plan = data.plan or SeedPlan((), (max(1, int(data.runs["seed"].nunique())),))
    counts = dict.fromkeys(data.study.variants, plan.looks[0])
    selected = set(data.study.selected or data.study.variants)
    for track in tracks:
        if track.question is None or not set(track.variants) <= selected:
            track.closed = SUSPENDED
    for number, (count, weight) in enumerate(zip(plan.looks, plan.weights, strict=True), start=1):
        seeds = plan.seeds[:count]
        asking = [track for track in tracks if not track.closed and not track.deleted]
        if number > 1 and not asking:
            break
        counts.update({name: count for track in asking for name in track.variants})
        if plan.is_sequential and not all(data.has_ended(name, seeds) for each in asking for name in each.variants):
            return Progress(tracks, number, counts)
        view = data.first(count)
        for track in tracks:
            ready = not plan.is_sequential or all(data.has_ended(name, seeds) for name in track.variants)
            if len(track.looks) == number - 1 and track.closed in ("", SUSPENDED) and ready:
                track.take_look(view, weight)
        decide(tracks, number, plan)
    return Progress(tracks, 0, counts)


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
    elif track.difference.significant or track.equivalence.significant or _untestable(track):
        track.closed = FAILED_RUNS
    elif plan.is_sequential and look < len(plan.looks):
        effects = [each.effect for each in track.looks[-1]]
        track.images = images_needed(effects, question)
        if track.images:
            track.closed = FEW_IMAGES
        elif is_hopeless(effects, question, plan.looks[-1]):
            track.closed = HOPELESS


def _untestable(track: Track) -> bool:
    """Whether so few runs finished that more seeds would hardly give a test."""
    return any(each.effect.interval.n < 2 for each in track.looks[-1]) or not track.looks[-1]
