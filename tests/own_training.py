"""A study's own training for tests: what a user would write."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from typing import Any


def main(settings: dict[str, Any], run: Any) -> None:
    """Draws a curve, with a checkpoint after each step. `die_at` kills the process once, `fail` raises."""
    done: dict[str, Any] = (
        json.loads(run.checkpoint.read_text()) if run.checkpoint.exists() else {"step": 0, "sum": 0.0}
    )
    if settings["fail"]:
        raise ValueError("as asked")
    for step in range(done["step"], settings["steps"]):
        drawn = random.Random(1000 * run.seed + step).gauss(0, 0.01)
        done = {"step": step + 1, "sum": done["sum"] + drawn}
        run.log(step, {"val/f1": 0.5 + settings["gain"] + done["sum"], "val/loss": 1 / (step + 1)})
        run.checkpoint.write_text(json.dumps(done))
        if step == settings["die_at"] and not (run.folder / "died").exists():
            (run.folder / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if run.should_stop():
            return


def other(settings: dict[str, Any], run: Any) -> None:
    """Logs something else than the study counts on."""
    run.log(0, {"accuracy": 1.0})


def seeded(settings: dict[str, Any], run: Any) -> None:
    """Logs what Python, numpy and torch draw."""
    import numpy as np
    import torch

    run.log(0, {"val/f1": random.random(), "val/loss": float(np.random.rand()), "torch": float(torch.rand(()))})


def alone(settings: dict[str, Any]) -> None:
    """Takes no run."""


STUDY: dict[str, Any] = {
    "train": "tests.own_training:main",
    "metrics": {"val/f1": "more", "val/loss": "less"},
    "monitor": "val/f1",
    "baseline": {"gain": 0.0, "steps": 6, "die_at": -1, "fail": False},
    "variants": {"trick": {"gain": 0.1}},
    "seeds": 3,
    "questions": [{"ask": "Does the trick help?", "compare": ["trick", "baseline"], "expect": "more"}],
}


def talkative(settings: dict[str, Any], run: Any) -> None:
    """Prints."""
    print("one step")
    print("a warning", file=sys.stderr)
    run.log(0, {"val/f1": 0.5, "val/loss": 1.0})


def seeing(settings: dict[str, Any], run: Any) -> None:
    """Logs the number of the GPU that it sees, -1 for none, 99 where nothing says; it lasts until `runs` have begun."""
    from pathlib import Path

    (run.folder / "began").touch()
    deadline = time.monotonic() + 60
    while len(list(Path(settings["place"]).glob("*/*/*/own/began"))) < settings["runs"] and time.monotonic() < deadline:
        time.sleep(0.01)
    run.log(0, {"gpu": float(os.environ.get("CUDA_VISIBLE_DEVICES", "99") or -1)})


def like_lightning(settings: dict[str, Any], run: Any) -> None:
    """Leaves what Lightning's trainer leaves with its TensorBoardLogger: a version for each start, last.ckpt."""
    from torch.utils.tensorboard import SummaryWriter

    logs, last = run.folder / "lightning_logs", run.folder / "last.ckpt"
    first = json.loads(last.read_text()) if last.exists() else 0
    folder = logs / f"version_{len(list(logs.glob('version_*')))}"
    with SummaryWriter(str(folder)) as writer:
        (folder / "hparams.yaml").write_text(f"epochs: {settings['epochs']}\n")
        writer.add_scalar("hp_metric", -1, 0)
        for epoch in range(first, settings["epochs"]):
            for step in range(50 * epoch, 50 * epoch + 50):
                if (step + 1) % 50 == 25:
                    writer.add_scalar("train_loss", 1 / (step + 1), step)
                    writer.add_scalar("epoch", epoch, step)
            writer.add_scalar("val_loss", 1 / (epoch + 1), 50 * epoch + 49)
            writer.add_scalar("epoch", epoch, 50 * epoch + 49)
            if epoch == settings["die_at"] and not first:
                writer.flush()
                os.kill(os.getpid(), signal.SIGKILL)
            last.write_text(json.dumps(epoch + 1))
