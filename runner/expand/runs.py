"""Variants, runs and cohorts: what a study's dict stands for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.spec import Question, Settings

SOURCE_SETTINGS = ("dataset", "image_size", "channels", "images_per_class", "background")  # which images
DATA_SETTINGS = (*SOURCE_SETTINGS, "normalize", "augment", "batch_size", "stream")  # and how they come


@dataclass(frozen=True)
class Variant:
    """One complete set of settings, seed apart, and what it changes against the baseline."""

    name: str
    settings: Settings
    changes: dict[str, Any] = field(hash=False)
    files: dict[str, str] = field(default_factory=dict, hash=False)  # that its arguments name: path to SHA-256

    @property
    def digest(self) -> str:
        """Eight hex digits from everything that decides its numbers, seed apart."""
        return self.settings.digest(self.files)

    @property
    def directory(self) -> str:
        """The name of its directory in the study's: <name>-<digest>."""
        return f"{self.name}-{self.digest}"


@dataclass(frozen=True)
class Run:
    """Variant x seed = one directory = one TensorBoard run."""

    study: str
    variant: Variant
    seed: int

    @property
    def folder(self) -> Path:
        """Relative to the directory of all runs."""
        return Path(self.study) / self.variant.directory / f"seed{self.seed}"

    @property
    def source_key(self) -> tuple[str, ...]:
        """What decides which images it sees: runs that agree in it share a cache."""
        return self.data_key[: len(SOURCE_SETTINGS)]

    @property
    def data_key(self) -> tuple[str, ...]:
        """What decides the stream of batches; runs that agree in it are one cohort."""
        plain = self.variant.settings.plain()
        return (*(json.dumps(plain[key], sort_keys=True) for key in DATA_SETTINGS), str(self.seed))


@dataclass(frozen=True)
class ResolvedStudy:
    """A study as asked for: all its variants, and of them the ones selected now."""

    name: str
    file: Path
    doc: str
    variants: tuple[Variant, ...]
    selected: tuple[Variant, ...]
    seeds: tuple[int, ...]
    questions: tuple[Question, ...]

    @property
    def is_dict(self) -> bool:
        """Whether a notebook or a script declared it, not a file in ablations/."""
        return self.file.suffix != ".py"

    def runs(self) -> list[Run]:
        """Seed by seed, so that every variant has its first result early."""
        return [Run(self.name, variant, seed) for seed in self.seeds for variant in self.selected]


def cohorts(runs: Iterable[Run]) -> list[list[Run]]:
    """Runs that share data settings and seed, in the order in which they first come."""
    groups: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(run.data_key, []).append(run)
    return list(groups.values())
