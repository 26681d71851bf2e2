"""Measures the memory of a worker: `python -m benchmarks.memory [runs|images]`.

runs    after each tenth of 100 small runs that one worker trains: it must not grow with their number
images  while it trains on 3 GB of images. The images are file pages, which the system can drop; only the memory of its
        own (`RssAnon` in /proc) must fit. To see it under a limit:

            systemd-run --scope -p MemoryMax=2G python -m benchmarks.memory images

It reads /proc, so it runs on Linux. docs/performance.md has the results.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import torch

from runner.data import prepare
from runner.execute import Job, Message
from runner.execute._job import train_job
from runner.execute._messages import Command
from runner.expand import Overrides, Run, resolve
from runner.store import present_provenance
from runner.train import set_up_arithmetic

BASELINE = {
    "dataset": "digits", "normalize": "train", "model": "mlp", "hidden": [64, 32], "optimizer": "Adam", "lr": 1e-3,
    "batch_size": 256, "epochs": 1,
}  # fmt: skip
COUNT, IMAGES, SIDE = 100, 250_000, 64


def own_megabytes() -> float:
    """Returns the memory of this process that is no file's (RssAnon)."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["RssAnon"].split()[0]) / 1024


def runs_of(variants: int, **changes: Any) -> list[Run]:
    """Returns runs that differ in the learning rate."""
    own = {f"v{n}": {"lr": 1e-3 + n / 1e6} for n in range(1, variants)}
    study = {"baseline": BASELINE | changes, "variants": own, "seeds": 1}
    return resolve(Path("memory.py"), study, "", Overrides()).runs()


def trained(run: Run, data: Path) -> list[str]:
    """Trains one run as a worker does; returns the kinds of its messages."""
    said: list[Message] = []
    train_job(Job((run,), data), Command(Path("runs"), "cpu", present_provenance("cpu")), said.append)
    return [message.kind for message in said]


def small_runs() -> Iterator[str]:
    """Trains many small runs; yields the memory after each tenth."""
    those = runs_of(COUNT)
    data = prepare(those[0].variant.ours, Path("data"))
    for number, run in enumerate(those, 1):
        assert trained(run, data)[-1] == "finished"
        if number % (COUNT // 10) == 0:
            yield f"after {number} runs: {own_megabytes():.0f} MB"


def large_images() -> Iterator[str]:
    """Trains one epoch on many images; yields the memory at the end."""
    folder = _planted(Path("cache"))
    (run,) = runs_of(1, dataset="folder:large", hidden=[8])
    assert trained(run, folder)[-1] == "finished"
    size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
    yield f"{size:.0f} MB of images: {own_megabytes():.0f} MB"


def _planted(folder: Path) -> Path:
    """Writes a data set's cache: ten images, again and again."""
    folder.mkdir()
    random = np.random.default_rng(0)
    ten = random.integers(0, 256, (10, SIDE, SIDE, 3), dtype=np.uint8)
    for name, count in (("train", IMAGES), ("val", 1000), ("test", 1000)):
        labels = random.integers(0, 10, count)
        shape = (count, SIDE, SIDE, 3)
        images = np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype=np.uint8, shape=shape)
        for start in range(0, count, 1000):
            images[start : start + 1000] = ten[labels[start : start + 1000]]
            if start % 20_000 == 0:
                images.flush()  # under a memory limit too many unwritten pages would stall the process
        np.save(folder / f"{name}-labels.npy", labels)
    meta = {"classes": list("0123456789"), "mean": [0.5] * 3, "std": [0.3] * 3, "fingerprint": "planted"}
    (folder / "meta.json").write_text(json.dumps(meta | {"notes": [], "window": None}))
    return folder


def main(parts: list[str]) -> None:
    """Prints the parts that are asked for; by default both."""
    set_up_arithmetic()
    torch.set_num_threads(1)
    for name, part in {"runs": small_runs, "images": large_images}.items():
        if not parts or name in parts:
            with tempfile.TemporaryDirectory() as place, chdir(place):
                for line in part():
                    print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
