"""Writes what TensorBoard shows: runs, means over seeds, columns of hparams. No other room writes events."""

from runner.logs._evaluation import write_evaluation
from runner.logs._events import copy_epochs
from runner.logs._hparams import hparams, search_sessions
from runner.logs._own_log import OwnLog, at_best
from runner.logs._pictures import confusion, encoded, has_pictures
from runner.logs._roles import roles
from runner.logs._run_pictures import RUN_PICTURES
from runner.logs._scalars import read_scalars
from runner.logs._summary import is_older_mean, write_card, write_mean, write_root
from runner.logs._writer import RunLog

__all__ = [
    "RUN_PICTURES",
    "OwnLog",
    "RunLog",
    "at_best",
    "confusion",
    "copy_epochs",
    "encoded",
    "has_pictures",
    "hparams",
    "is_older_mean",
    "read_scalars",
    "roles",
    "search_sessions",
    "write_card",
    "write_evaluation",
    "write_mean",
    "write_root",
]
