"""Measurements for sections 3, 4, 6 and 7: networks trained for a few seconds on real images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from benchmarks.questions.common import SEEDS, Kinds, accuracy, mean, mnist, percent, settings, table, tensors, trained
from runner.data import Dataset, Part
from runner.models import build

Floats = npt.NDArray[np.float64]
Images = npt.NDArray[np.uint8]


def gradient_noise() -> str:
    """Distance between the gradient of a batch and the gradient of the whole train part, divided by the length of the
    latter. Mean of 10 random batches, for the default MLP before training and after 3 epochs. Mean of 5 seeds with its
    95% interval."""
    images, labels = tensors(mnist().train)
    sizes = (8, 32, 128, 512)
    found = []
    for seed in SEEDS:
        random = np.random.default_rng(seed)
        models = build(settings(), mnist().shape, 10, seed), trained(seed, epochs=3)[0]
        found.append([[_noise(model, images, labels, size, random) for model in models] for size in sizes])
    values = np.array(found)
    rows = [[size, mean(values[:, k, 0]), mean(values[:, k, 1])] for k, size in enumerate(sizes)]
    return table(["batch size", "before training", "after 3 epochs"], rows)


def _noise(
    model: nn.Module, images: torch.Tensor, labels: torch.Tensor, size: int, random: np.random.Generator
) -> float:
    whole = _gradient(model, images, labels)
    parts = [torch.from_numpy(random.choice(len(labels), size, replace=False)) for _ in range(10)]
    away = [float((_gradient(model, images[part], labels[part]) - whole).norm()) for part in parts]
    return float(np.mean(away)) / float(whole.norm())


def _gradient(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    loss = functional.cross_entropy(model(images), labels)
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(model.parameters()))])


def sharpness() -> str:
    """How sharp a minimum is: the largest eigenvalue of the Hessian of the training loss (a third of the images, power
    iteration). Plain SGD (learning rate 0.1, one hidden layer of 64 units) trains until the training loss is at most
    0.05. Mean of 5 seeds with its 95% interval."""
    images, labels = tensors(mnist().train)
    rows = []
    for size in (16, 64, 256):
        found = [_trained_to(0.05, size, seed, images, labels) for seed in SEEDS]
        tops, epochs, right = np.array(found).T
        rows.append([size, mean(tops, 1), mean(epochs, 0), percent(right)])
    return table(["batch size", "largest eigenvalue", "epochs it took", "validation accuracy, %"], rows)


def _trained_to(
    loss: float, size: int, seed: int, images: torch.Tensor, labels: torch.Tensor
) -> tuple[float, int, float]:
    """Trains until the training loss is at most `loss`.

    Returns the Hessian's largest eigenvalue, the number of epochs, and the validation accuracy.
    """
    model = build(settings(hidden=[64]), mnist().shape, 10, seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    random = torch.Generator().manual_seed(seed)
    epochs, now = 0, float("inf")
    while now > loss:
        order = torch.randperm(len(labels), generator=random)
        for start in range(0, len(labels), size):
            part = order[start : start + size]
            optimizer.zero_grad()
            functional.cross_entropy(model(images[part]), labels[part]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.inference_mode():
            now = float(functional.cross_entropy(model(images), labels))
        epochs += 1
    return _top_eigenvalue(model, images[::3], labels[::3]), epochs, accuracy(model, *tensors(mnist().val))


def _top_eigenvalue(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Computes the Hessian's largest eigenvalue by power iteration with its vector products (Pearlmutter 1994)."""
    weights = list(model.parameters())
    loss = functional.cross_entropy(model(images), labels)
    gradient = torch.cat([g.flatten() for g in torch.autograd.grad(loss, weights, create_graph=True)])
    vector, size = torch.randn(len(gradient), generator=torch.Generator().manual_seed(0)), 0.0
    for _ in range(30):
        vector /= vector.norm()
        product = torch.autograd.grad(gradient @ vector, weights, retain_graph=True)
        after = torch.cat([p.flatten() for p in product])
        vector, size = after, float(vector @ after)
    return size


def overfitting() -> str:
    """Losses and accuracies (in %) of the default MLP over 30 epochs without early stopping: where the validation loss
    is lowest, at the end, and the difference within seeds. Train is measured on unaugmented images in evaluation mode.
    Mean of 5 seeds with its 95% interval."""
    keys = ("train_eval/loss", "val/loss", "train_eval/accuracy", "val/accuracy")
    then, last, turns = [], [], []
    for seed in SEEDS:
        _, epochs = trained(seed, patience=0)
        turn = int(np.argmin([epoch["val/loss"] for epoch in epochs]))
        turns.append(turn + 1)
        then.append([epochs[turn][key] for key in keys])
        last.append([epochs[-1][key] for key in keys])
    ends = {f"epoch {mean(turns, 1)}": np.array(then), "epoch 30": np.array(last)}
    ends["difference"] = ends["epoch 30"] - np.array(then)
    rows = [[name, *(mean(v, 3) for v in ends[name].T[:2]), *(percent(v) for v in ends[name].T[2:])] for name in ends]
    return table(["", "train loss", "validation loss", "train accuracy", "validation accuracy"], rows)


def memorizing() -> str:
    """500 train images with shuffled labels, which a network can only memorize: accuracy in % on them, in evaluation
    mode, after 10 and after 40 epochs. Mean of 5 seeds with its 95% interval."""
    train = mnist().train
    random = np.random.default_rng(0)
    chosen = random.choice(len(train), 500, replace=False)
    nonsense = replace(mnist(), train=Part(np.array(train.images[chosen]), random.permutation(train.labels[chosen])))
    kinds: Kinds = {
        "no regularization": {}, "BatchNorm": {"batch_norm": True}, "Dropout 0.5": {"dropout": 0.5},
        "weight decay 0.01 in Adam": {"weight_decay": 1e-2},
    }  # fmt: skip
    rows = []
    for name, changes in kinds.items():
        runs = [trained(seed, nonsense, epochs=40, patience=0, **changes)[1] for seed in SEEDS]
        rows.append([name, *(percent([run[k - 1]["train_eval/accuracy"] for run in runs]) for k in (10, 40))])
    return table(["", "after 10 epochs", "after 40"], rows)


def shuffled_pixels() -> str:
    """Validation accuracy in % of the default MLP and of a small CNN (8 and 16 filters). They train and validate on
    real images, or on the same images with all pixels moved by one fixed permutation. The networks trained on real
    images are also validated on images shifted by 3 pixels. Mean of 5 seeds with its 95% interval."""
    order = np.random.default_rng(0).permutation(28 * 28)
    mixed = _changed(mnist(), lambda images: images.reshape(len(images), -1)[:, order].reshape(images.shape))
    shifted = _changed(mnist(), lambda images: np.roll(images, 3, axis=2))
    rows = []
    kinds: Kinds = {"MLP": {}, "CNN": {"model": "cnn", "filters": [8, 16], "hidden": []}}
    for name, changes in kinds.items():
        found = []
        for seed in SEEDS:
            model, _ = trained(seed, epochs=6, patience=0, **changes)
            other, _ = trained(seed, mixed, epochs=6, patience=0, **changes)
            right = [accuracy(model, *tensors(data.val)) for data in (mnist(), shifted)]
            found.append([right[0], accuracy(other, *tensors(mixed.val)), right[1]])
        parameters = sum(p.numel() for p in model.parameters())
        rows.append([name, f"{parameters:,}", *(percent(values) for values in np.array(found).T)])
    return table(["", "parameters", "as they are", "permuted", "shifted"], rows)


def _changed(dataset: Dataset, change: Callable[[Images], Images]) -> Dataset:
    train, val, test = (
        Part(change(np.array(part.images)), part.labels) for part in (dataset.train, dataset.val, dataset.test)
    )
    return replace(dataset, train=train, val=val, test=test)


def batchnorm_output() -> str:
    """BatchNorm's outputs in a network trained until early stopping, over the validation images in evaluation mode. The
    table has the largest mean of a unit (absolute), the mean of the units' deviations, and the smallest and the largest
    learned scale. Mean of 5 seeds with its 95% interval."""
    images, _ = tensors(mnist().val)
    found = []
    for seed in SEEDS:
        model, _ = trained(seed, batch_norm=True)
        values, layers = images, []
        with torch.inference_mode():
            for layer in model.children():
                values = layer(values)
                if isinstance(layer, nn.BatchNorm1d):
                    scale = layer.weight
                    stats = [values.mean(0).abs().max(), values.std(0).mean(), scale.min(), scale.max()]
                    layers.append([float(value) for value in stats])
        found.append(layers)
    array: Floats = np.array(found)
    rows = [[f"layer {k + 1}", *(mean(array[:, k, j]) for j in range(4))] for k in range(array.shape[1])]
    return table(["", "largest mean of a unit", "mean deviation", "smallest scale", "largest scale"], rows)
