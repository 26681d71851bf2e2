"""Gives the measurements the data and networks of the default study, trained by the runner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch
from torch import nn

from runner.data import Dataset, Part, Stream, load, prepare
from runner.spec import Settings, read_file
from runner.stats import mean_interval
from runner.train import Epoch, Failed, Learner, lockstep

CPU = torch.device("cpu")
SEEDS = range(5)
Kinds = dict[str, dict[str, Any]]  # name -> the settings that it changes


def settings(**changes: Any) -> Settings:
    """Returns the default study's baseline with changes."""
    return Settings.model_validate(read_file("mlp")[1]["baseline"] | changes)


@cache
def mnist() -> Dataset:
    """Loads MNIST-5k: 3,500 train, 500 validation and 1,000 test images."""
    return load(prepare(settings(), Path("data")))


def tensors(part: Part, dataset: Dataset | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns a whole part as the networks see it: images float32, N x C x H x W, and labels int64, N."""
    stream = Stream(dataset or mnist(), settings(), seed=0, device=CPU)
    return stream.normalized(torch.from_numpy(part.images)), torch.from_numpy(part.labels)


def trained(
    seed: int,
    dataset: Dataset | None = None,
    change: Callable[[nn.Module], object] = lambda _: None,
    **changes: Any,
) -> tuple[nn.Module, list[dict[str, float]]]:
    """Trains the baseline with changes, and returns the model and every epoch's metrics.

    The model has the best epoch's weights and is in evaluation mode. `change` may change the model before training.
    """
    data, chosen = dataset or mnist(), settings(**changes)
    learner = Learner(chosen, data, seed, CPU)
    change(learner.model)
    epochs = []
    for event in lockstep([learner], Stream(data, chosen, seed, CPU)):
        if isinstance(event, Failed):
            raise event.error
        if isinstance(event, Epoch):
            epochs.append(event.metrics)
    return learner.model, epochs


@torch.inference_mode()
def accuracy(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Returns the share of images that the model predicts correctly; the model's mode does not change."""
    return float((model(images).argmax(1) == labels).double().mean())


def mean(values: npt.ArrayLike, digits: int = 2, scale: float = 1.0) -> str:
    """Returns the mean of values times `scale`, with half the width of its 95% t interval, as text."""
    interval = mean_interval(values)
    return f"{interval.estimate * scale:.{digits}f} ± {(interval.high - interval.estimate) * scale:.{digits}f}"


def percent(values: npt.ArrayLike) -> str:
    """Returns the mean of shares (0 to 1) in percent, with its 95% interval, as text."""
    return mean(values, 1, 100)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a Markdown table; its first column is aligned to the left, the others to the right."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
