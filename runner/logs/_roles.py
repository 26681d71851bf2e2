"""Names a model's parameters by their role, so that histograms of variants with other layers compare the same layer."""

from __future__ import annotations

from torch import nn

_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)


def roles(model: nn.Module) -> dict[str, str]:
    """Returns each parameter's role: conv1, hidden1, hidden1_bias, hidden1_norm, output, ...

    A norm layer has the name of the layer before it. A parameter keeps its own name in a model that is no plain
    sequence of layers, and in layers of other kinds.

    >>> roles(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2, bias=False)))
    {'0.weight': 'hidden1', '0.bias': 'hidden1_bias', '1.weight': 'hidden1_norm', '1.bias': 'hidden1_norm_bias', \
'3.weight': 'output'}
    """
    own = {name: name for name, _ in model.named_parameters()}
    if not isinstance(model, nn.Sequential):
        return own
    layers = _layers(model)
    found = {name: _role(layers.get(name.partition(".")[0]), name) for name in own}
    return found if len(set(found.values())) == len(own) else own


def _layers(model: nn.Sequential) -> dict[str, str]:
    """Returns the names of the sequence's weight layers and norm layers, by their keys."""
    weights = [key for key, layer in model.named_children() if isinstance(layer, _LAYERS)]
    counts = {"conv": 0, "hidden": 0}
    names, last = {}, "input"
    for key, layer in model.named_children():
        if isinstance(layer, _LAYERS):
            kind = "hidden" if isinstance(layer, nn.Linear) else "conv"
            counts[kind] += 1
            last = "output" if key == weights[-1] else f"{kind}{counts[kind]}"
            names[key] = last
        elif isinstance(layer, _NORMS):
            names[key] = f"{last}_norm"
    return names


def _role(layer: str | None, name: str) -> str:
    parameter = name.partition(".")[2]
    if layer is None:
        return name
    return layer if parameter == "weight" else f"{layer}_{parameter.replace('.', '_')}"
