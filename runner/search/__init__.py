"""Turns a search spec into runs with Optuna, on the same workers, logs and directories as a study."""

from runner.search._run import SearchOutcome, search

__all__ = ["SearchOutcome", "search"]
