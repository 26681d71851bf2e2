"""Compares the time for one epoch of one run with that of a plain loop, as a ratio.

The plain loop has a Dataset with Albumentations per image, a DataLoader and the default optimizer. It trains one run
after the other with all threads, with validation and four scalars at every epoch, and test at the end. Its imports are
not counted. Our time is the whole command: from its start to the report, with all run directories. Both train the
study `mlp` within the same minutes: a plain run, our whole study, a plain run.

    make bench ARGS="--dataset cifar10 --data cifar10.zip --seeds 2 --epochs 3"
"""

from __future__ import annotations

import argparse
import copy
import multiprocessing
import os
import runpy
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"


def plain_run(settings: Any, folder: Path, logs: str) -> float:
    """Trains one run with the plain loop and returns its seconds for each epoch, including test at the end."""
    import albumentations
    import numpy as np
    import torch
    from albumentations.pytorch import ToTensorV2
    from torch.nn.functional import cross_entropy
    from torch.utils.data import DataLoader, Dataset
    from torch.utils.tensorboard import SummaryWriter

    from runner.data import load
    from runner.models import build

    dataset = load(folder)
    augment = [getattr(albumentations, name)(**args) for item in settings.augment for name, args in item.items()]
    ending = [albumentations.Normalize(dataset.mean, dataset.std), ToTensorV2()]

    class Images(Dataset[Any]):
        def __init__(self, part: Any, transform: Any) -> None:
            self.images, self.labels, self.transform = np.array(part.images), part.labels, transform

        def __len__(self) -> int:
            return len(self.labels)

        def __getitem__(self, index: int) -> Any:
            return self.transform(image=self.images[index])["image"], int(self.labels[index])

    train = DataLoader(
        Images(dataset.train, albumentations.Compose(augment + ending)), settings.batch_size, shuffle=True
    )
    val, test = (
        DataLoader(Images(part, albumentations.Compose(ending)), settings.batch_size)
        for part in (dataset.val, dataset.test)
    )
    model = build(settings, dataset.shape, len(dataset.classes), seed=0)
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.lr)
    writer = SummaryWriter(logs)
    began = time.perf_counter()
    epochs = [
        (epoch, part, loader) for epoch in range(settings.epochs) for part, loader in (("train", train), ("val", val))
    ]
    for epoch, part, loader in [*epochs, (settings.epochs - 1, "test", test)]:
        model.train(part == "train")
        total, correct = 0.0, 0
        with torch.set_grad_enabled(part == "train"):
            for images, labels in loader:
                logits = model(images)
                loss = cross_entropy(logits, labels)
                if part == "train":
                    optimizer.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimizer.step()
                total += loss.item() * len(labels)
                correct += int((logits.argmax(1) == labels).sum())
        writer.add_scalar(f"{part}/loss", total / len(loader.dataset), epoch + 1)  # type: ignore[arg-type]
        writer.add_scalar(f"{part}/accuracy", correct / len(loader.dataset), epoch + 1)  # type: ignore[arg-type]
    writer.close()
    return (time.perf_counter() - began) / settings.epochs  # type: ignore[no-any-return]


def apart(*arguments: Any) -> float:
    """Calls `plain_run` in a new process, where the runner has set up nothing."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(plain_run, arguments)


def study(augmented: bool, epochs: int) -> dict[str, Any]:
    """Returns the study mlp with all variants augmented, or with none augmented."""
    module = runpy.run_path("ablations/mlp.py")
    chosen: dict[str, Any] = copy.deepcopy(module["STUDY"])
    del chosen["variants"]["augmentation"], chosen["questions"]
    chosen["baseline"] |= {"epochs": epochs, "patience": 0, "augment": module["AUGMENT"] if augmented else []}
    return chosen


def main() -> None:
    """Prints both times and their ratio, without and with augmentation."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--dataset", default="mnist5k")
    parser.add_argument("--data", default="data", type=Path)
    parser.add_argument("--seeds", default="2")
    parser.add_argument("--epochs", default=3, type=int)
    arguments = parser.parse_args()

    from rich.console import Console

    from runner.data import prepare
    from runner.execute import Request, execute
    from runner.expand import Overrides, resolve
    from runner.publish import write_report

    print(f"{os.cpu_count()} cores; {arguments.dataset}, {arguments.seeds} seeds, {arguments.epochs} epochs")
    for augmented in (False, True):
        chosen = study(augmented, arguments.epochs)
        overrides = Overrides(dataset=arguments.dataset, seeds=arguments.seeds)
        resolved = resolve(Path("bench"), chosen, "", overrides)
        baseline = resolved.variants[0].ours
        folder = prepare(baseline, arguments.data)
        with tempfile.TemporaryDirectory() as place:
            plain = [apart(baseline, folder, f"{place}/plain")]
            began = time.perf_counter()
            request = Request((chosen,), overrides, arguments.data, Path(place, "runs"), Path(place, "reports"))
            (name,) = execute(request, Console(quiet=True)).names
            write_report(request.runs / name, request.reports / name)
            ours = (time.perf_counter() - began) / (len(resolved.runs()) * arguments.epochs)
            plain.append(apart(baseline, folder, f"{place}/plain"))
        ratio = sum(plain) / 2 / ours
        print(
            f"{'every variant augments' if augmented else 'no augmentation':<24}"
            f"plain {plain[0]:.2f} and {plain[1]:.2f} s a run-epoch, ours {ours:.2f} s "
            f"({len(resolved.runs())} runs): {ratio:.1f} times faster",
            flush=True,
        )


if __name__ == "__main__":
    main()
