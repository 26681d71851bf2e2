"""The tables of what a study may name, one table per concept. An addition is one entry in one table."""

from runner.catalog._activations import ACTIVATIONS
from runner.catalog._datasets import DATASETS, DataSet, Downloaded, Packaged, carved
from runner.catalog._entries import Entry
from runner.catalog._initializations import INITIALIZATIONS
from runner.catalog._models import MODEL_SETTINGS, MODELS, Shape, reads
from runner.catalog._schedules import SCHEDULES

__all__ = [
    "ACTIVATIONS",
    "DATASETS",
    "INITIALIZATIONS",
    "MODELS",
    "MODEL_SETTINGS",
    "SCHEDULES",
    "DataSet",
    "Downloaded",
    "Entry",
    "Packaged",
    "Shape",
    "carved",
    "reads",
]
