"""Run tables to effects and verdicts. What it decides, pages, figures, TensorBoard and the runner itself take from it.

It knows no model, and draws nothing.
"""

from runner.verdicts._comparisons import Comparison
from runner.verdicts._effects import (
    BETTER_THAN,
    SAME_AS,
    WORSE_THAN,
    EffectRow,
    EffectsTable,
    effects_in,
    effects_table,
    most_accurate_first,
)
from runner.verdicts._ended import ended_runs
from runner.verdicts._imbalance import PARTS, Majority, Narrow
from runner.verdicts._runs import Lost, StudyRuns
from runner.verdicts._tables import gather
from runner.verdicts._verdicts import REFUTED, SUPPORTED, UNDECIDED, Verdict, judge, weigh

__all__ = [
    "BETTER_THAN",
    "PARTS",
    "REFUTED",
    "SAME_AS",
    "SUPPORTED",
    "UNDECIDED",
    "WORSE_THAN",
    "Comparison",
    "EffectRow",
    "EffectsTable",
    "Lost",
    "Majority",
    "Narrow",
    "StudyRuns",
    "Verdict",
    "effects_in",
    "effects_table",
    "ended_runs",
    "gather",
    "judge",
    "most_accurate_first",
    "weigh",
]
