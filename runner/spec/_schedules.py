"""Checks the schedule of the learning rate: its name, its arguments, and that it changes something."""

from __future__ import annotations

import math
import warnings
from typing import Any

from runner.catalog import SCHEDULES, Rates, find_schedule, torch_schedules
from runner.spec._fields import is_reference
from runner.spec._problems import Kind, Mistake, describe, suggest
from runner.spec._references import call_mistake, load_function
from runner.spec._settings import Settings

_STEPS, _MOST_EPOCHS = 17, 2_000  # of the trial


def name_mistake(settings: Settings) -> Mistake | None:
    """Returns why the schedule can't be used; None where it can."""
    name = settings.schedule
    if is_reference(name):
        return call_mistake(name, "(epoch, epochs, **schedule_args)", 0.0, 1, **settings.schedule_args) or _tried(
            settings
        )
    if find_schedule(name):
        return None
    return Mistake(Kind.UNKNOWN, f'got "{name}". {suggest(name, [*SCHEDULES, *torch_schedules()])}')


def arguments_mistake(settings: Settings) -> Mistake | None:
    """Returns what is wrong with the schedule's arguments; None where nothing is."""
    if is_reference(settings.schedule) or not (entry := find_schedule(settings.schedule)):
        return None
    if not entry.cls:
        what = f'schedule "{entry.name}" takes no arguments; remove them.'
        return Mistake(Kind.IGNORED, what) if settings.schedule_args else None
    if settings.schedule in SCHEDULES and entry.per_step and not settings.schedule_args:
        return None  # without torch, whose import takes seconds
    valid = entry.arguments()
    for key in settings.schedule_args:
        if key not in valid:
            return Mistake(Kind.UNKNOWN, f'"{entry.name}" has no argument "{key}" here. {suggest(key, sorted(valid))}')
    for key, needed in valid.items():
        if needed and key not in settings.schedule_args:
            return Mistake(Kind.MISSING, f'schedule "{entry.name}" needs "{key}"; add it to "schedule_args".')
    for milestone in settings.schedule_args.get("milestones") or ():
        if isinstance(milestone, int) and milestone >= settings.epochs:
            return Mistake(Kind.IGNORED, f"milestone {milestone} is not before the last of {settings.epochs} epochs.")
    return _tried(settings)


def warmup_mistake(settings: Settings) -> Mistake | None:
    """Returns a mistake where the warmup never ends."""
    if not settings.warmup or settings.warmup < settings.epochs:
        return None
    what = f"{settings.warmup:g} epochs of warmup take all {settings.epochs} epochs, so lr is never reached; "
    return Mistake(Kind.CONFLICT, what + "expected fewer.")


def _tried(settings: Settings) -> Mistake | None:
    """Goes through a run's rates, as if no epoch improved."""
    what = f'schedule "{settings.schedule}"'
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rates = _rates(settings)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # your own schedule may raise anything, even SystemExit
        kind = Kind.CODE if is_reference(settings.schedule) else Kind.VALUE
        return Mistake(kind, f"{what} fails with these arguments: {describe(error)}")
    for rate in rates:
        if not isinstance(rate, float) or not math.isfinite(rate) or rate < 0:
            return Mistake(Kind.VALUE, f"{what} gives the rate {rate!r}; expected numbers from 0.")
    if len(set(rates)) == 1 and settings.epochs <= _MOST_EPOCHS:
        said = f"{what} never changes the rate in {settings.epochs} epochs; change its arguments, or remove it."
        return Mistake(Kind.IGNORED, said)
    return None


def _rates(settings: Settings) -> list[Any]:
    """Returns the rate of each step, for fewer steps an epoch than a real run has."""
    own = load_function(settings.schedule) if is_reference(settings.schedule) else None
    epochs = min(settings.epochs, _MOST_EPOCHS)
    rates = Rates(settings.model_copy(update={"warmup": 0.0, "epochs": epochs}), _STEPS, own)
    values: list[Any] = []
    for _ in range(epochs):
        for _ in range(_STEPS):
            values.append(rates.value)
            rates.step()
        rates.end_epoch(1.0)
    return values
