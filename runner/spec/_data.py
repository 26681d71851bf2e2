"""The settings of data: which images, in which form and order."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import Field
from typing_extensions import Doc

from runner.catalog import DATASETS
from runner.spec._fields import OWN, Arguments, Transforms, entry_or, is_reference, one_of

FIXED: Literal["fixed"] = "fixed"
_OWN_DATA = ("folder:PATH", OWN)


def _is_folder(text: str) -> bool:
    return text.removeprefix("folder:") not in ("", text)


class DataSettings(pydantic.BaseModel):
    """The settings of data, a part of `Settings`."""

    dataset: Annotated[
        str,
        entry_or(DATASETS, *_OWN_DATA, accepts=lambda text: is_reference(text) or _is_folder(text)),
        Doc("a built-in data set, `folder:PATH` or `package.module:function`"),
    ] = Field(description=one_of(DATASETS, *_OWN_DATA))
    dataset_args: Annotated[
        Arguments,
        Doc("keyword arguments of your own data set's function; for a text that names a file, its contents count"),
    ] = Field(default_factory=dict, description="a dict of keyword arguments for your own data set's function")
    groups: Annotated[
        str,
        Doc(
            "a CSV file with the columns `image` (the path below the data set's folder, such as `cat/01.png`) and "
            "`group`, such as a patient: a group's images are never in two parts; its contents count. Your own data "
            "set's function returns groups itself"
        ),
    ] = Field(default="none", description='"none" or the path of a CSV file with the columns image and group')
    image_size: Annotated[
        Literal["native"] | Annotated[int, Field(ge=4, le=1024)],
        Doc("or the side in pixels to which images are resized"),
    ] = Field(default="native", description='"native" or a side in pixels from 4 to 1024, such as 64')
    resize: Annotated[
        Literal["squeeze", "pad", "crop"],
        Doc(
            'for `image_size` and images that are not square: `"pad"` keeps all of the image and fills the square with '
            '`background`; `"crop"` keeps the square in its middle'
        ),
    ] = Field(default="squeeze", description='"squeeze", "pad" (with the background) or "crop" (its middle)')
    channels: Annotated[Literal["native", 1, 3], Doc("or 1 (grayscale) or 3 (RGB)")] = Field(
        default="native", description='"native", 1 (grayscale) or 3 (RGB)'
    )
    normalize: Annotated[
        Literal["none", "train", "imagenet"],
        Doc(
            '`"none"` scales pixels to [0, 1]; `"train"` subtracts the channel means of the train part and divides by '
            'its standard deviations; `"imagenet"` uses those of ImageNet, as torchvision\'s weights expect'
        ),
    ] = Field(
        default="none",
        description='"none" (scale to [0, 1]), "train" or "imagenet" (by the means and deviations of either)',
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
        Literal["white", "black"], Doc('or `"black"`: what transparent pixels of image files show, and padding')
    ] = Field(default="white", description='"white" or "black": what transparent pixels and padding show')
    augment: Annotated[
        Transforms,
        Doc(
            'Albumentations transforms by name, such as `["HorizontalFlip", {"Affine": {"rotate": [-15, 15], '
            '"p": 0.5}}]`; also `OneOf`, `SomeOf` and `Sequential`, whose `transforms` are such a list'
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
        int,
        Doc(
            "another number gives all seeds other random numbers; variants that differ in it alone are equal except "
            "for chance (an A/A study)"
        ),
    ] = Field(default=0, ge=0, le=10_000, description="a whole number from 0: another one gives other random numbers")
