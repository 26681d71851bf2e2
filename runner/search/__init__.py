"""A search spec to runs, by Optuna: the same workers, logs and directories as a study's."""

from runner.search.run import SearchOutcome, search

__all__ = ["SearchOutcome", "search"]
