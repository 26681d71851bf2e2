"""The tables of what a study may name, one table per concept. An addition is one entry in one table."""

from runner.catalog._activations import ACTIVATIONS
from runner.catalog._datasets import DATASETS, DataSet, Downloaded, Packaged, carved
from runner.catalog._entries import Entry
from runner.catalog._initializations import INITIALIZATIONS
from runner.catalog._losses import LOSSES, OWN_LOSS_SETTINGS, Loss
from runner.catalog._models import MODEL_SETTINGS, MODELS, Shape, is_torchvision, reads, torchvision_name
from runner.catalog._monitors import MONITORS
from runner.catalog._rates import Rates
from runner.catalog._schedules import ALIASES, SCHEDULES, find_schedule, torch_schedules

__all__ = [
    "ACTIVATIONS",
    "ALIASES",
    "DATASETS",
    "INITIALIZATIONS",
    "LOSSES",
    "MODELS",
    "MODEL_SETTINGS",
    "MONITORS",
    "OWN_LOSS_SETTINGS",
    "SCHEDULES",
    "DataSet",
    "Downloaded",
    "Entry",
    "Loss",
    "Packaged",
    "Rates",
    "Shape",
    "carved",
    "find_schedule",
    "is_torchvision",
    "reads",
    "torch_schedules",
    "torchvision_name",
]
