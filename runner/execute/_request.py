"""A request to train studies, and its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.expand import Overrides, ResolvedStudy

LOCAL, RAY = EXECUTORS = ("local", "ray")


@dataclass(frozen=True)
class Request:
    """What you ask for on the command line or in a notebook."""

    studies: Sequence[str | dict[str, Any] | ResolvedStudy] = ("mlp",)
    overrides: Overrides = field(default_factory=Overrides)
    data: Path = Path("data")
    runs: Path = Path("runs")
    reports: Path = Path("reports")
    workers: int | None = None
    device: str = "auto"
    executor: str = LOCAL
    address: str | None = None  # of the Ray cluster
    retrain: bool = False
    fail_fast: bool = False
    dry_run: bool = False
    skip_unreadable: bool = False
    name: str | None = None  # for a study that is a dict


@dataclass(frozen=True)
class Outcome:
    """The names of the studies that ran, and how many of their runs failed."""

    names: tuple[str, ...]
    failed: int
