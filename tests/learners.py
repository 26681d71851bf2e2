"""Learners on small real data, and what lockstep yields for them."""

from __future__ import annotations

from typing import Any

import torch

from runner.data import Dataset, Stream
from runner.spec import Settings
from runner.train import Failed, Finished, Learner, lockstep

CPU = torch.device("cpu")
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "batchnorm": {"batch_norm": True},
    "dropout": {"dropout": 0.5},
    "both": {"batch_norm": True, "dropout": 0.5},
    "sgd": {"optimizer": "SGD", "optimizer_args": {"momentum": 0.9}},
    "cnn": {"model": "cnn", "filters": [4, 8], "dropout": 0.2},
    "short": {"epochs": 2},
    "cosine": {"schedule": "cosine", "label_smoothing": 0.1},
    "bfloat16": {"precision": "bfloat16", "batch_norm": True, "dropout": 0.2},
    "one_cycle": {"schedule": "one_cycle", "batch_norm": True, "weight_average": 0.9},
    "dice": {"model": "tests.fakes:dice"},
    "step": {"schedule": "step", "schedule_args": {"step_size": 1}, "warmup": 0.5, "grad_clip": 0.5},
    "plateau": {"schedule": "plateau", "schedule_args": {"patience": 0, "threshold": 0.9}, "monitor": "val/f1"},
    "mixup": {"mixup": 0.4, "dropout": 0.2, "class_weights": [1, 1, 2, 1, 1, 1, 1, 1, 1, 1]},
    "cutmix": {"cutmix": 1.0, "mixup": 0.2, "model": "cnn", "filters": [4], "loss": "BCEWithLogitsLoss"},
    "focal": {"loss": "tests.recipes:focal", "loss_args": {"gamma": 1.0}},
    "jitter": {"loss": "tests.recipes:jittered", "schedule": "tests.recipes:root", "mixup": 0.2},
    "signs": {"optimizer": "tests.recipes:Signs", "optimizer_args": {"beta": 0.8}, "weight_decay": 0.1},
    "parts": {"lr_of": {"1": 0.1}, "decay_norms": False, "weight_decay": 0.1, "batch_norm": True, "schedule": "cosine"},
    "frozen": {"freeze": ["1", "2"], "batch_norm": True, "hidden": [16, 16], "dropout": 0.2},
    "auxiliary": {"model": "tests.fakes:auxiliary", "loss": "tests.recipes:with_auxiliary", "mixup": 0.2},
    "lazy": {"model": "tests.fakes:lazy", "weight_average": 0.9},
}


def learner(dataset: Dataset, chosen: Settings, seed: int = 0, device: torch.device = CPU) -> Learner:
    return Learner(chosen, dataset, seed, device)


def outcome(learners: list[Learner], dataset: Dataset, chosen: Settings, **options: Any) -> dict[int, list[Any]]:
    """For each learner its events, times apart, and its test logits."""
    log: dict[int, list[Any]] = {id(each): [] for each in learners}
    for event in lockstep(learners, Stream(dataset, chosen, 0, learners[0].device), **options):
        if isinstance(event, Failed):
            log[id(event.learner)].append(repr(event.error))
            continue
        times = ("seconds", "train/images_per_second")
        log[id(event.learner)].append({k: v for k, v in event.metrics.items() if k not in times})
        if isinstance(event, Finished):
            log[id(event.learner)].append(event.logits["test"].numpy().tobytes())
    return log
