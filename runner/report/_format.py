"""Numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from runner.metrics import Unit
from runner.stats import Interval
from runner.store import PARTS
from runner.text import escaped, one_line
from runner.verdicts import EffectRow, Lost, Majority, Narrow

_CAUSE, _NAMED, _GROUPS = 100, 5, 3  # characters of a cause; classes, and groups of seeds, in a sentence
Write = Callable[[str], str]  # how names and causes are written: `escaped` in Markdown, `one_line` on a terminal


def seeds_text(seeds: Iterable[int]) -> str:
    """Seeds as in "seed 3" and "seeds 0, 1, 4".

    >>> seeds_text([4, 0, 1])
    'seeds 0, 1, 4'
    """
    ordered = sorted(seeds)
    return f"seed{'s' if len(ordered) > 1 else ''} {', '.join(map(str, ordered))}"


def lost_runs(lost: Sequence[Lost], write: Write = escaped) -> str:
    """Failed runs by variant and cause, as a clause. Runs that the machine stopped come last."""
    groups: dict[tuple[str, str, bool], list[int]] = {}
    for each in lost:
        groups.setdefault((each.variant, _cause(each.cause), each.machines), []).append(each.seed)
    named = {
        machines: ", ".join(
            f"{write(variant)} {seeds_text(seeds)}" + (f" ({write(cause)})" if cause else "")
            for (variant, cause, own), seeds in groups.items()
            if own == machines
        )
        for machines in (False, True)
    }
    again = f"{named[True]} stopped by the machine (rerun the same command)" if named[True] else ""
    return "; ".join(part for part in (named[False], again) if part)


def _cause(cause: str) -> str:
    line = one_line(cause)
    return line if len(line) <= _CAUSE else line[: _CAUSE - 1].rstrip() + "…"


def narrow_text(found: Sequence[Narrow], write: Write = escaped) -> str:
    """Which variants never predict some class, as a clause; those that agree together."""
    variants: dict[str, list[str]] = {}
    for name in dict.fromkeys(each.variant for each in found):
        variants.setdefault(_narrow_clause([each for each in found if each.variant == name], write), []).append(name)
    return "; ".join(f"{', '.join(map(write, names))}: {clause}" for clause, names in variants.items())


def _narrow_clause(own: Sequence[Narrow], write: Write) -> str:
    """Of one variant: the classes with their seeds, or where seeds differ much how many classes."""
    if len(own) <= _GROUPS:
        return " and ".join(f"{_predicts(each, write)} ({seeds_text(each.seeds)})" for each in own)
    seeds = seeds_text(seed for each in own for seed in each.seeds)
    if all(each.only is not None for each in own):
        return f"only one class predicted, not always the same one ({seeds})"
    most = max(len(each.never) for each in own)
    return f"up to {most} classes never predicted in a run ({seeds})"


def _predicts(own: Narrow, write: Write) -> str:
    if own.only is not None:
        return f'only "{write(own.only)}" predicted'
    return f"{few(own.never, write)} never predicted"


def few(names: Sequence[str], write: Write = escaped) -> str:
    """The first five names in quotes, and how many more."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(f'"{write(name)}"' for name in names[:_NAMED]) + more


def majority_text(majority: Majority, write: Write = escaped) -> str:
    """What always predicting the majority class would give, as a clause."""
    return f"Always predicting {write(majority.name)} gives {percents(majority)}"


def percents(majority: Majority) -> str:
    """The majority class's share of each part: one number where they are alike."""
    shares = {part: f"{100 * share:.2f}%" for part, share in majority.shares.items()}
    if len(set(shares.values())) == 1:
        return next(iter(shares.values()))
    return " and ".join(f"{share} on {PARTS[part]}" for part, share in shares.items())


def percent(share: Interval) -> str:
    """A share with half its 95% interval, in percent, as in 94.60 ± 0.41."""
    return plus_minus(share.estimate * 100, share.low * 100, 2)


def plus_minus(estimate: float, low: float, digits: int) -> str:
    """A mean with half its 95% interval, as in 94.60 ± 0.41; the mean alone where there is none."""
    if math.isnan(estimate):
        return "-"
    half = f" ± {estimate - low:.{digits}f}" if math.isfinite(low) else ""
    return f"{estimate:z.{digits}f}{half}"


def own_mean(mean: Interval) -> str:
    """A mean of a metric that your own training reports, with half its interval to two digits.

    >>> own_mean(Interval(0.81234, 0.80824, 0.81644, 3)), own_mean(Interval(12345.0, math.nan, math.nan, 1))
    ('0.8123 ± 0.0041', '12345')
    """
    value, half = mean.estimate, mean.estimate - mean.low
    if not math.isfinite(value):
        return "-" if math.isnan(value) else f"{value}"
    if not 1e-4 <= abs(value) < 1e7 and value:
        return f"{value:.3g}" + (f" ± {half:.2g}" if math.isfinite(half) else "")
    if math.isfinite(half) and half > 0:
        return plus_minus(value, mean.low, min(max(1 - math.floor(math.log10(half)), 0), 6))
    return plus_minus(value, mean.low, max(3 - math.floor(math.log10(abs(value) or 1.0)), 0))


def effect_text(row: EffectRow, unit: Unit = Unit.SHARE) -> str:
    """An effect with its interval, as in +0.52 [+0.10, +0.94]; on an accuracy in percentage points.

    It ends in the number of pairs where the baseline finished on fewer seeds.
    """
    return difference_text(row.effect, unit) + (f" (n = {row.effect.n})" if 0 < row.effect.n < row.n else "")


def difference_text(difference: Interval, unit: Unit) -> str:
    """A difference with its interval, of shares in percentage points; the estimate alone where there is none."""
    if unit is Unit.SHARE or math.isnan(difference.estimate):
        return points(difference)
    bounds = [unit.text(bound, unit=False) for bound in (difference.low, difference.high) if math.isfinite(bound)]
    return unit.text(difference.estimate, unit=False) + (f" [{', '.join(bounds)}]" if len(bounds) == 2 else "")


def points(difference: Interval) -> str:
    """A difference of shares in percentage points with its interval; the estimate alone where there is none.

    >>> points(Interval(-0.00001, -0.01, 0.01, 3))
    '+0.00 [-1.00, +1.00]'
    """
    if math.isnan(difference.estimate):
        return "-"
    text = f"{100 * difference.estimate:+z.2f}"
    if not math.isfinite(difference.low):
        return text
    return f"{text} [{100 * difference.low:+z.2f}, {100 * difference.high:+z.2f}]"


def p_text(p: float) -> str:
    """A p as papers print it, with a fourth digit around .05."""
    if math.isnan(p):
        return "-"
    if 0.0495 <= p < 0.0505:
        return f"{p:.4f}".replace("0.", ".", 1)
    return "< .001" if p < 0.001 else f"{p:.3f}".replace("0.", ".", 1)
