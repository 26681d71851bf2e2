"""Loads initial weights into a model, and finds its parameters by patterns of their names."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
from torch import nn

from runner import checkpoints
from runner.files import expanded
from runner.torchvision import torchvision

_WRAPPED = ("state_dict", "model")  # keys under which training scripts save the weights
_PARALLEL = "module."  # what torch's DataParallel puts before each name
State = Mapping[str, torch.Tensor]


def load_weights(model: nn.Module, weights: str, head: nn.Module | None) -> None:
    """Loads `weights`, a name of torchvision's or the path of a file, into a model.

    `head` is the model's last layer, which keeps its own weights where the file's have other shapes. Raises ValueError
    where the file is missing or corrupt, where torchvision has no such weights or can't download them, and where they
    do not fit the model.
    """
    path = expanded(Path(weights))
    state = _from_file(path) if path.is_file() else _from_torchvision(weights)
    own = model.state_dict()
    last = {id(tensor) for tensor in head.state_dict(keep_vars=True).values()} if head else set()
    spared = {name for name, tensor in model.state_dict(keep_vars=True).items() if id(tensor) in last}
    fitting = {name: state[name] for name in own if name in state and state[name].shape == own[name].shape}
    lacking = [name for name in own if name not in fitting and name not in spared]
    unknown = [name for name in state if name not in own and not _is_auxiliary(model, name)]
    if wrong := [*lacking, *unknown]:
        what = f"{len(lacking)} of the model's {len(own)} tensors are missing there or have another shape"
        more = f", and {len(unknown)} are not in the model" if unknown else ""
        raise ValueError(f"weights {weights} do not fit the model: {what}{more}, such as {wrong[0]}")
    with torch.no_grad():
        for name, tensor in model.state_dict(keep_vars=True).items():
            if name in fitting:
                tensor.copy_(fitting[name])


def _from_file(path: Path) -> State:
    state: Any = checkpoints.load(path)
    for key in _WRAPPED:
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not state or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise ValueError(f"weights {path} is no file of weights; expected what torch.save(model.state_dict()) writes")
    if all(name.startswith(_PARALLEL) for name in state):
        return {name.removeprefix(_PARALLEL): tensor for name, tensor in state.items()}
    return state  # type: ignore[no-any-return]


def _from_torchvision(name: str) -> State:
    """Downloads weights unless they are there, and verifies their checksum (torchvision)."""
    try:
        found: State = (
            torchvision().models.get_weight(name).get_state_dict(progress=sys.stderr.isatty(), check_hash=True)
        )
    except Exception as error:  # torchvision and urllib have several kinds
        what = f"weights {name} can't be had from torchvision ({error}); check the connection, or give a file"
        raise ValueError(what) from error
    return found


def _is_auxiliary(model: nn.Module, name: str) -> bool:
    """Whether a tensor belongs to an auxiliary classifier that the model has switched off."""
    part = name.partition(".")[0]
    return hasattr(model, part) and getattr(model, part) is None


def matching(model: nn.Module, pattern: str) -> list[str]:
    """Returns the names of the parameters that match a pattern, or that are in a layer whose name matches it.

    Patterns are those of a shell: `*` is any text. Raises ValueError where none matches.

    >>> matching(nn.Sequential(nn.Linear(1, 2), nn.Linear(2, 1)), "1")
    ['1.weight', '1.bias']
    """
    names = [name for name, _ in model.named_parameters()]
    found = [name for name in names if fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")]
    if not found:
        layers = dict.fromkeys(name.partition(".")[0] for name in names)
        raise ValueError(f'no parameter of the model matches "{pattern}"; its layers are {", ".join(layers)}')
    return found


def freeze(model: nn.Module, patterns: Iterable[str]) -> None:
    """Keeps the parameters that match a pattern as they are. Raises ValueError where a pattern matches none."""
    parameters = dict(model.named_parameters())
    for pattern in patterns:
        for name in matching(model, pattern):
            parameters[name].requires_grad_(False)


def train_mode(model: nn.Module) -> None:
    """Puts a model into training mode, except BatchNorm layers whose weights are frozen: they keep their statistics."""
    model.train()
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and own and not any(p.requires_grad for p in own):
            module.eval()
