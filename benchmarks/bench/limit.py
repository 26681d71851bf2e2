"""The fastest that the machine could train the study: matrix products and the optimizer's bytes, nothing else."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from typing import Any

Layers = Sequence[tuple[int, int]]  # of linear layers: inputs and outputs

_SIDE = 2048  # of the measured matrices
_FLOATS = 2**25  # of a measured copy: 128 MiB, which no core's cache holds
_SECONDS = 1.5  # of a measurement
ADAM_BYTES = 28  # a weight and step: reads gradient, weight and both averages, writes the last three; 4 bytes each


@dataclass(frozen=True)
class Rates:
    """What all processes together reach at once: float operations of a matrix product, and copied bytes, a second.

    A copied byte is read and written, so it counts twice.
    """

    flops: float
    bytes: float


def epoch_flops(layers: Layers, train: int, val: int) -> int:
    """Returns the float operations of the matrix products of an epoch, with so many images to train and validate on.

    Forward, the gradient of the weights, and the gradient of the inputs cost 2 operations a weight and image each.
    The first layer's inputs need no gradient.

    >>> epoch_flops([(3, 2), (2, 1)], train=10, val=5)
    440
    """
    forward = 2 * sum(inputs * outputs for inputs, outputs in layers)
    first = 2 * layers[0][0] * layers[0][1]
    return train * (3 * forward - first) + val * forward


def limit_seconds(flops: float, weights: int, steps: int, rates: Rates) -> float:
    """Returns the least seconds of an epoch of one run: its products, and then Adam on its weights at each step.

    >>> limit_seconds(2e9, weights=10**6, steps=10, rates=Rates(flops=1e9, bytes=28e7))
    3.0
    """
    return flops / rates.flops + ADAM_BYTES * weights * steps / rates.bytes


def linear_layers(model: Any) -> list[tuple[int, int]]:
    """Returns the inputs and outputs of a model's linear layers, in order."""
    from torch import nn

    return [(each.in_features, each.out_features) for each in model.modules() if isinstance(each, nn.Linear)]


def measure_rates(processes: int) -> Rates:
    """Measures the rates of so many processes at once, with one thread each."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    with context.Pool(processes, _begin, (barrier,)) as pool:
        found = pool.map(_rates, range(processes), chunksize=1)
    return Rates(sum(rates.flops for rates in found), sum(rates.bytes for rates in found))


_together: list[Barrier] = []  # of this process


def _begin(barrier: Barrier) -> None:
    _together.append(barrier)


def _rates(_: int) -> Rates:
    import torch

    torch.set_num_threads(1)
    left, right, product = (torch.rand(_SIDE, _SIDE) for _ in range(3))
    flops = 2 * _SIDE**3 * _times_a_second(lambda: torch.mm(left, right, out=product))
    source, target = torch.rand(_FLOATS), torch.rand(_FLOATS)
    return Rates(flops, 2 * 4 * _FLOATS * _times_a_second(lambda: target.copy_(source)))


def _times_a_second(action: Callable[[], object]) -> float:
    action()
    _together[0].wait()
    began, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < _SECONDS:
        action()
        count += 1
    return count / passed
