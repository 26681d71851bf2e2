"""Turns a search spec into runs with Optuna, on the same workers, logs and directories as a study."""

from runner.search._record import Record, find_record, is_search, read_record
from runner.search._run import SearchOutcome, search
from runner.search._suggest import importances
from runner.search._winners import (
    CLAIMED,
    RANDOM_WINNER,
    RUNNER_UP,
    WINNER,
    winner_name,
    winners_name,
    write_ablation,
    write_comparison,
)

__all__ = [
    "CLAIMED",
    "RANDOM_WINNER",
    "RUNNER_UP",
    "WINNER",
    "Record",
    "SearchOutcome",
    "find_record",
    "importances",
    "is_search",
    "read_record",
    "search",
    "winner_name",
    "winners_name",
    "write_ablation",
    "write_comparison",
]
