"""The schemes for initial weights. A scheme fills every linear and convolution layer and sets its bias to zero."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.catalog._entries import Entry, by_name

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Initialization(Entry):
    """A scheme for initial weights.

    fill       fills one weight in place: fill(weight, **arguments); the weight is units x inputs or
               units x channels x kernel; None where layers keep the weights of their constructor
    arguments  the names that `init_args` may have
    required   the names that `init_args` must have
    """

    fill: Callable[..., object] | None
    arguments: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


def _torch(function: str, **fixed: Any) -> Callable[..., object]:
    """Returns a fill that calls a function of torch.nn.init, with `fixed` arguments of its own."""

    def fill(weight: torch.Tensor, **arguments: Any) -> object:
        from torch.nn import init

        return getattr(init, function)(weight, **fixed, **arguments)

    return fill


_KAIMING = ("a", "mode", "nonlinearity")

INITIALIZATIONS = by_name(
    Initialization(
        name="default",
        meaning="PyTorch's own: weights and biases uniform within ±1/√fan_in; your own model keeps its own weights",
        fill=None,
    ),
    Initialization(
        name="uniform", meaning="uniform from a = 0 to b = 1", arguments=("a", "b"), fill=_torch("uniform_")
    ),
    Initialization(
        name="normal", meaning="normal, mean = 0 and std = 1", arguments=("mean", "std"), fill=_torch("normal_")
    ),
    Initialization(
        name="trunc_normal",
        meaning="normal, mean = 0 and std = 1, within a = -2 and b = 2",
        arguments=("mean", "std", "a", "b"),
        fill=_torch("trunc_normal_"),
    ),
    Initialization(
        name="constant",
        meaning="every weight is val",
        arguments=("val",),
        required=("val",),
        fill=_torch("constant_"),
    ),
    Initialization(name="ones", meaning="every weight is 1", fill=_torch("ones_")),
    Initialization(name="zeros", meaning="every weight is 0", fill=_torch("zeros_")),
    Initialization(
        name="orthogonal",
        meaning="orthonormal rows or columns, times gain = 1",
        source="Saxe et al. 2014",
        arguments=("gain",),
        fill=_torch("orthogonal_"),
    ),
    Initialization(
        name="xavier_uniform",
        meaning="uniform with variance 2 / (fan_in + fan_out), times gain² = 1",
        source="Glorot & Bengio 2010",
        arguments=("gain",),
        fill=_torch("xavier_uniform_"),
    ),
    Initialization(
        name="xavier_normal",
        meaning="normal with variance 2 / (fan_in + fan_out), times gain² = 1",
        source="Glorot & Bengio 2010",
        arguments=("gain",),
        fill=_torch("xavier_normal_"),
    ),
    Initialization(
        name="lecun_normal",
        meaning="normal with variance 1 / fan_in",
        source="LeCun et al. 1998, Efficient BackProp",
        fill=_torch("kaiming_normal_", nonlinearity="linear"),
    ),
    Initialization(  # the default arguments have the gain of ReLU, √2
        name="kaiming_uniform",
        meaning="uniform with variance 2 / fan_in",
        source="He et al. 2015",
        arguments=_KAIMING,
        fill=_torch("kaiming_uniform_"),
    ),
    Initialization(
        name="kaiming_normal",
        meaning="normal with variance 2 / fan_in",
        source="He et al. 2015",
        arguments=_KAIMING,
        fill=_torch("kaiming_normal_"),
    ),
)
