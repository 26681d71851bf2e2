"""Run tables to effects and verdicts, and those to words. It knows no model. Only `write` and `search.write` draw."""

from runner.report._effects import EffectsTable, effects_table
from runner.report._ended import ended_runs
from runner.report._front import EFFECTS_TABLE, RUNS_TABLE, front_page, read_front
from runner.report._page import notes
from runner.report._runs import StudyRuns
from runner.report._tables import gather, studies_in, unreadable
from runner.report._terminal import show_table
from runner.report._verdicts import REFUTED, SUPPORTED, judge, weigh

__all__ = [
    "EFFECTS_TABLE",
    "REFUTED",
    "RUNS_TABLE",
    "SUPPORTED",
    "EffectsTable",
    "StudyRuns",
    "effects_table",
    "ended_runs",
    "front_page",
    "gather",
    "judge",
    "notes",
    "read_front",
    "show_table",
    "studies_in",
    "unreadable",
    "weigh",
]
