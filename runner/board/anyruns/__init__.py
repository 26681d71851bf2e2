"""Any runs: groups the runs that other programs wrote into variants and seeds, and compares them."""

from runner.board.anyruns._anyruns import answer
from runner.board.anyruns._grouping import Grouping, Member, group
from runner.board.anyruns._guess import guess_pattern
from runner.board.anyruns._hparams import Session, group_by_hparams, is_by_clock, is_place, is_seed, sessions_of
from runner.board.anyruns._pattern import parse_pattern
from runner.board.anyruns._query import BY_HPARAMS, AnyQuery, QueryError
from runner.board.anyruns._read import SeriesCache
from runner.board.anyruns._tags import is_lower_better, sorted_tags, useful_tags

__all__ = [
    "BY_HPARAMS",
    "AnyQuery",
    "Grouping",
    "Member",
    "QueryError",
    "SeriesCache",
    "Session",
    "answer",
    "group",
    "group_by_hparams",
    "guess_pattern",
    "is_by_clock",
    "is_lower_better",
    "is_place",
    "is_seed",
    "parse_pattern",
    "sessions_of",
    "sorted_tags",
    "useful_tags",
]
