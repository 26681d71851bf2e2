"""Reads study.json, the study as it was last run; the file may be missing or corrupt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydantic

from runner.files import read_json
from runner.spec import BASELINE
from runner.store.rundir import RunDir
from runner.text import utc


class _Settings(pydantic.BaseModel):
    """The settings that readers compute with; the others are only shown."""

    model_config = pydantic.ConfigDict(strict=True)

    dataset: str = ""
    epochs: int = 1
    patience: int = 0


class _Variant(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)

    directory: str = pydantic.Field(pattern=r"^[^./\\\x00][^/\\\x00]*$")
    changes: dict[str, Any]
    settings: dict[str, Any]
    first_end: str | None = None

    @pydantic.field_validator("settings")
    @classmethod
    def _settings_can_be_read(cls, value: dict[str, Any]) -> dict[str, Any]:
        _Settings.model_validate(value)
        return value


class _Study(pydantic.BaseModel):
    """The content of study.json. A question may be any dict: the report says where it can't judge one."""

    model_config = pydantic.ConfigDict(strict=True)

    name: str
    file: str
    doc: str
    command: str
    variants: dict[str, _Variant]
    questions: list[dict[str, Any]] = []
    data_notes: list[str] = []  # how files became images
    directories: list[str] = []
    search: dict[str, Any] | None = None

    @pydantic.model_validator(mode="after")
    def _has_a_baseline(self) -> _Study:
        if self.search is None and BASELINE not in self.variants:
            raise ValueError("a study has a baseline")
        return self


def first_end(variant: Path, known: str | None) -> str | None:
    """Returns when the first of a variant's runs ended (UTC, ISO 8601): the earliest of `known` and its runs' ends."""
    runs = [run for run in map(RunDir, variant.glob("seed*")) if not run.misplaced()]
    ends = [utc(each.ended) for run in runs if (each := run.run_json())]
    return min(filter(None, (known, *ends)), default=None)


def read_study(folder: Path) -> dict[str, Any] | None:
    """Reads the study.json in a study's directory; None where it is missing, not valid, or of another study."""
    study = read_json(folder / "study.json")
    try:
        _Study.model_validate(study)
    except pydantic.ValidationError:
        return None
    return study if study and study["name"] == folder.resolve().name else None
