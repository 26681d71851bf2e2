"""Reads and writes run.json and result.json as typed values; either file may be missing or corrupt."""

from __future__ import annotations

import json
import math
import zlib
from typing import Any

import pydantic
from pydantic import AliasChoices, Field

from runner.files import finite
from runner.spec import is_plain
from runner.store._provenance import Provenance

RUNNING, FINISHED, FAILED, PRUNED = "running", "finished", "failed", "pruned"
ENDED = (FINISHED, FAILED, PRUNED)  # statuses of an attempt that has ended
# What result.json called its metrics before 2026-11-26. Tables call them by the metric's own name.
_FORMER = {
    "best/val_accuracy": "val/accuracy",
    "best/val_loss": "val/loss",
    "best/epoch": "best_epoch",
    "best/epochs": "epochs",
    "best/generalization_gap": "generalization_gap",
    "best/distinct_units": "distinct_units",
}


class RunJson(pydantic.BaseModel):
    """The content of run.json: what a run is, what made it, and how its last attempt ended.

    attempt     the id of the last attempt; empty in older files
    files       the files that its arguments name, path to SHA-256
    started     seconds since 1970, as `ended`
    parameters  the number of the model's weights; None where it was never built
    train_images  how many images it trains on; None in older files
    machines    whether the machine caused a failure (killed, no disk or memory), not the run itself
    resumed     whether the last attempt of own training resumed an earlier one; its times are the last attempt's
    """

    model_config = pydantic.ConfigDict(frozen=True, strict=True, extra="allow")

    study: str = ""
    variant: str = ""
    seed: int
    digest: str = Field(default="", validation_alias=AliasChoices("hash", "digest"), serialization_alias="hash")
    status: str
    attempt: str = ""
    settings: dict[str, Any]
    changes: dict[str, Any] = {}
    files: dict[str, Any] = {}
    classes: list[Any] = []
    provenance: Provenance
    started: float = 0.0
    ended: float | None = None
    parameters: int | None = None
    cause: str = ""
    machines: bool = False
    resumed: bool = False
    train_images: int | None = None

    @pydantic.field_validator("settings")
    @classmethod
    def _settings_are_plain(cls, value: dict[str, Any]) -> dict[str, Any]:
        if not is_plain(value):
            raise ValueError("settings are plain data")
        return value

    @property
    def place(self) -> tuple[str, str, str]:
        """The last three parts of the path where the runner keeps it."""
        return self.study, f"{self.variant}-{self.digest}", f"seed{self.seed}"

    def plain(self) -> dict[str, Any]:
        """Returns the content of the file: the given values under the file's names."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class RunResult(pydantic.BaseModel):
    """The content of result.json: a finished run's metrics by their names, None where one is not finite."""

    model_config = pydantic.ConfigDict(frozen=True, strict=True)

    metrics: dict[str, float | None]
    provenance: Provenance
    files: dict[str, int | None] = {}  # name to CRC-32

    @property
    def numbers(self) -> dict[str, float]:
        """The metrics, nan where one was not finite."""
        return {key: math.nan if number is None else number for key, number in self.metrics.items()}

    @pydantic.field_validator("metrics")
    @classmethod
    def _by_present_names(cls, value: dict[str, float | None]) -> dict[str, float | None]:
        return {_FORMER.get(key, key): number for key, number in value.items()}


def read_run_json(data: dict[str, Any] | None) -> RunJson | None:
    """Returns the typed content of run.json; None where it is missing or not valid."""
    try:
        return RunJson.model_validate(data)
    except pydantic.ValidationError:
        return None


def read_result(data: dict[str, Any] | None) -> RunResult | None:
    """Returns the typed content of result.json; None where its checksum is wrong or it is not valid."""
    if not data or data.get("check") != _check(data):
        return None
    try:
        return RunResult.model_validate(data)
    except pydantic.ValidationError:
        return None


def result_json(result: RunResult) -> dict[str, Any]:
    """Returns the content of result.json, with its checksum."""
    data: dict[str, Any] = finite(
        {"metrics": result.metrics, "provenance": result.provenance.plain(), "files": result.files}
    )
    return data | {"check": _check(data)}


def _check(data: dict[str, Any]) -> int:
    """Returns the checksum of all other content. Without it, a corrupt digit would still be valid JSON."""
    rest = {key: value for key, value in data.items() if key != "check"}
    return zlib.crc32(json.dumps(rest, sort_keys=True).encode())
