"""How many seeds, or images, a question still needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from runner.power import POWER, detectable, seeds_needed, spread_interval
from runner.spec import Question
from runner.stats import ALPHA, Effect, equivalence_p, outside_p


@dataclass(frozen=True)
class Needed:
    """Seeds for a smallest difference: as the spread of `n` seeds was, and as low and high as it may be (95%)."""

    seeds: int
    low: int | None
    high: int | None  # None: beyond all counting
    n: int


def needed(effects: Sequence[Effect], question: Question, family: int) -> Needed | None:
    """The seeds that would show the smallest difference that matters, by the open comparison that spreads most.

    `family` is the number of questions in Holm's strictest step. None without such a difference or spread.
    """
    smallest, alpha = question.smallest, ALPHA / family
    equal = question.expect == "equal"
    effects = [effect for effect in effects if _over_seeds_alone(effect)]
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


def _over_seeds_alone(effect: Effect) -> bool:
    """Whether seeds are the only source of variation, so that more of them narrow the interval without an end."""
    if not effect.spread > 0 or len(effect.parts) != 1:
        return False
    return math.isclose(effect.parts[0][0], effect.spread / math.sqrt(effect.interval.n))


def is_hopeless(effects: Sequence[Effect], question: Question, most: int) -> bool:
    """Whether even an optimist expects no answer from `most` seeds.

    The optimist takes the lower end of the spread's 95% interval, and no correction. The true effect may be as large as
    its estimate or as `smallest`, or there is none and equivalence is to be shown. Stopping for this only saves seeds,
    and never makes an answer (a non-binding futility rule).
    """
    smallest = question.smallest
    if not smallest or not all(map(_over_seeds_alone, effects)):
        return False
    larger: list[bool] = []  # for each difference: whether it may be shown
    within: list[bool] = []  # whether it may be shown to be within the margin
    for effect in effects:
        spread, estimate = spread_interval(effect.spread, effect.interval.n)[0], abs(effect.interval.estimate)
        beyond = max(estimate - smallest, 0.0) if question.expect == "equal" else max(estimate, smallest)
        larger.append(beyond >= spread * detectable(most))
        within.append(smallest >= spread * detectable(most, equal=True))
    one_is_enough = question.expect in ("more", "less", "equal") and not question.best_of  # to refute it
    return not (all(within) or all(larger) or (one_is_enough and any(larger)))


def images_needed(effects: Sequence[Effect], question: Question) -> int:
    """How many images a question about new images needs, where with any number of seeds the present ones are too few.

    0 where they suffice, for a question about these images, and for one without a smallest difference. With endless
    seeds only the images' part of the standard error remains. It is too large where a difference as large as the
    smallest one or as the estimate would be found with a power below .8: where error * (t + z_.8) exceeds it.
    """
    if question.images != "new" or not question.smallest:
        return 0
    most = 0
    for effect in effects:
        if len(effect.parts) == 2 and (error := effect.parts[1][0]) > 0:
            df = effect.parts[1][1]
            least = error * (float(stats.t.isf(ALPHA / 2, df)) + float(stats.norm.isf(1 - POWER)))
            if least > max(question.smallest, abs(effect.interval.estimate)):
                most = max(most, math.ceil((df + 1) * (least / question.smallest) ** 2))
    return most
