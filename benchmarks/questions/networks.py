"""Measurements for sections 2, 3 and 6: sizes, losses and gradients of networks, without training."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.questions.common import SEEDS, mean, mnist, settings, table, tensors
from runner.models import build, weight_layers

DEEP = [256] * 8
NETWORKS: dict[str, dict[str, Any]] = {
    "MLP 512-256": {},
    "CNN 32-64-128": {"model": "cnn", "hidden": []},
    "CNN 32-64-128, 256": {"model": "cnn", "hidden": [256]},
    "ResNet-18": {"model": "resnet18"},
}


def parameters() -> str:
    """Parameters, in thousands, and multiply-adds of one image, in millions. Each stage of the CNN ends in 2x2 pooling.
    The second CNN adds a fully connected layer of 256 units."""
    rows = []
    for channels in (1, 3):
        for side in (32, 64, 128, 224):
            sizes = [_size(changes, (channels, side, side), 10) for changes in NETWORKS.values()]
            cells = [f"{count / 1e3:,.0f} / {work / 1e6:,.1f}" for count, work in sizes]
            rows.append([f"{'gray' if channels == 1 else 'RGB'} {side} x {side}", *cells])
    return table(["parameters / multiply-adds", *NETWORKS], rows)


def _size(changes: dict[str, Any], shape: tuple[int, int, int], classes: int) -> tuple[int, int]:
    """Returns the parameters, and the multiply-adds of a forward pass of one image; it allocates no memory."""
    with torch.device("meta"):
        model = build(settings(**changes), shape, classes, seed=0).eval()
        with FlopCounterMode(display=False) as counter:
            model(torch.empty(1, *shape))
    return sum(p.numel() for p in model.parameters()), counter.get_total_flops() // 2


def hundred_classes() -> str:
    """The default MLP on RGB images of 32 x 32 pixels, with 10 and with 100 classes. The table has its parameters, the
    parameters of its last layer, the accuracy of guessing, the loss of a network that knows nothing (the logarithm of
    the number of classes), and the loss before training (random images, mean of 5 seeds with its 95% interval)."""
    rows = []
    for classes in (10, 100):
        models = [build(settings(), (3, 32, 32), classes, seed) for seed in SEEDS]
        last = weight_layers(models[0])[-1]
        losses = [_first_loss(model, classes, seed) for seed, model in enumerate(models)]
        count = sum(p.numel() for p in models[0].parameters())
        of_last = sum(p.numel() for p in last.parameters())
        known = [f"{1 / classes:.0%}", f"{math.log(classes):.3f}"]
        rows.append([classes, f"{count:,}", f"{of_last:,}", *known, mean(losses, 3)])
    return table(
        ["classes", "parameters", "of the last layer", "guessing", "ln(classes)", "loss before training"], rows
    )


def _first_loss(model: nn.Module, classes: int, seed: int) -> float:
    random = torch.Generator().manual_seed(seed)
    images = torch.randn(1000, 3, 32, 32, generator=random)
    labels = torch.randint(classes, (1000,), generator=random)
    with torch.inference_mode():
        return float(functional.cross_entropy(model(images), labels))


def zero_grad() -> str:
    """The gradient of the last layer's weights after one, two and three calls of `backward()` on the same batch, and
    after `zero_grad()`."""
    images, labels = (each[:128] for each in tensors(mnist().train))
    weight, bias = nn.Parameter(torch.zeros(10, 784)), nn.Parameter(torch.zeros(10))
    rows: list[list[object]] = []
    norms: list[float] = []
    for call in (1, 2, 3):
        functional.cross_entropy(functional.linear(images.flatten(1), weight, bias), labels).backward()  # type: ignore[no-untyped-call]
        norms.append(float(torch.linalg.norm(weight.grad)))
        rows.append([f"`backward()`, call {call}", f"{norms[-1]:.4f}", f"{norms[-1] / norms[0]:.2f}"])
    torch.optim.Adam([weight, bias]).zero_grad()
    return table(
        ["after", "norm of the gradient", "times the first"], [*rows, ["`zero_grad()`", f"`{weight.grad}`", "-"]]
    )


def cross_entropy() -> str:
    """`CrossEntropyLoss` against softmax, logarithm and negative log-likelihood in sequence, in float64. Then the loss
    after an additional softmax: for 10 classes it cannot fall below ln(e + 9) - 1, however right the network is, and at
    the start its gradient is a tenth."""
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(1000, 10, generator=random, dtype=torch.float64)
    labels = torch.randint(10, (1000,), generator=random)
    one_hot = functional.one_hot(labels, 10).double()
    loss, by_hand = functional.cross_entropy(logits, labels), functional.nll_loss(logits.softmax(1).log(), labels)
    sure = torch.tensor([[100.0] + [0.0] * 9])
    right, wrong = torch.tensor([0]), torch.tensor([1])
    slopes = []
    for before in (nn.Identity(), nn.Softmax(1)):
        small = (logits / 10).requires_grad_()
        functional.cross_entropy(before(small), labels).backward()  # type: ignore[no-untyped-call]
        slopes.append(float(torch.linalg.norm(small.grad)))
    values = {
        "difference to the computation by hand": f"{float(abs(loss - by_hand)):.1e}",
        "difference between labels as indices and as one-hot rows": (
            f"{float(abs(loss - functional.cross_entropy(logits, one_hot))):.1e}"
        ),
        "loss of a sure and right answer, from logits": f"{float(functional.cross_entropy(sure, right)):.4f}",
        "the same, from probabilities": f"{float(functional.cross_entropy(sure.softmax(1), right)):.4f}",
        "ln(e + 9) - 1": f"{math.log(math.e + 9) - 1:.4f}",
        "gradient through a second softmax, over the one without": f"{slopes[1] / slopes[0]:.2f}",
        "loss of a sure and wrong answer, from logits": f"{float(functional.cross_entropy(sure, wrong)):.1f}",
        "the same by softmax, then logarithm, in float32": f"{float(-sure.mul(2).softmax(1).log()[0, 1]):.1f}",
    }
    return table(["", "value"], [list(pair) for pair in values.items()])


def gradients_by_depth() -> str:
    """How much smaller the loss's derivative is at the units of the first hidden layer than at those of the last hidden
    layer, before training. The table has the base-10 logarithm of the ratio of their root mean squares: -3 means a
    thousandth. Layers of 256 units, 128 real images, mean of 5 seeds with its 95% interval. "Own" is PyTorch's own
    initialization."""
    xavier, he = {"init": "xavier_uniform"}, {"init": "kaiming_normal"}
    kinds: dict[str, dict[str, Any]] = {
        "ReLU, own": {}, "ReLU, Xavier": xavier, "ReLU, He": he,
        "tanh, own": {"activation": "tanh"}, "tanh, Xavier": {"activation": "tanh"} | xavier,
        "sigmoid, own": {"activation": "sigmoid"}, "sigmoid, Xavier": {"activation": "sigmoid"} | xavier,
        "sigmoid, own, BatchNorm": {"activation": "sigmoid", "batch_norm": True},
    }  # fmt: skip
    rows = []
    for name, changes in kinds.items():
        ratios = [[_vanished(changes | {"hidden": DEEP[:depth]}, seed) for seed in SEEDS] for depth in (2, 4, 8)]
        rows.append([name, *(mean(values, 1) for values in ratios)])
    return table(["", "2 hidden layers", "4", "8"], rows)


def _vanished(changes: dict[str, Any], seed: int) -> float:
    train = mnist().train
    images, labels = (each[:: len(train) // 128][:128] for each in tensors(train))
    model = build(settings(**changes), mnist().shape, 10, seed).train()
    units = []  # before their activation
    for layer in model.children():
        images = layer(images)
        if isinstance(layer, nn.Linear):
            images.retain_grad()
            units.append(images)
    functional.cross_entropy(images, labels).backward()  # type: ignore[no-untyped-call]
    first, last = (float(units[place].grad.square().mean().sqrt()) for place in (0, -2))
    return math.log10(first / last)


def activation_cost() -> str:
    """Time of each activation, forward and backward, divided by ReLU's time: of the activation alone on 128 x 512
    values, and of the default MLP with it. One thread. Mean of 10 alternating rounds with its 95% interval."""
    kinds = {"ReLU": "relu", "tanh": "tanh", "sigmoid": "sigmoid", "GELU": "gelu"}
    values = torch.randn(128, 512, requires_grad=True)
    images, labels = (each[:128] for each in tensors(mnist().train))
    models = [build(settings(activation=key), mnist().shape, 10, seed=0) for key in kinds.values()]
    alone = [partial(_backward, getattr(functional, key), values) for key in kinds.values()]
    steps = [partial(_loss_backward, model, images, labels) for model in models]
    ratios = []
    for ways, count in ((alone, 50), (steps, 5)):
        rounds = np.array([[_seconds(way, count) for way in ways] for _ in range(10)])
        ratios.append(rounds / rounds[:, :1])
    rows = [[name, *(mean(each[:, k]) for each in ratios)] for k, name in enumerate(kinds) if k]
    return table(["time over ReLU's", "activation alone", "whole network"], rows)


def _backward(function: Callable[[torch.Tensor], torch.Tensor], values: torch.Tensor) -> None:
    function(values).sum().backward()  # type: ignore[no-untyped-call]


def _loss_backward(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> None:
    functional.cross_entropy(model(images), labels).backward()  # type: ignore[no-untyped-call]


def _seconds(function: Callable[[], object], count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        function()
    return time.perf_counter() - began
