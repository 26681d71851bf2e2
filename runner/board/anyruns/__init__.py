"""Any runs: groups the runs that other programs wrote into variants and seeds, and compares them."""

from runner.board.anyruns._anyruns import answer
from runner.board.anyruns._query import AnyQuery, QueryError
from runner.board.anyruns._read import SeriesCache

__all__ = ["AnyQuery", "QueryError", "SeriesCache", "answer"]
