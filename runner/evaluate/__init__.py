"""Evaluates a finished run's best epoch: metrics, confusion matrices, your own images."""

from runner.evaluate.evaluation import evaluate
from runner.evaluate.own_images import classify
from runner.evaluate.results import Classified, Evaluation
from runner.evaluate.tables import show, show_classes

__all__ = ["Classified", "Evaluation", "classify", "evaluate", "show", "show_classes"]
