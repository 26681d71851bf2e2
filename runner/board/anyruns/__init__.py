"""Any runs: groups the runs that other programs wrote into variants and seeds, and compares them."""

from runner.board.anyruns._anyruns import answer
from runner.board.anyruns._grouping import Member, group
from runner.board.anyruns._guess import guess_pattern
from runner.board.anyruns._pattern import parse_pattern
from runner.board.anyruns._query import AnyQuery, QueryError
from runner.board.anyruns._read import SeriesCache
from runner.board.anyruns._tags import is_lower_better, sorted_tags, useful_tags

__all__ = [
    "AnyQuery",
    "Member",
    "QueryError",
    "SeriesCache",
    "answer",
    "group",
    "guess_pattern",
    "is_lower_better",
    "parse_pattern",
    "sorted_tags",
    "useful_tags",
]
