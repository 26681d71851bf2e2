"""study.json: a study or search as it was last asked for, typed, read with distrust."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import pydantic

from runner.expand import Variant
from runner.files import read_json, write_json
from runner.measures import OURS, MetricSet, own_metrics
from runner.spec import BASELINE, SeedPlan, read_plan
from runner.store._records import RunJson
from runner.text import utc

_RECORDED = ("declared", "deleted", "after_runs")  # keys of a question in study.json that a study does not write
TWIN = "+sampler=random"  # ends the name of the random search beside another


class _Counted(pydantic.BaseModel):
    """The settings that readers count with; the others are shown as they are."""

    model_config = pydantic.ConfigDict(strict=True)

    dataset: str = ""
    epochs: int = 1
    patience: int = 0


class VariantEntry(pydantic.BaseModel):
    """A variant in study.json.

    directory  its directory's name in the study's directory
    changes    what it changes against the baseline; `settings` are all its settings
    first_end  when the first of its runs ended (UTC, ISO 8601)
    files      that its arguments name: path to SHA-256
    called     what the logs call it, of adopted runs

    A run of a search has more: `search`, the digest of the search that asked for it; `values`, what it asked for;
    `again`, whether it was tried again.
    """

    model_config = pydantic.ConfigDict(strict=True, extra="allow")

    directory: str = pydantic.Field(pattern=r"^[^./\\\x00][^/\\\x00]*$")
    changes: dict[str, Any]
    settings: dict[str, Any]
    files: Any = None
    called: str | None = None
    first_end: str | None = None
    search: Any = None
    values: Any = None
    again: Any = None

    @classmethod
    def of(cls, variant: Variant, **more: Any) -> VariantEntry:
        """The entry of a variant that a command names; `more` are further fields."""
        given: dict[str, Any] = {"files": variant.files} if variant.files else {}
        return cls(
            directory=variant.directory,
            changes=variant.changes,
            settings=variant.settings.plain(),
            **given,
            **more,
        )


class EarlierSeeds(pydantic.BaseModel):
    """A plan of seeds that another one replaced, after runs had ended.

    seeds  the plan, as `SeedPlan.plain` gives it; None where it was never written
    until  when it was replaced (UTC, ISO 8601)
    ended  the seeds of each variant directory that had ended by then
    """

    model_config = pydantic.ConfigDict(strict=True, extra="allow")

    seeds: Any
    until: str
    ended: dict[str, list[int]]


class StudyFile(pydantic.BaseModel):
    """The content of study.json.

    questions      as they were declared, with the time of that; any dict may be one: the report says which it can't
                   judge. A deleted one stays, with `deleted`, the time, and `after_runs`, whether its runs had ended
    seeds          the planned seeds and looks, as `SeedPlan.plain` gives them; None in older files
    earlier_seeds  the plans before
    selected       the variants that the last command trained, where it named some
    metrics        of a study with its own training: each metric and which way is better; `monitor` picks the best step
    adopted        of runs that other programs logged: where values are taken (`at`), and what the baseline was called
    data_notes     how files became images, in words
    directories    of all variants that dicts of this name have had
    search         the search as plain data; None for a study
    """

    model_config = pydantic.ConfigDict(strict=True, extra="allow")

    name: str
    file: str
    doc: str
    command: str
    variants: dict[str, VariantEntry]
    questions: list[dict[str, Any]] = []
    data_notes: list[str] = []
    directories: list[str] = []
    search: dict[str, Any] | None = None
    seeds: Any = None
    earlier_seeds: list[EarlierSeeds] = []
    selected: list[str] | None = None
    metrics: dict[str, Literal["more", "less"]] = {}
    monitor: str = ""
    adopted: dict[str, str] = {}

    @pydantic.model_validator(mode="after")
    def _settings_can_be_read(self) -> StudyFile:
        for entry in () if self.metrics else self.variants.values():  # your own training's settings are any plain data
            _Counted.model_validate(entry.settings)
        return self

    @pydantic.model_validator(mode="after")
    def _has_a_baseline(self) -> StudyFile:
        if self.search is None and BASELINE not in self.variants:
            raise ValueError("a study has a baseline")
        return self

    @property
    def baseline(self) -> dict[str, Any]:
        """The baseline's settings; of a search's file, which has no such variant, none."""
        return self.variants[BASELINE].settings if BASELINE in self.variants else {}

    @property
    def plan(self) -> SeedPlan | None:
        """The planned seeds and looks; None where the file has none that can be read."""
        return read_plan(self.seeds)

    @property
    def measures(self) -> MetricSet:
        """The metrics of the study's runs: the runner's own, or those that its own training reports."""
        return own_metrics(self.metrics, self.monitor) if self.metrics else OURS

    def plain(self) -> dict[str, Any]:
        """The content of the file: what was given, no more."""
        return self.model_dump(mode="json", exclude_unset=True)


def as_declared(item: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a question of study.json as the study declared it: without what was recorded of it."""
    return {key: value for key, value in item.items() if key not in _RECORDED and value is not None}


def read_study(folder: Path) -> StudyFile | None:
    """The study.json in a study's directory, or None where there is none that can be used."""
    try:
        study = StudyFile.model_validate(read_json(folder / "study.json"))
    except pydantic.ValidationError:
        return None
    return study if study.name == folder.resolve().name else None


def write_study(folder: Path, study: StudyFile) -> None:
    """Replaces a study's study.json, in a directory that is made where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "study.json", study.plain())


def first_end(known: str | None, runs: Iterable[RunJson | None]) -> str | None:
    """When the first of a variant's planned runs ended (UTC, ISO 8601): as known, or as the runs say."""
    return min(filter(None, (known, *(utc(run.ended) for run in runs if run))), default=None)
