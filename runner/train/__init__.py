"""Trains learners on one stream of batches and yields their metrics, epoch by epoch. It knows no files."""

from runner.train.arithmetic import set_up_arithmetic
from runner.train.learner import Learner, evaluation_batch
from runner.train.lockstep import Epoch, Failed, Finished, Interrupted, NonFiniteLoss, lockstep, measure

__all__ = [
    "Epoch", "Failed", "Finished", "Interrupted", "Learner", "NonFiniteLoss", "evaluation_batch", "lockstep", "measure",
    "set_up_arithmetic",
]  # fmt: skip
