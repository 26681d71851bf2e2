"""Run tables to effects and verdicts, and those to words. It knows no model; `write` draws, nothing else here does."""

from runner.report.effects import EffectsTable, effects_table
from runner.report.ended import ended_runs, is_readable
from runner.report.runs import StudyRuns
from runner.report.tables import gather, studies_in, unreadable
from runner.report.verdicts import Verdict, judge

__all__ = [
    "EffectsTable",
    "StudyRuns",
    "Verdict",
    "effects_table",
    "ended_runs",
    "gather",
    "is_readable",
    "judge",
    "studies_in",
    "unreadable",
]
