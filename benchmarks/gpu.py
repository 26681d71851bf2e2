"""Measures on one NVIDIA GPU: the study `mlp` in full, a ResNet-18, and how far a GPU's numbers are from a CPU's.

    python -m benchmarks.gpu study --precision tf32 --data cifar10.zip
    python -m benchmarks.gpu augmented --data cifar10.zip
    python -m benchmarks.gpu resnet --data cifar10.zip
    python -m benchmarks.gpu agreement --data cifar10.zip

`study` trains every variant of `mlp` that does not augment, for 5 seeds and 50 epochs, without early stopping. Its main
figure is the time from the start of the first run to the end of the last one, with every validation and every log.
docs/speed.md has the results.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from benchmarks.bench.study import mlp_study
from runner.execute import Request, execute
from runner.publish import write_report
from runner.store import RunDir, read_rows

EPOCHS_COMPARED = 5
RESNET: dict[str, Any] = {
    "baseline": {
        "dataset": "cifar10", "image_size": "native", "normalize": "train",
        "augment": [  # He et al. 2016, section 4.2
            {"HorizontalFlip": {"p": 0.5}},
            {"PadIfNeeded": {"min_height": 40, "min_width": 40}},
            {"RandomCrop": {"height": 32, "width": 32}},
        ],
        "model": "resnet18", "optimizer": "SGD", "optimizer_args": {"momentum": 0.9, "nesterov": True}, "lr": 0.1,
        "weight_decay": 5e-4, "schedule": "one_cycle", "precision": "bfloat16", "batch_size": 128, "epochs": 30,
    },
    "seeds": 1,
}  # fmt: skip


def trained(chosen: dict[str, Any], place: Path, data: Path, device: str, workers: int | None = None) -> list[RunDir]:
    """Trains a study and writes its report; prints what it took, and returns its run directories."""
    began = time.time()
    runs, reports = place / "runs", place / "reports"
    request = Request((chosen,), data=data, runs=runs, reports=reports, device=device, workers=workers)
    (name,) = execute(request, Console()).names
    ended = time.time()
    write_report(request.runs / name, request.reports / name)
    reported = time.time()
    directories = [RunDir(path) for path in sorted(runs.glob("*/*/seed*"))]
    records = [run.run_json() for run in directories]
    first, last = min(r.started for r in records if r), max(r.ended or 0.0 for r in records if r)
    rows = list(itertools.chain(*(read_rows(run.folder / "metrics.csv") for run in directories)))
    print(
        f"{len(directories)} runs, {len(rows)} run-epochs on {device}: {first - began:.1f} s to the first run's start, "
        f"{last - first:.1f} s from there to the last one's end (training and evaluation alone "
        f"{sum(float(row['seconds'] or 0) for row in rows):.1f} s), then {ended - last:.1f} s to the command's end and "
        f"{reported - ended:.1f} s for the report",
        flush=True,
    )
    return directories


def accuracy(runs: list[RunDir], metric: str) -> dict[str, list[float]]:
    """Returns a metric of each variant's runs, in percent, seed by seed."""
    found: dict[str, list[float]] = {}
    for run in runs:
        result, record = run.result(), run.run_json()
        value = result.metrics[metric] if result else None
        if record and value is not None:
            found.setdefault(record.variant, []).append(100 * value)
    return found


def agreement(place: Path, data: Path) -> None:
    """Compares the logits of MNIST-5k's test images after a few epochs on a GPU with those on a CPU."""
    chosen = mlp_study(augmented=False, epochs=EPOCHS_COMPARED) | {"seeds": 1}
    chosen["variants"] = {k: v for k, v in chosen["variants"].items() if "dropout" not in k}  # its draws differ
    both = [trained(chosen, place / device, data, device) for device in ("cpu", "cuda")]
    for cpu, gpu in zip(*both, strict=True):
        logits = [(run.load_predictions() or {})["test_logits"] for run in (cpu, gpu)]
        away = float(np.linalg.norm(logits[0] - logits[1]) / np.linalg.norm(logits[0]))
        values = [result.metrics["test/accuracy"] for run in (cpu, gpu) if (result := run.result())]
        print(f"  {cpu.folder.parent.name}, {EPOCHS_COMPARED} epochs: logits differ by {away:.1e}, "
              f"test accuracy {100 * values[0]:.2f} and {100 * values[1]:.2f}%")  # fmt: skip


def main() -> None:
    """Prints the figures of one part."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("part", choices=["study", "augmented", "resnet", "agreement"])
    parser.add_argument("--data", default="data", type=Path)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seeds", default=5, type=int)
    parser.add_argument("--workers", type=int, help="processes that share the GPU")
    arguments = parser.parse_args()
    print(torch.cuda.get_device_name(), "torch", torch.__version__, arguments.part, arguments.precision)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if arguments.part == "agreement":
            agreement(place, arguments.data)
            return
        chosen = RESNET
        if arguments.part != "resnet":
            chosen = mlp_study(arguments.part == "augmented", arguments.epochs or 50) | {"seeds": arguments.seeds}
            chosen["baseline"] |= {"dataset": "cifar10", "precision": arguments.precision}
        elif arguments.epochs:
            chosen["baseline"]["epochs"] = arguments.epochs
        runs = trained(chosen, place, arguments.data, "cuda", arguments.workers)
        for variant, values in accuracy(runs, "test/accuracy").items():
            print(f"  {variant}: test accuracy {np.mean(values):.2f}%, by seed {np.round(values, 2).tolist()}")


if __name__ == "__main__":
    main()
