"""A question on its way through the looks: what each look says, and whether that decides it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from runner.spec import Question
from runner.stats import ALPHA, Effect
from runner.verdicts._comparisons import Comparison, comparisons, largest_differences
from runner.verdicts._declared import Declared
from runner.verdicts._runs import StudyRuns
from runner.verdicts._weigh import SUPPORTED, weigh, weigh_best, weigh_equivalence

# Why a question asks for no more seeds.
DECIDED, HOPELESS, FEW_IMAGES, FAILED_RUNS = "decided", "hopeless", "few images", "failed runs"


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
    suspended whether the command leaves out variants that it names; it asks for no seeds meanwhile
    decided   the look at which it was decided; 0 for none
    images    how many images it would take, where the present ones are too few
    """

    declared: Declared
    variants: tuple[str, ...]
    exploratory: bool = False
    deleted: bool = False
    suspended: bool = False
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

    @property
    def is_asking(self) -> bool:
        """Whether it asks for more seeds."""
        return not (self.closed or self.suspended or self.deleted)

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
    expected = question.direction
    for each in found:
        if not leaning:
            called = 0
        elif question.best_of:
            called = question.measure.better
            if called and each.effect.interval.estimate * called < 0:  # better where it finished, but it diverged
                return True
        elif expected:
            called = expected if leaning == SUPPORTED else -expected
        else:
            called = int(np.sign(np.nan_to_num(each.effect.interval.estimate)))
        if any(not sign or sign != called for sign in each.lost):
            return True
    return False
