"""Checks names that only libraries or your own modules know. They are imported only when they are needed."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable
from typing import Any

from runner.catalog import INITIALIZATIONS
from runner.spec import _losses, _optimizers, _schedules
from runner.spec._problems import Kind, Mistake, suggest
from runner.spec._references import call_mistake, reference_mistake
from runner.spec._settings import Settings


def problems_of(settings: Settings) -> dict[str, Mistake]:
    """Returns what the libraries refuse: setting -> what is wrong and what was expected."""
    checks: dict[str, Callable[[Settings], Mistake | None]] = {
        "optimizer": _optimizers.name_mistake,
        "optimizer_args": _optimizers.arguments_mistake,
        "weight_decay": _optimizers.weight_decay_mistake,
        "schedule": _schedules.name_mistake,
        "schedule_args": _schedules.arguments_mistake,
        "warmup": _schedules.warmup_mistake,
        "loss": _losses.name_mistake,
        "loss_args": _losses.arguments_mistake,
        "class_weights": _losses.class_weights_mistake,
        "label_smoothing": _losses.label_smoothing_mistake,
        "batch_size": _batch_size,
        "augment": _augment,
        "init_args": _init_arguments,
        "dataset": lambda settings: reference_mistake(settings.dataset),
        "model": _own_model,
    }
    return {key: wrong for key, check in checks.items() if (wrong := check(settings))}


def albumentations() -> Any:
    """Imports albumentations, without its check for updates on the network and without OpenCV's threads."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations as package
    import cv2

    cv2.setNumThreads(0)
    return package


def _batch_size(settings: Settings) -> Mistake | None:
    if settings.batch_size > 1:
        return None
    if settings.batch_norm:
        what = "BatchNorm can't compute a variance from one image; expected at least 2 in a batch."
        return Mistake(Kind.CONFLICT, what)
    if settings.mixup or settings.cutmix:
        what = "mixup and cutmix have no other image to mix with in a batch of one; expected at least 2."
        return Mistake(Kind.CONFLICT, what)
    return None


def _augment(settings: Settings) -> Mistake | None:
    if not settings.augment:
        return None
    package = albumentations()
    known = [n for n in dir(package) if _is_transform(package, n)]
    for item in settings.augment:
        ((name, arguments),) = item.items()
        if name not in known:
            return Mistake(Kind.UNKNOWN, f'unknown transform "{name}". {suggest(name, known)}')
        valid = inspect.signature(getattr(package, name).__init__).parameters.keys() - {"self"}
        for key in arguments:
            if key not in valid:
                return Mistake(Kind.UNKNOWN, f'{name} has no argument "{key}". {suggest(key, sorted(valid))}')
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                getattr(package, name)(**arguments)
        except Exception as error:
            return Mistake(Kind.VALUE, f"{name} refuses these arguments: {' '.join(str(error).split())}")
    return None


def _is_transform(package: Any, name: str) -> bool:
    found = getattr(package, name)
    return inspect.isclass(found) and issubclass(found, package.ImageOnlyTransform | package.DualTransform)


def _init_arguments(settings: Settings) -> Mistake | None:
    entry, given = INITIALIZATIONS[settings.init], settings.init_args
    if not entry.fill:
        return Mistake(Kind.IGNORED, f'init "{entry.name}" takes no arguments; remove them.') if given else None
    if missing := [key for key in entry.required if key not in given]:
        return Mistake(
            Kind.MISSING, f'init "{entry.name}" needs "{missing[0]}": "init_args": {{"{missing[0]}": 0.01}}.'
        )
    for key in given:
        if key not in entry.arguments:
            valid = suggest(key, entry.arguments) if entry.arguments else "It takes none."
            return Mistake(Kind.UNKNOWN, f'{entry.name} has no argument "{key}". {valid}')
    if not given:
        return None
    import torch

    try:
        entry.fill(torch.empty(4, 4), **given)
    except Exception as error:
        return Mistake(Kind.VALUE, f"{entry.name} refuses these arguments: {error}")
    return None


def _own_model(settings: Settings) -> Mistake | None:
    expected = "(shape, classes, **model_args)"
    return call_mistake(settings.model, expected, (1, 1, 1), 2, **settings.model_args)
