"""Settings: everything that decides what a run computes, seed apart. One place, with neutral values.

The defaults below are the neutral values: what a setting left out means. They are part of every
run's identity by being left out of it, so a neutral value is never changed once released, and a
setting added later changes no old identity.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from runner.spec.problems import shown, suggest

NO_LIMIT = {"images_per_class": "all", "patience": "never"}  # settings whose 0 is no limit, and what it means
DATASETS = ("mnist5k", "digits", "cifar10", "cifar100")
MODELS = {  # which settings each model reads; a variant may change no other
    "perceptron": {"init", "init_args"},
    "mlp": {"hidden", "activation", "batch_norm", "dropout", "init", "init_args"},
    "cnn": {"filters", "convs", "hidden", "activation", "batch_norm", "dropout", "init", "init_args"},
    "resnet18": {"init", "init_args"},
}
OWN_MODEL_SETTINGS = {"model_args", "init", "init_args"}
MODEL_SETTINGS = frozenset().union(*MODELS.values(), OWN_MODEL_SETTINGS)
INITS = (
    "default", "uniform", "normal", "trunc_normal", "constant", "ones", "zeros", "orthogonal",
    "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal",
)  # fmt: skip

Width = Annotated[int, Field(ge=1, le=100_000)]
Widths = Annotated[tuple[Width, ...], Field(strict=False, max_length=100)]
Arguments = dict[str, Any]


class Settings(pydantic.BaseModel):
    """One complete set of settings. Frozen; unknown keys and wrong types are refused."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", strict=True)

    dataset: str = Field(
        description="one of mnist5k, digits, cifar10, cifar100, folder:PATH or package.module:function"
    )
    image_size: Literal["native"] | Annotated[int, Field(ge=4, le=1024)] = Field(
        default="native", description='"native" or a side in pixels from 4 to 1024, such as 64'
    )
    channels: Literal["native", 1, 3] = Field(default="native", description='"native", 1 (grayscale) or 3 (RGB)')
    normalize: Literal["none", "train"] = Field(
        default="none",
        description='"none" (scale to [0, 1]) or "train" (by the train set\'s own means and deviations)',
    )
    images_per_class: int = Field(
        default=0, ge=0, le=1_000_000, description="train images of each class, such as 50; 0 takes all"
    )
    background: Literal["white", "black"] = Field(
        default="white", description='"white" or "black": what transparent pixels show'
    )
    augment: tuple[dict[str, Arguments], ...] = Field(
        default=(),
        strict=False,
        max_length=50,
        description='a list of Albumentations transforms, such as ["HorizontalFlip", {"Affine": {"rotate": 10}}]',
    )
    batch_size: int = Field(ge=1, le=1_000_000, description="a whole number from 1, such as 128")
    stream: int = Field(
        default=0, ge=0, le=10_000, description="a whole number from 0: another one draws all random numbers anew"
    )

    model: str = Field(description="one of perceptron, mlp, cnn, resnet18 or package.module:function")
    model_args: Arguments = Field(
        default_factory=dict, description="a dict of keyword arguments for your own model's function"
    )
    hidden: Widths = Field(default=(), description="a list of layer widths, each from 1 to 100000, such as [512, 256]")
    filters: Widths = Field(
        default=(32, 64, 128),
        min_length=1,
        description="a list of filters for each stage of the cnn, such as [32, 64, 128]",
    )
    convs: int = Field(default=1, ge=1, le=100, description="convolutions in each stage of the cnn, such as 2")
    activation: Literal["relu", "gelu", "tanh", "sigmoid"] = Field(
        default="relu", description="one of relu, gelu, tanh, sigmoid"
    )
    batch_norm: bool = Field(default=False, description="True or False")
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0, allow_inf_nan=False, description="a number from 0 to below 1")
    init: str = Field(default="default", description="one of " + ", ".join(INITS))
    init_args: Arguments = Field(
        default_factory=dict,
        description='a dict of arguments of the torch.nn.init function, such as {"val": 0.01}',
    )

    optimizer: str = Field(description="the name of a torch.optim optimizer, such as Adam")
    optimizer_args: Arguments = Field(
        default_factory=dict,
        description='a dict of the optimizer\'s further arguments, such as {"momentum": 0.9}',
    )
    lr: float = Field(gt=0, le=1e6, allow_inf_nan=False, description="a number above 0, such as 1e-3")
    weight_decay: float = Field(
        default=0.0, ge=0.0, le=1e6, allow_inf_nan=False, description="a number from 0, such as 1e-4"
    )
    schedule: Literal["constant", "cosine", "one_cycle"] = Field(
        default="constant",
        description="one of constant, cosine, one_cycle",
    )
    label_smoothing: float = Field(
        default=0.0, ge=0.0, lt=1.0, allow_inf_nan=False, description="a number from 0 to below 1, such as 0.1"
    )
    weight_average: float = Field(
        default=0.0,
        ge=0.0,
        lt=1.0,
        allow_inf_nan=False,
        description="decay a step of the average of the weights that is evaluated, such as 0.999; 0 evaluates the last",
    )
    precision: Literal["float32", "bfloat16"] = Field(default="float32", description="float32 or bfloat16")
    epochs: int = Field(ge=1, le=1_000_000, description="a whole number from 1, such as 30")
    patience: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="epochs without a lower validation loss before stopping; 0 never stops early",
    )

    @pydantic.field_validator("augment", mode="before")
    @classmethod
    def _bare_names_have_no_arguments(cls, value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            return value
        items = [{item: {}} if isinstance(item, str) else item for item in value]
        for item in items:
            if not isinstance(item, dict) or len(item) != 1:
                raise ValueError(f'got {shown(item)}; expected a transform\'s name, or {{"Name": {{its arguments}}}}.')
        return items

    @pydantic.field_validator("augment", "model_args", "init_args", "optimizer_args")
    @classmethod
    def _can_be_written_down(cls, value: Any) -> Any:
        """Arguments become part of a run's identity, so they must be plain data."""
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(
                f"got {shown(value)}; expected only numbers, strings, True, False, None, lists and "
                "dicts with string keys."
            ) from error
        return value

    @pydantic.field_validator("dataset")
    @classmethod
    def _dataset_is_known(cls, value: str) -> str:
        if value in DATASETS or is_reference(value) or value.removeprefix("folder:") not in ("", value):
            return value
        raise ValueError(f'got "{value}"; {suggest(value, [*DATASETS, "folder:PATH", "package.module:function"])}')

    @pydantic.field_validator("model")
    @classmethod
    def _model_is_known(cls, value: str) -> str:
        if value in MODELS or is_reference(value):
            return value
        raise ValueError(f'got "{value}"; {suggest(value, [*MODELS, "package.module:function"])}')

    @pydantic.field_validator("init")
    @classmethod
    def _init_is_known(cls, value: str) -> str:
        if value not in INITS:
            raise ValueError(f'got "{value}"; {suggest(value, INITS)}')
        return value

    def plain(self) -> dict[str, Any]:
        """All settings as plain JSON data, in their declared order."""
        return self.model_dump(mode="json")

    def identity(self, files: Mapping[str, str] | None = None) -> str:
        """Eight hex digits from all settings that are not neutral; the path of the data is not in it.

        `files` are the hashes of the files that the arguments name, as recorded: no file is read here.
        """
        neutral = neutral_values()
        mine = {k: v for k, v in self.plain().items() if k not in neutral or v != neutral[k]}
        mine["dataset"] = dataset_label(self.dataset) if mine["dataset"].startswith("folder:") else mine["dataset"]
        mine |= {"files": dict(files)} if files else {}
        canonical = json.dumps(mine, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:8]

    def __hash__(self) -> int:
        return hash(self.identity())  # dicts of arguments have no hash of their own

    def randomness(self, seed: int) -> int:
        """The number that all of a run's random draws follow from: the seed, unless `stream` asks for others."""
        return self.stream * 2**32 + seed  # seeds are below 2^32

    def differences(self, other: Settings) -> dict[str, Any]:
        """The settings whose value here is not `other`'s, as plain data."""
        theirs = other.plain()
        return {key: value for key, value in self.plain().items() if value != theirs[key]}


def neutral_values() -> dict[str, Any]:
    """The value of each setting that may be left out, as plain JSON data."""
    return {
        key: json.loads(json.dumps(field.get_default(call_default_factory=True)))
        for key, field in Settings.model_fields.items()
        if not field.is_required()
    }


def level_of(key: str, value: object) -> float | None:
    """A setting's value as a place on a scale, infinity where it means no limit; None where it is no number."""
    if not isinstance(value, (int, float)):
        return None
    return math.inf if key in NO_LIMIT and value == 0 else float(value)


def is_reference(text: str) -> bool:
    """Whether `text` has the form package.module:function; folder:photos names a folder."""
    module, colon, function = text.partition(":")
    return (
        bool(colon) and module != "folder" and function.isidentifier() and all(map(str.isidentifier, module.split(".")))
    )


def dataset_label(dataset: str) -> str:
    """A data set's name in directories: the last part of a folder's path, or a function's own name."""
    if dataset.startswith("folder:"):
        return dataset.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1].removeprefix("folder:") or "folder"
    return dataset.rsplit(":", 1)[-1]
