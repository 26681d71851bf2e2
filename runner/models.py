"""Settings to a network, with the initial weights of (settings, seed)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize

from runner.randomness import Generators
from runner.spec import Settings
from runner.spec.names import check_call, resolve
from runner.spec.settings import MODELS
from runner.torchvision import repaired, torchvision

_ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
Shape = tuple[int, int, int]
_LAYERS = 1  # keeps the layers' numbers apart from those of the whole


def build(settings: Settings, shape: Shape, classes: int, seed: int) -> nn.Module:
    """The model for images of `shape` (channels, height, width), giving logits, N x `classes`.

    Each weight layer draws from its own random numbers, a function of the seed and the layer's place
    among its kind. So variants that insert other layers still begin with the same weights where the
    shapes agree, and two schemes of one family scale the same draws. The global random state is left as
    it was.
    """
    randomness = settings.randomness(seed)
    own = settings.model not in MODELS
    with Generators(torch_seed(randomness), own_code=own).active():
        if own:  # its constructor's weights stand unless the settings name a scheme
            model = _own(settings, shape, classes)
        else:
            model = _BUILDERS[settings.model](settings, shape, classes)
            _reset(model, randomness)
            # convolutions on a CPU run a third faster so; linear layers don't notice
            model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if settings.init != "default":
            _initialize(model, settings, randomness)
    return model


def autocast(settings: Settings, device: torch.device) -> torch.autocast:
    """Where the model's products are taken in the precision that the settings name; weights stay float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bfloat16")


def torch_seed(*words: int) -> int:
    """32 well mixed bits of several whole numbers: of a seed, torch's CPU generator takes no more."""
    return int(np.random.SeedSequence(words).generate_state(1)[0])


def weight_layers(model: nn.Module) -> list[nn.Module]:
    """The layers that multiply by a weight matrix or filter bank, in order."""
    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
    return [module for module in model.modules() if isinstance(module, kinds)]


def distinct_units(model: nn.Module) -> tuple[int, int]:
    """How many units of the first weight layer differ from one another, of how many.

    Units that begin alike and get the same gradients stay alike for ever: the layer is one unit wide,
    whatever its width. Weights count as the same within a thousandth of the layer's largest.
    """
    layers = weight_layers(model)
    if not layers:
        return 0, 0
    weight: torch.Tensor = layers[0].weight.detach().flatten(1)  # type: ignore[operator]
    step = float(weight.abs().max()) / 1000
    if not 0 < step < float("inf"):
        return 1, len(weight)
    return len(torch.unique((weight / step).round(), dim=0)), len(weight)


def _perceptron(_: Settings, shape: Shape, classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], classes))


def _mlp(settings: Settings, shape: Shape, classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), *_dense(settings, shape[0] * shape[1] * shape[2], classes))


def _dense(settings: Settings, width: int, classes: int) -> list[nn.Module]:
    """For each hidden layer Linear, BatchNorm1d, activation, Dropout; last a Linear to the classes."""
    layers: list[nn.Module] = []
    for units in settings.hidden:
        layers.append(nn.Linear(width, units))
        if settings.batch_norm:
            layers.append(nn.BatchNorm1d(units))
        layers.append(_ACTIVATIONS[settings.activation]())
        if settings.dropout:
            layers.append(nn.Dropout(settings.dropout))
        width = units
    return [*layers, nn.Linear(width, classes)]


def _cnn(settings: Settings, shape: Shape, classes: int) -> nn.Module:
    """For each stage `convs` times a 3x3 convolution, BatchNorm2d, activation; then Dropout. Last dense layers.

    A stage's first convolution is followed by 2x2 max pooling at once: whatever comes after it, further
    convolutions above all, costs a quarter (as in Jordan 2024, arXiv:2404.00498)."""
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
            layers.append(_ACTIVATIONS[settings.activation]())
            channels = filters
        if settings.dropout:
            layers.append(nn.Dropout(settings.dropout))
    return nn.Sequential(*layers, nn.Flatten(), *_dense(settings, channels * height * width, classes))


def _resnet18(_: Settings, shape: Shape, classes: int) -> nn.Module:
    """torchvision's ResNet-18 with the stem for small images: a 3x3 convolution and no pooling
    (He et al. 2016, section 4.2)."""
    model = torchvision().models.resnet18(num_classes=classes)
    model.conv1 = nn.Conv2d(shape[0], 64, kernel_size=3, stride=1, padding=1, bias=False)
    model.maxpool = nn.Identity()
    return model  # type: ignore[no-any-return]


_BUILDERS = {"perceptron": _perceptron, "mlp": _mlp, "cnn": _cnn, "resnet18": _resnet18}


def _own(settings: Settings, shape: Shape, classes: int) -> nn.Module:
    """Your own function(shape, classes, **model_args) -> nn.Module, its lazy layers given their sizes."""
    function = resolve(settings.model)
    if wrong := check_call(function, settings.model_args):
        raise TypeError(f"{settings.model} {wrong}")
    model: Any = repaired(lambda: function(shape, classes, **settings.model_args))
    if not isinstance(model, nn.Module):
        raise TypeError(f"{settings.model} returned {type(model).__name__}; expected a torch.nn.Module")
    if any(map(is_lazy, model.parameters())):
        with torch.no_grad():
            model.eval()(torch.zeros(1, *shape))
        model.train()
    if lazy := [name for name, parameter in model.named_parameters() if is_lazy(parameter)]:
        raise ValueError(f"{', '.join(lazy)}: a lazy layer that the forward pass never reaches has no size; remove it")
    return model


def _reset(model: nn.Module, randomness: int) -> None:
    """PyTorch's own initialization of every weight layer, each from its own random numbers."""
    for number, layer in enumerate(weight_layers(model)):
        torch.manual_seed(torch_seed(randomness, _LAYERS, number))
        layer.reset_parameters()  # type: ignore[operator]


def _initialize(model: nn.Module, settings: Settings, randomness: int) -> None:
    """The named torch.nn.init scheme for every weight layer, biases zero.

    kaiming_* with its default arguments has the gain of ReLU, sqrt(2) (He et al. 2015). ValueError where the scheme
    would change nothing."""
    function = getattr(nn.init, settings.init + "_")
    layers = weight_layers(model)
    if not layers:
        raise ValueError(f'init "{settings.init}" has no effect: the model has no linear or convolution layer')
    for number, layer in enumerate(layers):
        torch.manual_seed(torch_seed(randomness, _LAYERS, number))
        _set_weight(layer, lambda weight: function(weight, **settings.init_args))
        if isinstance(layer.bias, nn.Parameter):
            nn.init.zeros_(layer.bias)


def _set_weight(layer: nn.Module, fill: Callable[[torch.Tensor], object]) -> None:
    """Fills a layer's weight, through its parametrization where it has one (weight_norm, spectral_norm)."""
    weight = layer.weight
    if parametrize.is_parametrized(layer, "weight"):
        filled = torch.empty_like(weight)  # type: ignore[arg-type]
        fill(filled)
        layer.weight = filled
    elif isinstance(weight, nn.Parameter):
        fill(weight)
    else:
        raise ValueError(
            f"init can't reach a {type(layer).__name__} whose weight is computed at each step (torch.nn.utils."
            "weight_norm); use torch.nn.utils.parametrizations.weight_norm"
        )


def most_values(model: nn.Module, shape: Shape) -> float:
    """The values of an image that the model's largest module reads and gives, from a pass of two black images."""
    most = 0.0

    def look(_: nn.Module, given: tuple[Any, ...], output: Any) -> None:
        nonlocal most
        tensors = [each for each in (*given, output) if isinstance(each, torch.Tensor)]
        most = max(most, sum(each.numel() for each in tensors) / 2)

    hooks = [module.register_forward_hook(look) for module in model.modules()]
    device = next(iter(model.parameters())).device
    was_training = model.training
    try:
        with Generators(0, own_code=True).active(), torch.inference_mode():
            model.eval()(torch.zeros(2, *shape, device=device))
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    return most
