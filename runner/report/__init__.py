"""Effects and verdicts to words. It decides nothing and knows no model. Only `write` and `search.write` draw."""

from runner.report._front import EFFECTS_TABLE, RUNS_TABLE, front_page, read_front
from runner.report._listing import studies_in, unreadable
from runner.report._page import notes
from runner.report._terminal import show_table

__all__ = ["EFFECTS_TABLE", "RUNS_TABLE", "front_page", "notes", "read_front", "show_table", "studies_in", "unreadable"]
