"""What the measurements share: the default study's data and networks, trained by the runner itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch
from torch import nn

from runner.data import Dataset, Part, Stream, load, prepare
from runner.spec import Settings
from runner.spec.study import read_file
from runner.stats import mean_interval
from runner.train import Epoch, Failed, Learner, lockstep

CPU = torch.device("cpu")
SEEDS = range(5)
Kinds = dict[str, dict[str, Any]]  # a name to the settings it changes


def settings(**changes: Any) -> Settings:
    """The default study's baseline with changes."""
    return Settings.model_validate(read_file("mlp")[1]["baseline"] | changes)


@cache
def mnist() -> Dataset:
    """3,500 real MNIST images to train on, 500 to validate, 1,000 to test."""
    return load(prepare(settings(), Path("data")))


def tensors(part: Part, dataset: Dataset | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """A whole part as the networks see it: float32 N x C x H x W, and labels N."""
    stream = Stream(dataset or mnist(), settings(), seed=0, device=CPU)
    return stream.normalized(torch.from_numpy(part.images)), torch.from_numpy(part.labels)


def trained(
    seed: int,
    dataset: Dataset | None = None,
    change: Callable[[nn.Module], object] = lambda _: None,
    **changes: Any,
) -> tuple[nn.Module, list[dict[str, float]]]:
    """The baseline with changes, trained by the runner: the best epoch's model in evaluation mode, and every
    epoch's metrics. `change` may alter the model before it trains."""
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
    """The share of images whose largest logit is their label's; the model's mode stays as it is."""
    return float((model(images).argmax(1) == labels).double().mean())


def mean(values: npt.ArrayLike, digits: int = 2, scale: float = 1.0) -> str:
    """Mean and the half-width of its 95% t interval."""
    interval = mean_interval(values)
    return f"{interval.estimate * scale:.{digits}f} ± {(interval.high - interval.estimate) * scale:.{digits}f}"


def percent(values: npt.ArrayLike) -> str:
    """Shares as percentages, mean and 95% interval."""
    return mean(values, 1, 100)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table, the first column to the left and the others to the right."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
