"""Where a run's metrics are taken: at its last step, at the best step of one metric, or at a given step."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from runner.events import Steps
from runner.spec import Kind, Problem, RequestError

_BEST = "best:"


@dataclass(frozen=True)
class At:
    """`best` is the tag whose best step counts; `step` the step that counts; with neither, each tag's last step."""

    best: str = ""
    step: int | None = None

    @classmethod
    def parse(cls, text: str) -> At:
        """Reads last, best:TAG or a step. Raises RequestError."""
        if text == "last":
            return cls()
        if text.startswith(_BEST) and text != _BEST:
            return cls(best=text.removeprefix(_BEST))
        if text.isdecimal() and len(text) < 19:
            return cls(step=int(text))
        what = f"got {text!r}; expected last, best:TAG such as best:val/loss, or a step such as 100."
        raise RequestError([Problem(Kind.VALUE, "--at", what)])


def measured(scalars: Mapping[str, Steps], at: At, less: bool = False) -> dict[str, float]:
    """Returns each tag's value; a tag that has none there is left out, and all are where `at.best` is not logged.

    Of a tag that has no value at the step, the last one before it counts. The best step is the first with the best
    finite value; `less` says that small values are better.

    >>> measured({"loss": {1: 0.5, 2: 0.3, 3: 0.4}, "f1": {1: 0.1, 3: 0.9}}, At(best="loss"), less=True)
    {'loss': 0.3, 'f1': 0.1}
    """
    step = at.step
    if at.best:
        monitor = scalars.get(at.best, {})
        finite = [each for each in sorted(monitor) if math.isfinite(monitor[each])]
        if not finite:
            return dict.fromkeys(scalars, math.nan) if monitor else {}
        step = (min if less else max)(finite, key=lambda each: monitor[each])
    found = {}
    for tag, values in scalars.items():
        steps = sorted(values)
        place = len(steps) if step is None else bisect_right(steps, step)
        if place:
            found[tag] = values[steps[place - 1]]
    return found
