"""Repeats every measurement, prints it, and writes docs/questions-measured.md."""

from __future__ import annotations

import datetime
import os
import platform
import time
from pathlib import Path

import torch

from benchmarks.questions import evaluating, images, networks, starts, training

PAGE = Path("docs/questions-measured.md")
MEASUREMENTS = (
    images.fixed_size, images.transform_speed, images.normalize, images.to_tensor, images.flatten, images.gray_images,
    networks.parameters, networks.hundred_classes, networks.zero_grad, networks.cross_entropy,
    networks.gradients_by_depth, networks.activation_cost,
    starts.activation_spread, starts.symmetry, starts.layers_and_weights, starts.weight_decay, starts.dropout_noise,
    starts.batchnorm_noise,
    training.shuffled_pixels, training.gradient_noise, training.sharpness, training.overfitting, training.memorizing,
    training.batchnorm_output, evaluating.eval_mode, evaluating.beyond_accuracy, evaluating.one_directory,
)  # fmt: skip
HEAD = """# Measurements for the questions

[questions.md](questions.md) cites these measurements. `python -m benchmarks.questions` writes this page: do not edit
it. Made on {date} in {seconds:.0f} s on {machine}, {cores} cores, one thread, Python {python}, torch {torch}. Times
depend on the machine and its load. Everything else should repeat within the intervals.
"""


def main() -> None:
    """Prints each measurement, and writes the page."""
    torch.set_num_threads(1)
    began = time.perf_counter()
    sections = []
    for measurement in MEASUREMENTS:
        text = " ".join((measurement.__doc__ or "").split())
        sections.append(f"## {measurement.__name__}\n\n{text}\n\n{measurement()}\n")
        print(sections[-1], flush=True)
    head = HEAD.format(
        date=datetime.date.today(), seconds=time.perf_counter() - began, cores=os.cpu_count(),
        machine=f"{platform.system()} {platform.machine()}", python=platform.python_version(), torch=torch.__version__,
    )  # fmt: skip
    PAGE.write_text("\n".join([head, *sections]))


if __name__ == "__main__":
    main()
