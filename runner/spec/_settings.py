"""Settings: everything except the seed that decides what a run computes, with neutral values and meanings.

The defaults below are the neutral values. They apply where a study does not give a setting. Neutral values are not part
of a run's digest: a released one never changes, and a setting that is added later changes no old digest.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import pydantic

from runner.spec._data import DataSettings
from runner.spec._model import ModelSettings
from runner.spec._training import TrainingSettings

NO_LIMIT = {
    "images_per_class": "all",
    "patience": "never",
    "grad_clip": "no limit",
}  # settings in which 0 means no limit, and how to say it


class Settings(TrainingSettings, ModelSettings, DataSettings):  # fields of the last base come first
    """One complete set of settings. It is frozen, and it refuses unknown keys and wrong types.

    A field's `description` says what is expected, for messages. Its `Doc` says what it means, for docs/settings.md.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=True)

    def plain(self) -> dict[str, Any]:
        """Returns all settings as plain JSON data, in the order of their declaration."""
        return self.model_dump(mode="json")

    def digest(self, files: Mapping[str, str] | None = None) -> str:
        """Returns eight hex digits that identify all settings that are not neutral, without the path of the data.

        `files` are the recorded hashes of the files that the arguments name. This reads no file.
        """
        neutral = _neutral_values()
        mine = {k: v for k, v in self.plain().items() if k not in neutral or v != neutral[k]}
        mine["dataset"] = dataset_label(self.dataset) if mine["dataset"].startswith("folder:") else mine["dataset"]
        mine |= {"files": dict(files)} if files else {}
        canonical = json.dumps(mine, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:8]

    def __hash__(self) -> int:
        return hash(self.digest())  # dicts of arguments have no hash of their own

    def differences(self, other: Settings) -> dict[str, Any]:
        """Returns the settings that differ from `other`'s, with the values here, as plain data."""
        theirs = other.plain()
        return {key: value for key, value in self.plain().items() if value != theirs[key]}


def neutral_values() -> dict[str, Any]:
    """Returns the value of each optional setting, as plain JSON data; the caller may change it."""
    return copy.deepcopy(_neutral_values())


@cache
def _neutral_values() -> dict[str, Any]:
    return {
        key: json.loads(json.dumps(field.get_default(call_default_factory=True)))
        for key, field in Settings.model_fields.items()
        if not field.is_required()
    }


def level_of(key: str, value: object) -> float | None:
    """Returns a setting's value as a number, infinity where it means no limit; None where it is not a number."""
    if not isinstance(value, (int, float)):
        return None
    return math.inf if key in NO_LIMIT and value == 0 else float(value)


def dataset_label(dataset: str) -> str:
    """Returns a data set's name in directories: the last part of a folder's path, or a function's own name."""
    if dataset.startswith("folder:"):
        return dataset.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1].removeprefix("folder:") or "folder"
    return dataset.rsplit(":", 1)[-1]
