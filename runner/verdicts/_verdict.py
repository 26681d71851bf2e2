"""A verdict: what a question's runs say, and what its reader must know."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from runner.spec import Question, SeedPlan
from runner.stats import ALPHA, Interval, equivalence_p
from runner.verdicts._comparisons import Comparison
from runner.verdicts._declared import Declared
from runner.verdicts._failed import Lost
from runner.verdicts._imbalance import Majority, Narrow
from runner.verdicts._needed import Needed
from runner.verdicts._warnings import TwoGroups
from runner.verdicts._weigh import EQUIVALENT, REFUTED, SUPPORTED, UNDECIDED


class Exploratory(Enum):
    """Why a verdict is exploratory."""

    LATE = auto()  # declared after runs that it judges
    SEEDS = auto()  # the planned seeds were changed after a verdict on them had been seen
    DELETED = auto()  # decided only because another question was deleted after its runs


@dataclass(frozen=True)
class Verdict:
    """A judged question.

    comparisons  with intervals of `level`: at the look that decided it, else at its last look
    answer       supported, refuted, practically equivalent or undecided: after the correction, in view of failed runs
    leaning      what a small p would make it: supported or refuted
    p            of what it leans to; `adjusted` is Holm's over the `family` questions that have one
    same_p       that no difference matters, with `same_adjusted` over the questions that have a smallest difference
    is_small     whether it is decided that no difference matters, whatever else is
    strict       the level of a single statement, where all of the family's at all looks err in at most 5% of studies
    looks        how many looks it has taken; `decided` is the look that decided it, 0 for none
    closed       why it asks for no more seeds
    images       how many images it would take, where the present ones are too few
    """

    declared: Declared
    comparisons: tuple[Comparison, ...]
    answer: str
    leaning: str
    p: float
    adjusted: float = math.nan
    same_p: float = math.nan
    same_adjusted: float = math.nan
    is_small: bool = False
    exploratory: tuple[Exploratory, ...] = ()
    family: int = 1
    level: float = 1 - ALPHA
    strict: float = 1 - ALPHA
    plan: SeedPlan | None = None
    looks: int = 1
    decided: int = 0
    closed: str = ""
    images: int = 0
    wins: str = ""  # for best_of: in how many seeds it was the best
    missing: tuple[str, ...] = ()  # variants without a finished run
    lost: tuple[Lost, ...] = ()  # the failed runs of its variants
    contradicted: bool = False  # a diverged run could change the answer
    claim: str = ""  # where it is about this study's data
    narrow: tuple[Narrow, ...] = ()  # runs of its variants that never predict some class
    majority: Majority | None = None  # for a question about an accuracy
    needed: Needed | None = None  # seeds that would show the smallest difference that matters
    unseen: int = 0  # the first seed that no verdict has seen
    command: str = ""  # that made the runs
    cut_off: tuple[int, int] | None = None  # runs that the limit of epochs stopped, of all, where they are most
    two_groups: tuple[TwoGroups, ...] = ()  # variants whose seeds fall into two groups

    @property
    def question(self) -> Question:
        """The question as it was declared; ValueError for a malformed one, which has no comparisons either."""
        if self.declared.question is None:
            raise ValueError(self.declared.malformed)
        return self.declared.question

    @property
    def is_sequential(self) -> bool:
        """Whether seeds are added where a question is open."""
        return self.plan is not None and self.plan.is_sequential

    @property
    def ended(self) -> int:
        """How many seeds all its comparisons have."""
        return min((each.effect.interval.n for each in self.comparisons), default=0)

    @property
    def too_small(self) -> bool:
        """Whether there is a difference, and it is decided that none matters."""
        return self.answer not in (UNDECIDED, EQUIVALENT) and self.question.expect != "equal" and self.is_small

    @property
    def at_least(self) -> bool | None:
        """Whether the differences that decide are shown to be at least the smallest one that matters; None: not asked.

        At the strict level, so that all such statements of a study err in at most 5% of studies.
        """
        question = self.question
        if self.answer in (UNDECIDED, EQUIVALENT) or not question.smallest or question.expect == "equal":
            return None
        intervals = [each.effect.at(self.strict).interval for each in self.comparisons]
        return _still_holds(question, self.answer, intervals, question.smallest)

    @property
    def new_images(self) -> bool | None:
        """Whether the answer holds for new images too, at the strict level; None where nothing says so."""
        found = [each.new_images for each in self.comparisons if each.new_images and each.new_images.parts]
        if not found or len(found) < len(self.comparisons) or self.answer == UNDECIDED:
            return None
        question, margin = self.question, self.question.smallest or 0.0
        if self.answer == EQUIVALENT or (question.expect == "equal" and self.answer == SUPPORTED):
            return all(equivalence_p(each, margin) <= 1 - self.strict for each in found)
        intervals = [each.at(self.strict).interval for each in found]
        return _still_holds(question, self.answer, intervals, margin if question.expect == "equal" else 0.0)

    @property
    def judged(self) -> bool:
        """Whether there are runs to judge it by."""
        finished = self.comparisons and all(each.effect.interval.n for each in self.comparisons)
        return bool(finished) and not self.missing and not self.declared.malformed


def _still_holds(question: Question, answer: str, intervals: Sequence[Interval], beyond: float) -> bool:
    """Whether a yes or no holds where these are the intervals of its differences: beyond `beyond` in its direction."""
    expected = question.direction
    above, below = ([own.low >= beyond and own.low > 0 for own in intervals],
                    [own.high <= -beyond and own.high < 0 for own in intervals])  # fmt: skip
    if answer == SUPPORTED and expected:
        return all(above if expected > 0 else below)
    if answer == REFUTED and expected:  # one in the other direction is enough
        return any(below if expected > 0 else above)
    each = [up or down for up, down in zip(above, below, strict=True)]
    return any(each) if question.expect == "equal" else all(each)
