"""The built-in models: their meaning, the settings they read, and how to build them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from runner.catalog._activations import ACTIVATIONS
from runner.catalog._entries import Entry, by_name
from runner.torchvision import torchvision

if TYPE_CHECKING:
    from torch import nn

Shape = tuple[int, int, int]  # channels, height, width of an image


class Architecture(Protocol):
    """The settings that builders read; `Settings` has them."""

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of the hidden dense layers."""

    @property
    def filters(self) -> tuple[int, ...]:
        """Filters of each stage of the cnn."""

    @property
    def convs(self) -> int:
        """Convolutions in each stage of the cnn."""

    @property
    def activation(self) -> str:
        """The name of an activation function."""

    @property
    def batch_norm(self) -> bool:
        """Whether BatchNorm follows each linear or convolution layer."""

    @property
    def dropout(self) -> float:
        """The probability of Dropout; with 0 there is no Dropout layer."""


@dataclass(frozen=True, kw_only=True)
class Model(Entry):
    """A built-in model.

    reads  the model settings that it reads; a variant of this model may change no others
    build  build(settings, shape, classes) returns the network with PyTorch's own initialization; it maps images,
           float32, N x C x H x W, to logits, N x classes
    """

    reads: frozenset[str]
    build: Callable[[Architecture, Shape, int], nn.Module]


def _perceptron(_: Architecture, shape: Shape, classes: int) -> nn.Module:
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], classes))


def _mlp(settings: Architecture, shape: Shape, classes: int) -> nn.Module:
    from torch import nn

    return nn.Sequential(nn.Flatten(), *_dense(settings, shape[0] * shape[1] * shape[2], classes))


def _dense(settings: Architecture, width: int, classes: int) -> list[nn.Module]:
    """Returns Linear, BatchNorm1d, activation and Dropout for each hidden layer, then a Linear to the classes."""
    from torch import nn

    layers: list[nn.Module] = []
    for units in settings.hidden:
        layers.append(nn.Linear(width, units))
        if settings.batch_norm:
            layers.append(nn.BatchNorm1d(units))
        layers.append(ACTIVATIONS[settings.activation].make())
        if settings.dropout:
            layers.append(nn.Dropout(settings.dropout))
        width = units
    return [*layers, nn.Linear(width, classes)]


def _cnn(settings: Architecture, shape: Shape, classes: int) -> nn.Module:
    """Builds a CNN: each stage has `convs` times a 3x3 convolution, BatchNorm2d and activation, then Dropout.

    Dense layers follow the last stage. 2x2 max pooling comes right after a stage's first convolution: the stage's
    later layers then cost a quarter (as in Jordan 2024, arXiv:2404.00498).
    """
    from torch import nn

    layers: list[nn.Module] = []
    channels, height, width = shape
    for filters in settings.filters:
        for number in range(settings.convs):
            layers.append(nn.Conv2d(channels, filters, kernel_size=3, padding=1))
            if number == 0 and min(height, width) >= 2:
                layers.append(nn.MaxPool2d(2))
                height, width = height // 2, width // 2
            if settings.batch_norm:
                layers.append(nn.BatchNorm2d(filters))
            layers.append(ACTIVATIONS[settings.activation].make())
            channels = filters
        if settings.dropout:
            layers.append(nn.Dropout(settings.dropout))
    return nn.Sequential(*layers, nn.Flatten(), *_dense(settings, channels * height * width, classes))


def _resnet18(_: Architecture, shape: Shape, classes: int) -> nn.Module:
    """Builds torchvision's ResNet-18 with a stem for small images: a 3x3 convolution and no pooling."""
    from torch import nn

    model = torchvision().models.resnet18(num_classes=classes)
    model.conv1 = nn.Conv2d(shape[0], 64, kernel_size=3, stride=1, padding=1, bias=False)
    model.maxpool = nn.Identity()
    return model  # type: ignore[no-any-return]


_INIT = frozenset({"init", "init_args"})
_DENSE = _INIT | {"hidden", "activation", "batch_norm", "dropout"}
OWN_MODEL_READS = _INIT | {"model_args"}  # of package.module:function and torchvision/NAME
_TORCHVISION = "torchvision/"

MODELS = by_name(
    Model(name="perceptron", meaning="one linear layer from the pixels to the classes", reads=_INIT, build=_perceptron),
    Model(
        name="mlp",
        meaning="fully connected: for each width in `hidden` Linear, BatchNorm, activation, Dropout; "
        "last a Linear to the classes",
        reads=_DENSE,
        build=_mlp,
    ),
    Model(
        name="cnn",
        meaning="for each number in `filters` a stage: `convs` times a 3x3 convolution, BatchNorm, activation, with "
        "2x2 max pooling after the first convolution and Dropout at the end; last the layers of the mlp",
        reads=_DENSE | {"filters", "convs"},
        build=_cnn,
    ),
    Model(
        name="resnet18",
        meaning="ResNet-18 of torchvision with a stem for small images: a 3x3 convolution, no pooling",
        source="He et al. 2016, section 4.2",
        reads=_INIT,
        build=_resnet18,
    ),
)
MODEL_SETTINGS = OWN_MODEL_READS.union(*(model.reads for model in MODELS.values()))


def reads(model: str) -> frozenset[str]:
    """Returns the model settings that a model reads; `model` is a built-in model's name, torchvision's, or your own.

    >>> sorted(reads("perceptron"))
    ['init', 'init_args']
    """
    return MODELS[model].reads if model in MODELS else OWN_MODEL_READS


def is_torchvision(model: str) -> bool:
    """Whether a model is one of torchvision's.

    >>> is_torchvision("torchvision/resnet50"), is_torchvision("resnet18")
    (True, False)
    """
    return model.removeprefix(_TORCHVISION) not in ("", model)


def torchvision_name(model: str) -> str:
    """Returns torchvision's own name of a model such as torchvision/resnet50."""
    return model.removeprefix(_TORCHVISION)
