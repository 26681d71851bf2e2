"""The tables of what a study may name, one table per concept. An addition is one entry in one table."""

from runner.catalog._activations import ACTIVATIONS, Activation
from runner.catalog._datasets import DATASETS, DataSet, Downloaded, Packaged, carved
from runner.catalog._entries import Entry
from runner.catalog._initializations import INITIALIZATIONS, Initialization
from runner.catalog._models import MODEL_SETTINGS, MODELS, Model, Shape, reads
from runner.catalog._schedules import SCHEDULES, Schedule

__all__ = [
    "ACTIVATIONS",
    "DATASETS",
    "INITIALIZATIONS",
    "MODELS",
    "MODEL_SETTINGS",
    "SCHEDULES",
    "Activation",
    "DataSet",
    "Downloaded",
    "Entry",
    "Initialization",
    "Model",
    "Packaged",
    "Schedule",
    "Shape",
    "carved",
    "reads",
]
