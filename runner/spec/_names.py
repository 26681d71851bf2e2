"""Checks names that only libraries or your own modules know. They are imported only when they are needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from runner.catalog import INITIALIZATIONS
from runner.files import expanded
from runner.spec import _augment, _losses, _models, _optimizers, _schedules
from runner.spec._fields import is_reference
from runner.spec._problems import Kind, Mistake, shown, suggest
from runner.spec._references import call_mistake
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
        "augment": _augment.mistake,
        "init_args": _init_arguments,
        "dataset": _dataset,
        "dataset_args": _dataset_arguments,
        "groups": _groups,
        "resize": _resize,
        "decay_norms": _decay_norms,
        "model": _models.name_mistake,
        "weights": _models.weights_mistake,
    }
    return {key: wrong for key, check in checks.items() if (wrong := check(settings))}


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


def _dataset(settings: Settings) -> Mistake | None:
    return call_mistake(settings.dataset, "(**dataset_args)", **settings.dataset_args)


def _dataset_arguments(settings: Settings) -> Mistake | None:
    if not settings.dataset_args or is_reference(settings.dataset):
        return None
    return Mistake(Kind.IGNORED, "only your own data set's function takes arguments; remove them.")


def _groups(settings: Settings) -> Mistake | None:
    if settings.groups == "none":
        return None
    if not settings.dataset.startswith("folder:"):
        what = "a CSV file names the images of a folder; your own data set's function returns its groups; remove it."
        return Mistake(Kind.IGNORED, what)
    if expanded(Path(settings.groups)).is_file():
        return None
    return Mistake(Kind.PATH, f"there is no file {shown(settings.groups)}; check the path.")


def _resize(settings: Settings) -> Mistake | None:
    if settings.resize == "squeeze" or settings.image_size != "native":
        return None
    return Mistake(Kind.IGNORED, "nothing is resized without image_size; give one, or remove it.")


def _decay_norms(settings: Settings) -> Mistake | None:
    if settings.decay_norms or settings.weight_decay:
        return None
    return Mistake(Kind.IGNORED, "False has no effect without weight_decay; give one, or remove it.")
