"""Writes what TensorBoard shows: runs, means over seeds, columns of hparams. No other room writes events.

What writes a run's own events needs torch, which takes seconds to import, so it is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from runner.logs._hparams import hparams, search_sessions
from runner.logs._pictures import confusion, encoded, has_pictures
from runner.logs._scalars import read_scalars
from runner.logs._summary import is_older_mean, write_card, write_mean, write_root

if TYPE_CHECKING:
    from runner.logs._evaluation import write_evaluation
    from runner.logs._own_log import OwnLog, at_best
    from runner.logs._roles import roles
    from runner.logs._run_pictures import RUN_PICTURES
    from runner.logs._writer import RunLog

_WITH_TORCH = {
    "RUN_PICTURES": "_run_pictures",
    "OwnLog": "_own_log",
    "RunLog": "_writer",
    "at_best": "_own_log",
    "roles": "_roles",
    "write_evaluation": "_evaluation",
}

__all__ = [
    "RUN_PICTURES",
    "OwnLog",
    "RunLog",
    "at_best",
    "confusion",
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


def __getattr__(name: str) -> Any:
    if name not in _WITH_TORCH:
        raise AttributeError(name)
    return getattr(import_module(f"runner.logs.{_WITH_TORCH[name]}"), name)
