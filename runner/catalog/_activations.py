"""The activation functions of mlp and cnn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.catalog._entries import Entry, by_name

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Activation(Entry):
    """An activation function; `make` returns a new layer that applies it."""

    make: Callable[[], nn.Module]


def _torch(layer: str) -> Callable[[], nn.Module]:
    """Returns a function that makes a layer of a class of torch.nn, with the class's default arguments."""

    def make() -> nn.Module:
        from torch import nn

        made: nn.Module = getattr(nn, layer)()
        return made

    return make


ACTIVATIONS = by_name(
    Activation(name="relu", meaning="max(0, x)", source="Nair & Hinton 2010", make=_torch("ReLU")),
    Activation(
        name="gelu",
        meaning="x times the share of a standard normal distribution below x",
        source="Hendrycks & Gimpel 2016",
        make=_torch("GELU"),
    ),
    Activation(name="tanh", meaning="hyperbolic tangent, from -1 to 1", make=_torch("Tanh")),
    Activation(name="sigmoid", meaning="1 / (1 + exp(-x)), from 0 to 1", make=_torch("Sigmoid")),
)
