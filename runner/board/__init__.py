"""The TensorBoard tab: serves what the report shows, and compares runs that any other program wrote."""

from runner.board._anyruns import answer
from runner.board._query import AnyQuery, QueryError
from runner.board._read import SeriesCache

__all__ = ["AnyQuery", "QueryError", "SeriesCache", "answer"]
