"""Trains learners on one stream of batches and yields their metrics, epoch by epoch. It knows no files."""

from runner.train._arithmetic import set_up_arithmetic
from runner.train._lane import abreast
from runner.train._learner import Learner, evaluation_batch
from runner.train._lockstep import Epoch, Failed, Finished, Interrupted, NonFiniteLoss, lockstep, measure
from runner.train._optimizer import make_optimizer

__all__ = [
    "Epoch",
    "Failed",
    "Finished",
    "Interrupted",
    "Learner",
    "NonFiniteLoss",
    "abreast",
    "evaluation_batch",
    "lockstep",
    "make_optimizer",
    "measure",
    "set_up_arithmetic",
]
