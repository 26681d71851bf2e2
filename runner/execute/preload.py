"""Imported once, by the server that workers are forked from: what each of them would import for seconds."""

import torch

import runner.execute.workers
import runner.logs.writer  # noqa: F401

torch.optim.SGD([torch.zeros(1)])  # an optimizer's first use imports for seconds
