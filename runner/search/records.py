"""What searches have recorded, for the rooms that read it: runs, winners, importances. Importing it loads Optuna."""

from runner.search._record import Record, find_record, is_search, read_record
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
    "find_record",
    "importances",
    "is_search",
    "read_record",
    "winner_name",
    "winners_name",
    "write_ablation",
    "write_comparison",
]
