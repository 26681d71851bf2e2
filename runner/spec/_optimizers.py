"""Checks optimizers: torch's by name, or your own."""

from __future__ import annotations

import inspect
from typing import Any

from runner.spec._fields import is_reference
from runner.spec._problems import Kind, Mistake, shown, suggest
from runner.spec._references import call_mistake, load_function, reference_mistake, takes
from runner.spec._settings import Settings

# Known without importing torch, so that listing and most errors stay quick.
_COMMON_OPTIMIZERS = {"Adam", "AdamW", "SGD", "RMSprop", "Adagrad", "NAdam", "RAdam"}
_OWN_OPTIMIZER_ARGUMENTS = {"params", "lr", "weight_decay"}  # they are settings themselves
# They need a closure, sparse gradients, matrices only (no biases), or a subclass.
_UNUSABLE_OPTIMIZERS = {"LBFGS", "SparseAdam", "Muon", "Optimizer"}
_NO_SETTINGS = {"capturable", "differentiable"}  # for CUDA graphs and for gradients through steps: no run uses them
_SWITCHES = {"foreach", "fused"}  # arguments that are None by default and mean True or False


def optimizer_class(name: str) -> Any:
    """Returns what makes the optimizer of that name: a class of torch.optim, or your own function or class.

    Returns None where torch has none that a run can use. Raises as `load_function` does.
    """
    if is_reference(name):
        return load_function(name)
    import torch

    found = getattr(torch.optim, name, None)
    usable = inspect.isclass(found) and issubclass(found, torch.optim.Optimizer) and name not in _UNUSABLE_OPTIMIZERS
    return found if usable else None


def name_mistake(settings: Settings) -> Mistake | None:
    """Returns why the optimizer can't be used; None where it can."""
    if is_reference(settings.optimizer):
        own = {key: value for key, value in settings.optimizer_args.items() if key not in _OWN_OPTIMIZER_ARGUMENTS}
        expected = "(parameters, lr=..., **optimizer_args)"
        return call_mistake(settings.optimizer, expected, [], lr=settings.lr, **own)
    if settings.optimizer in _COMMON_OPTIMIZERS or optimizer_class(settings.optimizer):
        return None
    import torch

    return Mistake(
        Kind.UNKNOWN,
        f'got "{settings.optimizer}". {suggest(settings.optimizer, filter(optimizer_class, dir(torch.optim)))}',
    )


def arguments_mistake(settings: Settings) -> Mistake | None:
    """Returns what is wrong with the optimizer's arguments; None where nothing is."""
    for key in settings.optimizer_args.keys() & _OWN_OPTIMIZER_ARGUMENTS:
        return Mistake(Kind.CONFLICT, f'"{key}" is a setting itself; move it out of optimizer_args.')
    if not settings.optimizer_args or is_reference(settings.optimizer):
        return None
    if not (found := optimizer_class(settings.optimizer)):
        return None
    valid = set(inspect.signature(found).parameters) - _OWN_OPTIMIZER_ARGUMENTS
    for key in settings.optimizer_args:
        if key in _NO_SETTINGS:
            return Mistake(Kind.IGNORED, f'"{key}" has no effect on a run; remove it.')
        if key not in valid:
            return Mistake(Kind.UNKNOWN, f'{settings.optimizer} has no argument "{key}". {suggest(key, sorted(valid))}')
        default = inspect.signature(found).parameters[key].default
        value = settings.optimizer_args[key]
        if (isinstance(default, bool) or key in _SWITCHES) and not isinstance(value, bool):
            return Mistake(Kind.VALUE, f'"{key}" is {shown(value)}; expected True or False.')
    import torch

    try:
        found([torch.nn.Parameter(torch.zeros(1))], lr=settings.lr, **settings.optimizer_args)
    except Exception as error:
        return Mistake(Kind.VALUE, f"{settings.optimizer} refuses these arguments: {error}")
    return None


def weight_decay_mistake(settings: Settings) -> Mistake | None:
    """Returns a mistake where the optimizer takes no weight decay and the setting has one."""
    if not settings.weight_decay or settings.optimizer in _COMMON_OPTIMIZERS or reference_mistake(settings.optimizer):
        return None
    if not (found := optimizer_class(settings.optimizer)) or takes(found, "weight_decay"):
        return None
    what = f"{settings.optimizer} takes no weight decay, so {settings.weight_decay:g} has no effect; set it to 0."
    return Mistake(Kind.IGNORED, what)
