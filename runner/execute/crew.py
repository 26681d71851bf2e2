"""The crew of a command, for the rooms that train. Importing it loads torch."""

from runner.execute._measure import measure
from runner.execute._opened import OpenCrew, open_crew
from runner.execute._policy import NoWorkers
from runner.execute._training import CHECKPOINT_SECONDS

__all__ = [
    "CHECKPOINT_SECONDS",
    "NoWorkers",
    "OpenCrew",
    "measure",
    "open_crew",
]
