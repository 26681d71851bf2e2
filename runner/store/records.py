"""run.json and result.json as typed values, read with distrust."""

from __future__ import annotations

import json
import math
import zlib
from typing import Any

import pydantic
from pydantic import AliasChoices, Field

from runner.files import finite
from runner.spec.plain import is_plain
from runner.store.provenance import Provenance

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
    """What run.json says: what a run is, what made it, how its last attempt ended. Times: seconds since 1970.

    attempt     one id from an attempt's beginning to its end; empty in older files
    files       that its arguments name: path to SHA-256
    parameters  how many weights the model has; None where it was never built
    machines    whether a failure was the machine's doing (killed, no disk or memory), not the run's own
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
        """The content of the file: what was given, under the names that the file has."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class RunResult(pydantic.BaseModel):
    """What result.json says: a finished run's metrics by their names, None where one is no number."""

    model_config = pydantic.ConfigDict(frozen=True, strict=True)

    metrics: dict[str, float | None]
    provenance: Provenance
    files: dict[str, int | None] = {}  # name to CRC-32

    @property
    def numbers(self) -> dict[str, float]:
        """The metrics, nan where one is no number."""
        return {key: math.nan if number is None else number for key, number in self.metrics.items()}

    @pydantic.field_validator("metrics")
    @classmethod
    def _by_present_names(cls, value: dict[str, float | None]) -> dict[str, float | None]:
        return {_FORMER.get(key, key): number for key, number in value.items()}


def read_run_json(data: dict[str, Any] | None) -> RunJson | None:
    """The typed content of run.json; None where it says nothing that can be used."""
    try:
        return RunJson.model_validate(data)
    except pydantic.ValidationError:
        return None


def read_result(data: dict[str, Any] | None) -> RunResult | None:
    """The typed content of result.json; None where its check sum, or a type, is not as the runner writes it."""
    if not data or data.get("check") != _check(data):
        return None
    try:
        return RunResult.model_validate(data)
    except pydantic.ValidationError:
        return None


def result_json(result: RunResult) -> dict[str, Any]:
    """The content of result.json, with its check sum."""
    data: dict[str, Any] = finite(
        {"metrics": result.metrics, "provenance": result.provenance.plain(), "files": result.files}
    )
    return data | {"check": _check(data)}


def _check(data: dict[str, Any]) -> int:
    """A sum over everything but the sum itself: a changed digit is valid JSON too."""
    rest = {key: value for key, value in data.items() if key != "check"}
    return zlib.crc32(json.dumps(rest, sort_keys=True).encode())
