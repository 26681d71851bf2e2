"""Imports what every worker needs, once, in the server that forks the workers: these imports take seconds."""

import os
import signal

import torch
import typer  # noqa: F401 (for the module of the command, which every worker imports)

import runner.execute._measure
import runner.execute._worker
import runner.logs  # noqa: F401
from runner.execute._processes import UNSAFE, UNSAFE_MARK

if os.environ.get(UNSAFE) == UNSAFE_MARK:  # set for this process alone, not for those that your code starts
    del os.environ[UNSAFE]
torch.optim.SGD([torch.zeros(1)])  # an optimizer's first use imports for seconds
# A SIGTERM to the whole group must not end the server: otherwise the runner mistakes its workers for dead and exits,
# and they exit with it.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
