"""A search's runs and its report; `write` draws and writes it."""

from runner.report.search._runs import SearchRuns, importance_table, read_search

__all__ = [
    "SearchRuns",
    "importance_table",
    "read_search",
]
