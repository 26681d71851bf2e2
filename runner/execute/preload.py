"""Imported once, by the server that workers are forked from: what each of them would import for seconds."""

import signal

import torch

import runner.arguments
import runner.execute.local
import runner.execute.measure
import runner.logs.writer  # noqa: F401

torch.optim.SGD([torch.zeros(1)])  # an optimizer's first use imports for seconds
# A SIGTERM to the whole group must leave the server: without it the runner takes its workers for dead and goes, and
# they with it.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
