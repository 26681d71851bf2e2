"""The study by Lightning with its TensorBoard logger: a Trainer for each run, one after the other, all threads.

The loaders have as many workers as Lightning itself suggests for the machine, and keep them, as its page on speed
says. Progress bar and model summary are off. Everything else is Lightning's default, checkpoints too.
"""

# ruff: noqa: E402  torchvision comes first
from __future__ import annotations

from typing import Any

from runner.torchvision import torchvision

torchvision()  # Lightning's metrics import it; beside a CPU build of torch it has to be repaired first

import lightning
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import suggested_max_num_workers
from torch.nn.functional import cross_entropy
from torchmetrics.classification import MulticlassAccuracy

from benchmarks.bench.peers import Task, loaders, network, optimizer, read_task
from runner.spec import Settings


class Classifier(lightning.LightningModule):  # type: ignore[misc]
    """A network with its loss and its metrics."""

    def __init__(self, settings: Settings, model: torch.nn.Module, classes: int) -> None:
        super().__init__()
        self.save_hyperparameters({"lr": settings.lr, "weight_decay": settings.weight_decay})
        self.settings, self.model = settings, model
        accuracies = {part: MulticlassAccuracy(classes, average="micro") for part in ("train_", "val_", "test_")}
        self.accuracies = torch.nn.ModuleDict(accuracies)  # `train` is a method of it

    def _step(self, part: str, batch: Any) -> torch.Tensor:
        images, labels = batch
        logits = self.model(images)
        loss = cross_entropy(logits, labels)
        accuracy = self.accuracies[f"{part}_"]
        accuracy(logits, labels)
        options = {"on_step": False, "on_epoch": True, "batch_size": len(labels)}
        self.log(f"{part}/loss", loss, **options)
        self.log(f"{part}/accuracy", accuracy, **options)
        return loss

    def training_step(self, batch: Any) -> torch.Tensor:
        """Returns the loss of a batch, and logs it with the accuracy."""
        return self._step("train", batch)

    def validation_step(self, batch: Any) -> None:
        """Logs loss and accuracy of a batch."""
        self._step("val", batch)

    def test_step(self, batch: Any) -> None:
        """Logs loss and accuracy of a batch."""
        self._step("test", batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Returns torch's optimizer."""
        return optimizer(self.settings, self.model)


def main(task: Task) -> None:
    """Trains every variant."""
    workers = suggested_max_num_workers(1)
    for name, settings in task.variants.items():
        train, val, test = loaders(settings, task.images, workers)
        module = Classifier(settings, network(settings, task.images, task.seed), len(task.images.classes))
        trainer = lightning.Trainer(
            accelerator="cpu", devices=1, max_epochs=settings.epochs, enable_progress_bar=False,
            enable_model_summary=False, logger=TensorBoardLogger(task.logs, name="", version=name),
        )  # fmt: skip
        trainer.fit(module, train, val)
        trainer.test(module, test, verbose=False)


if __name__ == "__main__":
    main(read_task())
