"""Measurements for sections 7 and 8: initial weights, and what BatchNorm, Dropout and weight decay do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from benchmarks.questions.common import SEEDS, accuracy, mean, mnist, percent, settings, table, tensors, trained
from runner.models import build, distinct_units, weight_layers

DEEP = [256] * 8
Floats = npt.NDArray[np.float64]


def activation_spread() -> str:
    """Root mean square of the activations after the 1st, 2nd, 4th and 8th hidden layer of 256 units, on 500 real
    images, before training. Biases are zero, except that PyTorch's own scheme draws them. Mean of 5 seeds with its 95%
    interval."""
    small = {"a": -0.05, "b": 0.05}
    kinds: dict[str, dict[str, Any]] = {
        "ReLU, PyTorch's own": {}, "ReLU, Xavier": {"init": "xavier_uniform"}, "ReLU, He": {"init": "kaiming_normal"},
        "ReLU, uniform from 0 to 1": {"init": "uniform"},
        "ReLU, uniform from -0.05 to 0.05": {"init": "uniform", "init_args": small},
        "tanh, Xavier": {"activation": "tanh", "init": "xavier_uniform"},
        "tanh, He": {"activation": "tanh", "init": "kaiming_normal"},
    }  # fmt: skip
    rows = []
    for name, changes in kinds.items():
        sizes = np.array([_sizes(build(settings(hidden=DEEP, **changes), mnist().shape, 10, seed)) for seed in SEEDS])
        rows.append([name, *(_short(sizes[:, layer - 1]) for layer in (1, 2, 4, 8))])
    return table(["", "layer 1", "2", "4", "8"], rows)


@torch.inference_mode()
def _sizes(model: nn.Module) -> list[float]:
    """Returns the root mean square after each activation, on validation images."""
    values, sizes = tensors(mnist().val)[0], []
    for layer in model.children():
        values = layer(values)
        if isinstance(layer, (nn.ReLU, nn.Tanh)):
            sizes.append(float(values.square().mean().sqrt()))
    return sizes


def _short(values: Floats) -> str:
    """Returns mean and interval as text, as powers of ten where they are very large or small."""
    if 0.01 < values.mean() < 1000:
        return mean(values)
    return " ± ".join(f"{float(part):.1e}" for part in mean(values, 30).split(" ± "))


Fill = Callable[[torch.Tensor], object]
_CONSTANT: Fill = partial(nn.init.constant_, val=0.01)
_NOISE: Fill = partial(nn.init.uniform_, a=-0.05, b=0.05)
_BEGINNINGS: dict[str, tuple[Fill | None, Fill | None]] = {  # weights, biases; None is PyTorch's own
    "zero weights, zero biases": (nn.init.zeros_, nn.init.zeros_),
    "constant weights, zero biases": (_CONSTANT, nn.init.zeros_),
    "constant weights, random biases": (_CONSTANT, _NOISE),
    "random weights, zero biases": (None, nn.init.zeros_),
    "random weights, random biases": (None, None),
}


def symmetry() -> str:
    """The default MLP's first layer (512 units) with five initializations: how many rows of the gradient differ at the
    first step, how many units differ after 5 epochs, and the validation accuracy then. The constant is 0.01. Random
    biases are uniform. Mean of 5 seeds with its 95% interval."""
    rows = []
    for name, fills in _BEGINNINGS.items():
        found = []
        for seed in SEEDS:
            begin = partial(_begin, *fills, seed)
            model, _ = trained(seed, change=begin, epochs=5)
            right = accuracy(model, *tensors(mnist().val))
            found.append((_different_gradients(begin, seed), distinct_units(model)[0], right))
        gradients, units, shares = np.array(found).T
        rows.append([name, mean(gradients, 0), mean(units, 0), percent(shares)])
    return table(["", "different gradients", "different units", "validation accuracy, %"], rows)


def _begin(weights: Fill | None, biases: Fill | None, seed: int, model: nn.Module) -> None:
    torch.manual_seed(seed)
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            if weights:
                weights(layer.weight)
            if biases:
                biases(layer.bias)


def _different_gradients(begin: Callable[[nn.Module], object], seed: int) -> int:
    """Returns how many rows of the first layer's gradient differ, on 128 images of all classes."""
    model = build(settings(), mnist().shape, 10, seed)
    begin(model)
    images, labels = (each[:: len(each) // 128][:128] for each in tensors(mnist().train))
    functional.cross_entropy(model(images), labels).backward()  # type: ignore[no-untyped-call]
    gradient = next(model.parameters()).grad
    return len(torch.unique(gradient, dim=0)) if gradient is not None else 0


def layers_and_weights() -> str:
    """What each layer has to initialize, and how PyTorch does it by default. Fan-in is 256 (and 9 x 64 for the
    convolution)."""
    layers: dict[str, nn.Module] = {
        "`Linear(256, 256)`": nn.Linear(256, 256), "`Conv2d(64, 64, 3)`": nn.Conv2d(64, 64, 3),
        "`BatchNorm1d(256)`": nn.BatchNorm1d(256), "`Embedding(100, 256)`": nn.Embedding(100, 256),
        "`ReLU()`": nn.ReLU(), "`PReLU()`": nn.PReLU(), "`Dropout(0.5)`": nn.Dropout(0.5),
        "`MaxPool2d(2)`": nn.MaxPool2d(2),
    }  # fmt: skip
    rows = []
    for name, layer in layers.items():
        given = [
            f"{key}: {abs(p.mean().item()):.3f}, {p.std(correction=0).item():.3f}"
            for key, p in layer.named_parameters()
        ]
        rows.append([name, f"{sum(p.numel() for p in layer.parameters()):,}", "; ".join(given) or "-"])
    return table(["layer", "parameters", "mean (absolute) and deviation as PyTorch begins"], rows)


def weight_decay() -> str:
    """How much 1,000 steps with weight decay 0.01 and learning rate 0.001 take off 1,000 weights (mean over the weights
    with its 95% interval). The weights begin at 1 and their gradients are noise around 0. The loss does not depend on
    them, so only the decay moves their mean."""
    rows = []
    for name, cls in {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam, "AdamW": torch.optim.AdamW}.items():
        cells = []
        for size in (0.01, 0.1, 1.0):
            random = torch.Generator().manual_seed(0)
            weights = nn.Parameter(torch.ones(1000))
            optimizer = cls([weights], lr=1e-3, weight_decay=1e-2)
            for _ in range(1000):
                weights.grad = torch.randn(1000, generator=random) * size
                optimizer.step()
            cells.append(percent(1 - weights.detach().double().numpy()))
        rows.append([name, *cells])
    return table(["taken off, %", "gradients of 0.01", "of 0.1", "of 1"], rows)


def dropout_noise() -> str:
    """A unit whose activation is 1, after Dropout: mean and deviation over 100,000 draws in training mode, and its
    value in evaluation mode. Dropout divides the remaining activations by 1 - p, so the mean stays."""
    rows = []
    for rate in (0.1, 0.3, 0.5):
        layer = nn.Dropout(rate)
        torch.manual_seed(0)
        values = layer(torch.ones(100_000)).numpy()
        rows.append([rate, mean(values, 3), f"{values.std():.3f}", float(layer.eval()(torch.ones(1)))])
    return table(["rate", "mean", "deviation", "in evaluation mode"], rows)


def batchnorm_noise() -> str:
    """How much a unit's normalized value for one image changes with the other images of its batch. The table has the
    deviation over 100 random batches, averaged over 50 images and 64 units of the first layer. Untrained default MLP,
    real images, mean of 5 seeds with its 95% interval."""
    images, _ = tensors(mnist().train)
    rows = []
    for size in (2, 8, 32, 128, 512):
        noises = []
        for seed in SEEDS:
            random = np.random.default_rng(seed)
            layer = weight_layers(build(settings(), mnist().shape, 10, seed))[0]
            values = layer(images.flatten(1))[:, :64].detach().double().numpy()
            chosen = values[random.choice(len(values), 50, replace=False)]
            noises.append(np.std([_normalized(chosen, values, size, random) for _ in range(100)], axis=0).mean())
        rows.append([size, mean(noises, 3)])
    return table(["batch size", "deviation of a normalized value"], rows)


def _normalized(chosen: Floats, values: Floats, size: int, random: np.random.Generator) -> Floats:
    """Normalizes each chosen image's units (images x units) as BatchNorm does, in a random batch with that image."""
    others = values[random.integers(len(values), size=size - 1)]
    total, squares = others.sum(0) + chosen, (others**2).sum(0) + chosen**2
    means = total / size
    normal: Floats = (chosen - means) / np.sqrt(squares / size - means**2 + 1e-5)
    return normal
