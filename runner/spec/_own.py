"""A study with its own training: a function or a command, its metrics, and settings that are any plain data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.measures import MetricSet, own_metrics


@dataclass(frozen=True)
class OwnTraining:
    """How a study trains its runs itself, and what counts.

    train       package.module:function, called with (settings, run); empty for a command
    command     the program and its arguments, with placeholders such as {lr}, {seed} and {folder}
    metrics     each metric and which way is better: "more" or "less"
    monitor     the metric whose best step gives a run's metrics; empty: the last step
    time_limit  seconds after which a command is stopped; None: never
    """

    train: str = ""
    command: tuple[str, ...] = ()
    metrics: Mapping[str, str] = field(default_factory=dict, hash=False)
    monitor: str = ""
    time_limit: float | None = None

    @property
    def measures(self) -> MetricSet:
        """The metrics that questions may ask about."""
        return own_metrics(self.metrics, self.monitor)

    def identity(self) -> dict[str, Any]:
        """Returns what decides a run's numbers, as plain data: not the time limit, nor which way is better."""
        given = {"train": self.train, "command": list(self.command), "monitor": self.monitor}
        return {key: value for key, value in given.items() if value}


@dataclass(frozen=True)
class FreeSettings:
    """One complete set of settings, without the seed, of a study with its own training."""

    values: Mapping[str, Any] = field(hash=False)
    training: OwnTraining

    epochs = 1  # a run is one piece of work: how far it is, only its own code knows
    patience = 0

    def plain(self) -> dict[str, Any]:
        """Returns the settings as plain JSON data; the caller may change them."""
        copied: dict[str, Any] = json.loads(json.dumps(dict(self.values)))
        return copied

    def digest(self, files: Mapping[str, str] | None = None) -> str:
        """Returns eight hex digits that identify the settings and what trains; `files` as in `Settings.digest`."""
        mine = {"settings": dict(self.values)} | self.training.identity() | ({"files": dict(files)} if files else {})
        canonical = json.dumps(mine, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:8]

    def __hash__(self) -> int:
        return hash(self.digest())

    def differences(self, other: FreeSettings) -> dict[str, Any]:
        """Returns the settings that differ from `other`'s, with the values here, as plain data."""
        return {key: value for key, value in self.plain().items() if value != other.values.get(key)}
