"""Variants, runs and cohorts: the content of a study after it is resolved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from runner.spec import FreeSettings, OwnTraining, Question, SeedPlan, Settings

SOURCE_SETTINGS = (
    "dataset",
    "dataset_args",
    "groups",
    "image_size",
    "resize",
    "channels",
    "images_per_class",
    "background",
    "split",
)  # which images
DATA_SETTINGS = (
    *SOURCE_SETTINGS,
    "normalize",
    "augment",
    "batch_size",
    "sampler",
    "stream",
)  # and in which order and form


@dataclass(frozen=True)
class Variant:
    """One complete set of settings without the seed, and what it changes from the baseline.

    What follows from the settings is computed once, and travels with a variant to the workers and back.
    """

    name: str
    settings: Settings | FreeSettings
    changes: dict[str, Any]
    files: dict[str, str] = field(default_factory=dict)  # named by its arguments: path to SHA-256

    @property
    def ours(self) -> Settings:
        """Its settings where the runner trains it. Raises TypeError where the study does."""
        if isinstance(self.settings, FreeSettings):
            raise TypeError(f"{self.name} has settings of its own")
        return self.settings

    def __hash__(self) -> int:
        return hash((self.name, self.digest))

    @cached_property
    def digest(self) -> str:
        """Eight hex digits from everything except the seed that decides its numbers."""
        return self.settings.digest(self.files)

    @cached_property
    def directory(self) -> str:
        """The name of its directory in the study's: <name>-<digest>."""
        return f"{self.name}-{self.digest}"


@dataclass(frozen=True)
class Run:
    """One variant with one seed: one directory and one TensorBoard run."""

    study: str
    variant: Variant
    seed: int

    @property
    def folder(self) -> Path:
        """The run's directory, relative to the directory of all runs."""
        return Path(self.study) / self.variant.directory / f"seed{self.seed}"

    @property
    def own(self) -> OwnTraining | None:
        """How its study trains it; None where the runner does."""
        return self.variant.settings.training if isinstance(self.variant.settings, FreeSettings) else None

    @property
    def source_key(self) -> tuple[str, ...]:
        """The settings that decide which images it sees; runs with the same key share a cache."""
        return self.data_key[: len(SOURCE_SETTINGS)]

    @cached_property
    def data_key(self) -> tuple[str, ...]:
        """The settings that decide the stream of batches; runs with the same key are one cohort."""
        if self.own:
            return (*[self.variant.digest] * len(DATA_SETTINGS), str(self.seed))  # a cohort of its own
        plain = self.variant.settings.plain()
        return (*(json.dumps(plain[key], sort_keys=True) for key in DATA_SETTINGS), str(self.seed))


@dataclass(frozen=True)
class ResolvedStudy:
    """A study as a command asks for it: all its variants, and those selected for training."""

    name: str
    file: Path
    doc: str
    variants: tuple[Variant, ...]
    selected: tuple[Variant, ...]
    seeds: SeedPlan
    questions: tuple[Question, ...]
    own: OwnTraining | None = None  # how it trains its runs itself

    @property
    def is_dict(self) -> bool:
        """Whether a notebook or a script declared it, instead of a file in ablations/."""
        return self.file.suffix != ".py"

    def runs(self, counts: Mapping[str, int] | None = None) -> list[Run]:
        """Returns the selected runs, seed by seed, so that every variant has its first result early.

        `counts` says how many seeds each variant takes, by its name; by default as many as the first look needs.
        """
        first = len(self.seeds.first)
        return [
            Run(self.name, variant, seed)
            for number, seed in enumerate(self.seeds.seeds)
            for variant in self.selected
            if number < (counts.get(variant.name, first) if counts else first)
        ]


def cohorts(runs: Iterable[Run]) -> list[list[Run]]:
    """Groups runs that share data settings and seed, in the order of their first run."""
    groups: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(run.data_key, []).append(run)
    return list(groups.values())
