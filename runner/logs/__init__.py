"""Writes what TensorBoard shows of a run while it trains, with torch's SummaryWriter."""

from runner.logs._evaluation import write_evaluation
from runner.logs._events import copy_epochs
from runner.logs._own_log import OwnLog, at_best
from runner.logs._pictures import confusion, encoded, has_pictures
from runner.logs._roles import roles
from runner.logs._run_pictures import RUN_PICTURES
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
    "roles",
    "write_evaluation",
]
