"""study.json: a study as it was last asked for, read with distrust."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydantic

from runner.files import read_json


class _Variant(pydantic.BaseModel):
    directory: str = pydantic.Field(pattern=r"^[^/\\]+$")
    changes: dict[str, Any]
    settings: dict[str, Any]


class _Study(pydantic.BaseModel):
    name: str
    file: str
    doc: str
    command: str
    variants: dict[str, _Variant]
    questions: list[dict[str, Any]] = []


def read_study(folder: Path) -> dict[str, Any] | None:
    """The study.json in a study's directory, or None where there is none that can be used."""
    study = read_json(folder / "study.json")
    try:
        _Study.model_validate(study)
    except pydantic.ValidationError:
        return None
    return study if study and study["name"] == folder.resolve().name else None
