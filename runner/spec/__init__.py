"""Turns a study's dict into checked, frozen settings, reports all errors at once, and computes a run's digest."""

from runner.spec.problems import Kind, Problem, RequestError
from runner.spec.questions import Question
from runner.spec.settings import NO_LIMIT, Settings, dataset_label, is_reference, level_of, neutral_values
from runner.spec.study import BASELINE, Study, available

__all__ = [
    "BASELINE",
    "NO_LIMIT",
    "Kind",
    "Problem",
    "Question",
    "RequestError",
    "Settings",
    "Study",
    "available",
    "dataset_label",
    "is_reference",
    "level_of",
    "neutral_values",
]
