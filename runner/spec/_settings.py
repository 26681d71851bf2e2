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
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field
from typing_extensions import Doc

from runner.catalog import ACTIVATIONS, DATASETS, INITIALIZATIONS, MODELS
from runner.spec._fields import Arguments, Fraction, Transforms, Widths, entry_of, is_reference, one_of
from runner.spec._problems import Kind, Refusal, suggest
from runner.spec._training import TrainingSettings

FIXED: Literal["fixed"] = "fixed"
NO_LIMIT = {
    "images_per_class": "all",
    "patience": "never",
    "grad_clip": "no limit",
}  # settings in which 0 means no limit, and how to say it
_OWN_DATA, _OWN = "folder:PATH", "package.module:function"


class _Inputs(pydantic.BaseModel):
    """The settings of data and model."""

    dataset: Annotated[str, Doc("a built-in data set, `folder:PATH` or `package.module:function`")] = Field(
        description=one_of(DATASETS, _OWN_DATA, _OWN)
    )
    image_size: Annotated[
        Literal["native"] | Annotated[int, Field(ge=4, le=1024)],
        Doc("or the side in pixels to which images are resized; images that are not square are squeezed"),
    ] = Field(default="native", description='"native" or a side in pixels from 4 to 1024, such as 64')
    channels: Annotated[Literal["native", 1, 3], Doc("or 1 (grayscale) or 3 (RGB)")] = Field(
        default="native", description='"native", 1 (grayscale) or 3 (RGB)'
    )
    normalize: Annotated[
        Literal["none", "train"],
        Doc(
            '`"none"` scales pixels to [0, 1]; `"train"` subtracts the channel means of the train part and divides by '
            "its standard deviations"
        ),
    ] = Field(
        default="none",
        description='"none" (scale to [0, 1]) or "train" (by the train set\'s own means and deviations)',
    )
    images_per_class: Annotated[int, Doc("train images of each class, the same for every seed; 0 takes all")] = Field(
        default=0, ge=0, le=1_000_000, description="train images of each class, such as 50; 0 takes all"
    )
    split: Annotated[
        Literal["fixed", "seed"],
        Doc(
            '`"seed"` redraws train and validation with the seed, so that intervals hold for new splits too; test '
            "stays; both parts are then in memory"
        ),
    ] = Field(default=FIXED, description='"fixed" or "seed" (redraw train and validation with the seed)')
    background: Annotated[
        Literal["white", "black"], Doc('or `"black"`: what transparent pixels of image files show')
    ] = Field(default="white", description='"white" or "black": what transparent pixels show')
    augment: Annotated[
        Transforms,
        Doc(
            'Albumentations transforms by name, such as `["HorizontalFlip", {"Affine": {"rotate": [-15, 15], '
            '"p": 0.5}}]`'
        ),
    ] = Field(
        default=(),
        description='a list of Albumentations transforms, such as ["HorizontalFlip", {"Affine": {"rotate": 10}}]',
    )
    batch_size: Annotated[int, Doc("images per optimizer step")] = Field(
        ge=1, le=1_000_000, description="a whole number from 1, such as 128"
    )
    sampler: Annotated[
        Literal["shuffle", "balanced"],
        Doc(
            '`"shuffle"`: every train image once an epoch, in random order; `"balanced"`: as many draws with '
            "replacement, each class equally likely"
        ),
    ] = Field(default="shuffle", description='"shuffle" or "balanced" (each class equally likely)')
    stream: Annotated[
        int, Doc("another number gives a seed other random numbers: the same run with other chance, for A/A studies")
    ] = Field(default=0, ge=0, le=10_000, description="a whole number from 0: another one gives other random numbers")

    model: Annotated[str, Doc("a built-in model, or `package.module:function`")] = Field(
        description=one_of(MODELS, _OWN)
    )
    model_args: Annotated[
        Arguments,
        Doc("keyword arguments of your own model's function; for a text that names a file, the file's contents count"),
    ] = Field(default_factory=dict, description="a dict of keyword arguments for your own model's function")
    hidden: Annotated[Widths, Doc("widths of the fully connected layers")] = Field(
        default=(), description="a list of layer widths, each from 1 to 100000, such as [512, 256]"
    )
    filters: Annotated[Widths, Doc("filters of each stage of the cnn")] = Field(
        default=(32, 64, 128),
        min_length=1,
        description="a list of filters for each stage of the cnn, such as [32, 64, 128]",
    )
    convs: Annotated[int, Doc("3x3 convolutions in each stage of the cnn")] = Field(
        default=1, ge=1, le=100, description="convolutions in each stage of the cnn, such as 2"
    )
    activation: Annotated[str, entry_of(ACTIVATIONS), Doc("the activation function of mlp and cnn")] = Field(
        default="relu", description=one_of(ACTIVATIONS)
    )
    batch_norm: Annotated[
        bool, Doc("BatchNorm after each hidden linear or convolution layer, before the activation")
    ] = Field(default=False, description="True or False")
    dropout: Annotated[
        Fraction,
        Doc("probability; after each hidden layer's activation, and in the cnn also at the end of each stage"),
    ] = Field(default=0.0, description="a number from 0 to below 1")
    init: Annotated[
        str,
        entry_of(INITIALIZATIONS),
        Doc("the scheme for the initial weights of linear and convolution layers"),
    ] = Field(default="default", description=one_of(INITIALIZATIONS))
    init_args: Annotated[Arguments, Doc('arguments of the initialization, such as `{"val": 0.01}`')] = Field(
        default_factory=dict, description='a dict of arguments of the initialization, such as {"val": 0.01}'
    )

    @pydantic.field_validator("dataset")
    @classmethod
    def _dataset_is_known(cls, value: str) -> str:
        if value in DATASETS or is_reference(value) or value.removeprefix("folder:") not in ("", value):
            return value
        raise Refusal(Kind.UNKNOWN, f'got "{value}". {suggest(value, [*DATASETS, _OWN_DATA, _OWN])}')

    @pydantic.field_validator("model")
    @classmethod
    def _model_is_known(cls, value: str) -> str:
        if value in MODELS or is_reference(value):
            return value
        raise Refusal(Kind.UNKNOWN, f'got "{value}". {suggest(value, [*MODELS, _OWN])}')


class Settings(TrainingSettings, _Inputs):  # fields of the last base come first
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
