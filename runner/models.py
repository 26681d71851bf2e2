"""Builds a network from settings; its initial weights are a function of (settings, seed)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize

from runner.catalog import INITIALIZATIONS, MODELS, Shape, is_torchvision, torchvision_name
from runner.randomness import Generators, run_seed
from runner.spec import Settings, check_call, is_reference, load_function
from runner.torchvision import classifier, repaired
from runner.weights import freeze, load_weights

_LAYERS = 1  # gives the layers other random numbers than the constructor


def build(settings: Settings, shape: Shape, classes: int, seed: int) -> nn.Module:
    """Builds the model for images of `shape` (channels, height, width). It returns logits, N x `classes`.

    Each weight layer draws from its own random numbers, a function of the seed and of the layer's number among the
    weight layers. So variants that insert other layers start from the same weights where the shapes agree, and two
    schemes of one family scale the same draws. The global random state does not change. Raises TypeError or ValueError
    where your own model is none, where its lazy layers get no size, where the initialization can't be applied, or where
    weights or patterns of names don't fit.
    """
    randomness = run_seed(settings.stream, seed)
    own = is_reference(settings.model)
    with Generators(torch_seed(randomness), own_code=own).active():
        if own:  # it and torchvision's keep the weights of their constructor, unless the settings name a scheme
            model = _own(settings, shape, classes)
        elif is_torchvision(settings.model):
            model = _of_torchvision(settings, shape, classes)
        else:
            model = MODELS[settings.model].build(settings, shape, classes)
            _reset(model, randomness)
        if not own:
            # On a CPU, convolutions run a third faster in this format. Linear layers are not affected.
            model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if fill := INITIALIZATIONS[settings.init].fill:
            _initialize(model, settings, fill, randomness)
    if settings.weights != "none":
        load_weights(model, settings.weights, head=next(reversed(weight_layers(model)), None))
    freeze(model, settings.freeze)
    return model


def autocast(settings: Settings, device: torch.device) -> torch.autocast:
    """Returns the context in which products have the precision that the settings name. Weights stay float32.

    On an NVIDIA GPU it also says whether products of float32 numbers round them to TF32's 10 bits; this holds until the
    next call. Torch's own default is TF32 for convolutions and float32 for other products.
    """
    if device.type == "cuda":
        torch.backends.cudnn.deterministic = True  # else convolutions add their parts in any order
        products = "tf32" if settings.precision == "tf32" else "ieee"
        torch.backends.cuda.matmul.fp32_precision = products
        torch.backends.cudnn.conv.fp32_precision = products  # type: ignore[attr-defined]
    return torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bfloat16")


def torch_seed(*words: int) -> int:
    """Mixes whole numbers into a seed of 32 bits; torch's CPU generator uses no more bits of a seed."""
    return int(np.random.SeedSequence(words).generate_state(1)[0])


def logits_of(output: Any) -> Any:
    """Returns the logits in what a model returned: itself, the first of a tuple, or "logits" of a dict or an object.

    >>> logits_of(("logits", "features")), logits_of({"logits": 1, "features": 2})
    ('logits', 1)
    """
    if isinstance(output, Mapping):
        return output.get("logits", output)
    if hasattr(output, "logits"):
        return output.logits
    return output[0] if isinstance(output, (tuple, list)) and output else output


def weight_layers(model: nn.Module) -> list[nn.Module]:
    """Returns the linear and convolution layers of a model, in order."""
    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
    return [module for module in model.modules() if isinstance(module, kinds)]


def distinct_units(model: nn.Module) -> tuple[int, int]:
    """Returns how many units of the first weight layer differ from one another, and how many it has.

    Units that start equal and get equal gradients stay equal: such a layer acts as one unit. Weights count as equal
    within a thousandth of the layer's largest weight. Returns (0, 0) for a model without weight layers.
    """
    layers = weight_layers(model)
    if not layers:
        return 0, 0
    weight: torch.Tensor = layers[0].weight.detach().flatten(1)  # type: ignore[operator]
    step = float(weight.abs().max()) / 1000
    if not 0 < step < float("inf"):
        return 1, len(weight)
    return len(torch.unique((weight / step).round(), dim=0)), len(weight)


def _own(settings: Settings, shape: Shape, classes: int) -> nn.Module:
    """Calls your own function(shape, classes, **model_args) -> nn.Module, and gives its lazy layers their sizes.

    Raises TypeError where it accepts no such arguments or returns no module, ValueError where a lazy layer stays lazy.
    """
    function = load_function(settings.model)
    if wrong := check_call(function, "(shape, classes, **model_args)", shape, classes, **settings.model_args):
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


def _of_torchvision(settings: Settings, shape: Shape, classes: int) -> nn.Module:
    """Builds a model of torchvision's. Raises ValueError for images that are not RGB."""
    if shape[0] != 3:
        raise ValueError(f"{settings.model} takes RGB images, and these are gray; set channels=3")
    model: Any = classifier(torchvision_name(settings.model), classes, **settings.model_args)
    if settings.weights != "none" and hasattr(model, "transform_input"):
        model.transform_input = True  # those weights expect other means and deviations
    return model  # type: ignore[no-any-return]


def _reset(model: nn.Module, randomness: int) -> None:
    """Applies PyTorch's own initialization to every weight layer, each with its own random numbers."""
    for number, layer in enumerate(weight_layers(model)):
        torch.manual_seed(torch_seed(randomness, _LAYERS, number))
        layer.reset_parameters()  # type: ignore[operator]


def _initialize(model: nn.Module, settings: Settings, fill: Callable[..., object], randomness: int) -> None:
    """Applies the named scheme to every weight layer and sets biases to zero.

    Raises ValueError where there is no weight layer, or where a weight can't be set.
    """
    layers = weight_layers(model)
    if not layers:
        raise ValueError(f'init "{settings.init}" has no effect: the model has no linear or convolution layer')
    for number, layer in enumerate(layers):
        torch.manual_seed(torch_seed(randomness, _LAYERS, number))
        _set_weight(layer, lambda weight: fill(weight, **settings.init_args))
        if isinstance(layer.bias, nn.Parameter):
            nn.init.zeros_(layer.bias)


def _set_weight(layer: nn.Module, fill: Callable[[torch.Tensor], object]) -> None:
    """Fills a layer's weight in place, or through its parametrization (weight_norm, spectral_norm).

    Raises ValueError where the layer computes its weight at each step without a parametrization.
    """
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
    """Returns how many values for one image the model's largest module reads and returns together.

    `shape` is channels, height, width. A forward pass of two black images measures it.
    """
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
