"""What the other tools share: their task, the loaders of images, and the loop that people write by hand."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import albumentations
import numpy as np
import torch
from albumentations.pytorch import ToTensorV2
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset

from runner import data
from runner.expand import Overrides, resolve
from runner.models import build
from runner.spec import Settings

Log = Callable[[dict[str, float], int], None]  # scalars by their tags, and the epoch from 1


@dataclass(frozen=True)
class Task:
    """What a tool has to train.

    variants  name to settings
    images    the prepared images
    logs      the folder that gets a folder of event files for each variant
    """

    variants: dict[str, Settings]
    seed: int
    images: data.Dataset
    logs: Path


def read_task() -> Task:
    """Reads the task from the file that the command line names."""
    given = json.loads(Path(sys.argv[1]).read_text())
    resolved = resolve(Path("bench"), given["study"], "", Overrides())
    variants = {variant.name: variant.ours for variant in resolved.variants}
    return Task(variants, given["study"]["seeds"][0], data.load(Path(given["cache"])), Path(given["logs"]))


class Images(Dataset[Any]):
    """One part of a data set; each image is transformed when it is asked for."""

    def __init__(self, part: data.Part, transform: Any) -> None:
        self.images, self.labels, self.transform = np.array(part.images), part.labels, transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Any:
        return self.transform(image=self.images[index])["image"], int(self.labels[index])


Loader = DataLoader[Any]


def loaders(settings: Settings, images: data.Dataset, workers: int = 0) -> tuple[Loader, Loader, Loader]:
    """Returns loaders of train, validation and test. Workers are processes that live as long as the loader."""
    augment = [getattr(albumentations, name)(**args) for item in settings.augment for name, args in item.items()]
    ending = [albumentations.Normalize(images.mean, images.std), ToTensorV2()]
    options: dict[str, Any] = {"num_workers": workers, "persistent_workers": workers > 0}
    train = Images(images.train, albumentations.Compose(augment + ending))
    val, test = (Images(part, albumentations.Compose(ending)) for part in (images.val, images.test))
    return (
        DataLoader(train, settings.batch_size, shuffle=True, **options),
        DataLoader(val, settings.batch_size, **options),
        DataLoader(test, settings.batch_size, **options),
    )


def network(settings: Settings, images: data.Dataset, seed: int) -> torch.nn.Module:
    """Returns the model with the same initial weights as the runner's, and seeds what is drawn after."""
    model = build(settings, images.shape, len(images.classes), seed)
    torch.manual_seed(seed)
    return model


def optimizer(settings: Settings, model: torch.nn.Module) -> torch.optim.Optimizer:
    """Returns the optimizer with torch's defaults."""
    return torch.optim.Adam(model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)


def train(settings: Settings, images: data.Dataset, seed: int, log: Log) -> None:
    """Trains one run with a plain loop: validation and four scalars at every epoch, test at the end."""
    on_train, on_val, on_test = loaders(settings, images)
    model = network(settings, images, seed)
    updates = optimizer(settings, model)
    for epoch in range(1, settings.epochs + 1):
        log(_pass(model, "train", on_train, updates) | _pass(model, "val", on_val), epoch)
    log(_pass(model, "test", on_test), settings.epochs)


def _pass(
    model: torch.nn.Module, part: str, loader: Loader, updates: torch.optim.Optimizer | None = None
) -> dict[str, float]:
    """Passes once over a part, and trains where there is an optimizer; returns loss and accuracy."""
    model.train(updates is not None)
    total, correct, count = 0.0, 0, 0
    with torch.set_grad_enabled(updates is not None):
        for images, labels in loader:
            logits = model(images)
            loss = cross_entropy(logits, labels)
            if updates:
                updates.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                updates.step()
            total += loss.item() * len(labels)
            correct += int((logits.argmax(1) == labels).sum())
            count += len(labels)
    return {f"{part}/loss": total / count, f"{part}/accuracy": correct / count}
