"""Run tables to effects and verdicts. What it decides, pages, figures, TensorBoard and the runner itself take from it.

It knows no model, and draws nothing.
"""

from runner.verdicts._comparisons import Comparison
from runner.verdicts._declared import Declared
from runner.verdicts._effects import (
    BETTER_THAN,
    SAME_AS,
    WORSE_THAN,
    EffectRow,
    EffectsTable,
    best_variants_first,
    effects_in,
    effects_table,
    pairs,
)
from runner.verdicts._ended import EndedRun, RunReader, ended_runs, read_steps
from runner.verdicts._failed import Lost
from runner.verdicts._imbalance import Majority, Narrow
from runner.verdicts._looks import Progress, decide
from runner.verdicts._needed import Needed
from runner.verdicts._runs import StudyRuns
from runner.verdicts._tables import gather
from runner.verdicts._track import DECIDED, FAILED_RUNS, FEW_IMAGES, HOPELESS, Track
from runner.verdicts._verdict import Exploratory, Verdict
from runner.verdicts._verdicts import judge, progress
from runner.verdicts._warnings import TwoGroups, cut_off, lower_group, two_groups
from runner.verdicts._weigh import (
    EQUIVALENT,
    REFUTED,
    SUPPORTED,
    UNDECIDED,
    weigh,
    weigh_best,
    weigh_equivalence,
)

__all__ = [
    "BETTER_THAN",
    "DECIDED",
    "EQUIVALENT",
    "FAILED_RUNS",
    "FEW_IMAGES",
    "HOPELESS",
    "REFUTED",
    "SAME_AS",
    "SUPPORTED",
    "UNDECIDED",
    "WORSE_THAN",
    "Comparison",
    "Declared",
    "EffectRow",
    "EffectsTable",
    "EndedRun",
    "Exploratory",
    "Lost",
    "Majority",
    "Narrow",
    "Needed",
    "Progress",
    "RunReader",
    "StudyRuns",
    "Track",
    "TwoGroups",
    "Verdict",
    "best_variants_first",
    "cut_off",
    "decide",
    "effects_in",
    "effects_table",
    "ended_runs",
    "gather",
    "judge",
    "lower_group",
    "pairs",
    "progress",
    "read_steps",
    "two_groups",
    "weigh",
    "weigh_best",
    "weigh_equivalence",
]
