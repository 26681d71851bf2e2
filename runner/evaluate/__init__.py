"""Evaluates a finished run's best epoch: metrics, confusion matrices, your own images."""

from runner.evaluate._evaluation import evaluate
from runner.evaluate._own_images import classify
from runner.evaluate._results import Classified, Evaluation
from runner.evaluate._tables import show, show_classes

__all__ = [
    "Classified",
    "Evaluation",
    "classify",
    "evaluate",
    "show",
    "show_classes",
]
