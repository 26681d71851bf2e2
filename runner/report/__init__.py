"""Effects and verdicts to words. It decides nothing and knows no model. Only `write` and `search.write` draw."""

from runner.report._answers import answer_line, lacks
from runner.report._curves import banded, own_curves, stepped, suits_log
from runner.report._factorial import contrasts
from runner.report._front import EFFECTS_TABLE, RUNS_TABLE, front_page, read_front
from runner.report._levels import level_lines
from runner.report._listing import studies_in, unreadable
from runner.report._looks import looks
from runner.report._page import notes, title
from runner.report._predictions import confusions, predicted
from runner.report._results import remarks
from runner.report._sections import detail
from runner.report._terminal import show_results

__all__ = [
    "EFFECTS_TABLE",
    "RUNS_TABLE",
    "answer_line",
    "banded",
    "confusions",
    "contrasts",
    "detail",
    "front_page",
    "lacks",
    "level_lines",
    "looks",
    "notes",
    "own_curves",
    "predicted",
    "read_front",
    "remarks",
    "show_results",
    "stepped",
    "studies_in",
    "suits_log",
    "title",
    "unreadable",
]
