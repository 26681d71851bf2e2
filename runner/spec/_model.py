"""The settings of the model: its layers, its initial weights, and which of them are trained."""

from __future__ import annotations

from typing import Annotated

import pydantic
from pydantic import Field
from typing_extensions import Doc

from runner.catalog import ACTIVATIONS, INITIALIZATIONS, MODELS, is_torchvision
from runner.spec._fields import (
    OWN,
    Arguments,
    Fraction,
    Patterns,
    Widths,
    entry_of,
    entry_or,
    is_reference,
    one_of,
)

_OTHERS = ("torchvision/NAME", OWN)


class ModelSettings(pydantic.BaseModel):
    """The settings of the model, a part of `Settings`."""

    model: Annotated[
        str,
        entry_or(MODELS, *_OTHERS, accepts=lambda text: is_reference(text) or is_torchvision(text)),
        Doc(
            "a built-in model; any classifier of torchvision, such as `torchvision/resnet50`; or your own, "
            "`package.module:function`"
        ),
    ] = Field(description=one_of(MODELS, *_OTHERS))
    model_args: Annotated[
        Arguments,
        Doc(
            "keyword arguments of your own model's function, or of torchvision's; for a text that names a file, the "
            "file's contents count"
        ),
    ] = Field(default_factory=dict, description="a dict of keyword arguments for the model's function")
    weights: Annotated[
        str,
        Doc(
            "initial weights: torchvision's by their name, such as `ResNet50_Weights.IMAGENET1K_V2`, or a file that "
            "`torch.save` wrote, such as a run's `best.pt`, whose contents count. The last layer keeps its own where "
            "the number of classes differs"
        ),
    ] = Field(default="none", description='"none", a name such as ResNet50_Weights.DEFAULT, or the path of a file')
    freeze: Annotated[
        Patterns,
        Doc(
            'parameters or layers that are not trained, by patterns of their names, such as `["conv1", "layer*"]`; '
            "frozen BatchNorm layers keep their statistics too"
        ),
    ] = Field(default=(), description='a list of patterns of names, such as ["conv1", "layer*"]')
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
