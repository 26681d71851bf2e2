"""A question and the runs to a verdict: supported, refuted or undecided, and in words what that means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from runner.metrics import METRICS
from runner.power import seeds_needed, spread_interval
from runner.spec import Question, dataset_label
from runner.stats import (
    ALPHA,
    Effect,
    equivalence_p,
    holm,
    outside_p,
)
from runner.verdicts._comparisons import Comparison, comparisons, wins
from runner.verdicts._declared import Declared
from runner.verdicts._imbalance import Majority, Narrow
from runner.verdicts._runs import Lost, StudyRuns

SUPPORTED, REFUTED, UNDECIDED = "supported", "refuted", "undecided"


@dataclass(frozen=True)
class Verdict:
    """A judged question. `p` is the question's own, `adjusted` Holm's over the study's questions."""

    declared: Declared
    comparisons: tuple[Comparison, ...]
    leaning: str  # what a small p would make it: supported or refuted
    p: float
    adjusted: float = math.nan
    exploratory: bool = False
    family: int = 1  # the questions that it was adjusted with
    wins: str = ""  # for best_of: in how many seeds it was the best
    missing: tuple[str, ...] = ()  # variants without a finished run
    lost: tuple[Lost, ...] = ()  # the failed runs of its variants
    contradicted: bool = False  # a diverged run could change the answer
    claim: str = ""  # where it is about this study's data
    narrow: tuple[Narrow, ...] = ()  # runs of its variants that never predict some class
    majority: Majority | None = None  # for a question about an accuracy

    @property
    def question(self) -> Question:
        """The question as it was declared; ValueError for a malformed one, which has no comparisons either."""
        if self.declared.question is None:
            raise ValueError(self.declared.malformed)
        return self.declared.question

    @property
    def answer(self) -> str:
        """Supported, refuted or undecided, after the correction and in view of failed runs."""
        return self.leaning if self.adjusted <= ALPHA and not self.contradicted else UNDECIDED

    @property
    def too_small(self) -> bool:
        """Whether it is decided, but every difference's whole interval is below the smallest one that matters."""
        question = self.question
        if self.answer == UNDECIDED or question.expect == "equal" or question.best_of:
            return False
        intervals = [each.effect.interval for each in self.comparisons]
        return all(max(abs(each.low), abs(each.high)) < (question.smallest or 0.0) for each in intervals)

    @property
    def judged(self) -> bool:
        """Whether there are runs to judge it by."""
        finished = self.comparisons and all(each.effect.interval.n for each in self.comparisons)
        return bool(finished) and not self.missing and not self.declared.malformed

    @property
    def needed(self) -> Needed | None:
        """The seeds that would show the smallest difference that matters, by the open comparison that spreads most.

        None without such a difference or spread.
        """
        smallest, alpha = self.question.smallest, ALPHA / self.family
        equal = self.question.expect == "equal"
        effects = [c.effect for c in self.comparisons if c.effect.spread > 0]
        if equal and smallest:  # asked of differences that may be none at all
            effects = [e for e in effects if not min(equivalence_p(e, smallest), outside_p(e, smallest)) <= alpha]
            open_ = [effect for effect in effects if effect.interval.low <= 0 <= effect.interval.high]
        else:
            open_ = [effect for effect in effects if not effect.p <= alpha]
        if not smallest or not open_:
            return None
        effect = max(open_, key=lambda effect: effect.spread)
        spreads = (effect.spread, *spread_interval(effect.spread, effect.interval.n))
        seeds, low, high = (seeds_needed(spread, smallest, alpha, equal) for spread in spreads)
        return Needed(seeds, low, high, effect.interval.n) if seeds else None


@dataclass(frozen=True)
class Needed:
    """Seeds for a smallest difference: as the spread of `n` seeds was, and as low and high as it may be (95%)."""

    seeds: int
    low: int | None
    high: int | None  # None: beyond all counting
    n: int


def judge(data: StudyRuns) -> list[Verdict]:
    """Every question of the study, adjusted by Holm: those declared before the runs among themselves, each
    exploratory one among all."""
    context = _Context(data.narrow, data.majority, _dataset(data))
    verdicts = [_judge_one(data, declared, context) for declared in data.questions]
    everyone = holm([verdict.p for verdict in verdicts])
    early = [verdict.p for verdict in verdicts if not verdict.exploratory]
    among_early = iter(holm(early))
    adjusted = [all_ if v.exploratory else next(among_early) for v, all_ in zip(verdicts, everyone, strict=True)]
    counts = {late: sum(not math.isnan(p) for p in ps) for late, ps in ((False, early), (True, everyone))}
    return [
        replace(verdict, adjusted=p, family=max(1, counts[verdict.exploratory]))
        for verdict, p in zip(verdicts, adjusted, strict=True)
    ]


@dataclass(frozen=True)
class _Context:
    """What every question's answer may have to mention."""

    narrow: list[Narrow]
    majority: Majority | None
    dataset: str


def _dataset(data: StudyRuns) -> str:
    settings = data.study.baseline
    return dataset_label(str(settings.get("dataset", "")))


def _judge_one(data: StudyRuns, declared: Declared, context: _Context) -> Verdict:
    question = declared.question
    if question is None:
        return Verdict(declared, (), SUPPORTED, math.nan)
    found, names = tuple(comparisons(data, question)), _variants(data, question)
    effects = [each.effect for each in found]
    missing = tuple(name for name in names if not len(data.finished(name)))
    if question.best_of:
        leaning, p = SUPPORTED, math.nan if missing or not effects else _all([effect.p for effect in effects])
    else:
        leaning, p = weigh(effects, question.expect, question.smallest)
    quoted = question.claim_for is None or context.dataset in question.claim_for
    return Verdict(
        declared,
        found,
        leaning,
        p,
        exploratory=_declared_late(data, names, declared),
        wins=wins(data, question) if found else "",
        missing=missing,
        lost=data.lost(names),
        contradicted=_contradicted(found, question, leaning),
        claim=question.claim or "" if quoted else "",
        narrow=tuple(each for each in context.narrow if each.variant in names),
        majority=context.majority if METRICS[question.metric].over_all else None,
    )


def _variants(data: StudyRuns, question: Question) -> list[str]:
    return list(data.levels(question.trend)) if question.trend else question.variants()


def _contradicted(found: Sequence[Comparison], question: Question, leaning: str) -> bool:
    """Whether a diverged run does not speak for the verdict that the finished runs lean to."""
    expected = {"more": 1, "less": -1}.get(question.expect, 0)
    for each in found:
        if question.best_of:
            called: int = METRICS[question.metric].better
            if called and each.effect.interval.estimate * called < 0:  # better where it finished, but it diverged
                return True
        elif expected:
            called = expected if leaning == SUPPORTED else -expected
        else:
            equal = question.expect == "equal" and leaning == SUPPORTED
            called = 0 if equal else int(np.sign(np.nan_to_num(each.effect.interval.estimate)))
        if any(not sign or sign != called for sign in each.lost):
            return True
    return False


def weigh(effects: Sequence[Effect], expect: str, smallest: float | None) -> tuple[str, float]:
    """Returns which way a question leans, and its p.

    The claim holds if every comparison is significant, so its p is the largest of their p-values (intersection-union
    test, Berger 1982). It is refuted if any comparison is significant in the other direction (Bonferroni-corrected).
    The claim "different" can't be refuted: the claim "equal" tests that.
    """
    if not effects or any(math.isnan(effect.interval.estimate) for effect in effects):
        return SUPPORTED, math.nan
    if expect == "equal":
        within, beyond = ([test(effect, smallest or 0.0) for effect in effects] for test in (equivalence_p, outside_p))
        supports, refutes = _all(within), _any(beyond, len(effects))
        untested = math.isnan(supports) and not math.isnan(refutes)
        return (REFUTED, refutes) if untested or refutes < supports else (SUPPORTED, supports)
    if expect == "different":
        return SUPPORTED, _all([effect.p for effect in effects])
    sign = 1 if expect == "more" else -1
    opposite = [effect.p for effect in effects if sign * effect.interval.estimate <= 0]
    if not opposite:
        return SUPPORTED, _all([effect.p for effect in effects])
    return REFUTED, _any(opposite, len(effects))


def _all(p_values: Sequence[float]) -> float:
    """That all hold: the largest p; nan where one can't be tested."""
    return float(np.max(p_values))


def _any(p_values: Sequence[float], count: int) -> float:
    """That one of `count` holds: the smallest p times the count; nan where none can be tested."""
    known = [p for p in p_values if not math.isnan(p)]
    return min(1.0, count * min(known)) if known else math.nan


def _declared_late(data: StudyRuns, names: Sequence[str], declared: Declared) -> bool:
    """Whether a run that it judges had ended before it was declared."""
    ends = [end for name in names if (end := data.first_ends.get(name))]
    return bool(ends) and declared.when > min(ends)
