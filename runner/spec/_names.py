"""Checks names that only libraries or your own modules know. They are imported only when they are needed."""

from __future__ import annotations

import importlib
import inspect
import itertools
import os
import warnings
from collections.abc import Callable, Iterable
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from runner.catalog import INITIALIZATIONS
from runner.spec._namesake import hint, hint_of
from runner.spec._problems import Kind, Mistake, Problem, RequestError, describe, shown, suggest
from runner.spec._settings import Settings, is_reference
from runner.torchvision import repaired

# Known without importing torch, so that listing and most errors stay quick.
_COMMON_OPTIMIZERS = {"Adam", "AdamW", "SGD", "RMSprop", "Adagrad", "NAdam", "RAdam"}
_OWN_OPTIMIZER_ARGUMENTS = {"params", "lr", "weight_decay"}  # they are settings themselves
# They need a closure, sparse gradients, matrices only (no biases), or a subclass.
_UNUSABLE_OPTIMIZERS = {"LBFGS", "SparseAdam", "Muon", "Optimizer"}
_NO_SETTINGS = {"capturable", "differentiable"}  # for CUDA graphs and for gradients through steps: no run uses them
_SWITCHES = {"foreach", "fused"}  # arguments that are None by default and mean True or False
_SCRIPTS = {"__main__", "__mp_main__"}  # modules that no worker process can import


def problems_of(settings: Settings) -> dict[str, Mistake]:
    """Returns what the libraries refuse: setting -> what is wrong and what was expected."""
    checks: dict[str, Callable[[Settings], Mistake | None]] = {
        "optimizer": _optimizer,
        "optimizer_args": _optimizer_arguments,
        "weight_decay": _weight_decay,
        "batch_size": _batch_size,
        "augment": _augment,
        "init_args": _init_arguments,
        "dataset": lambda s: _reference(s.dataset),
        "model": _own_model,
    }
    return {key: wrong for key, check in checks.items() if (wrong := check(settings))}


def load_function(reference: str) -> Callable[..., Any]:
    """Imports the function that package.module:function names. Raises ImportError or AttributeError if it fails."""
    module, _, function = reference.partition(":")
    found = getattr(repaired(lambda: importlib.import_module(module)), function)
    if not callable(found):
        raise AttributeError(f"{reference} is not a function")
    return found  # type: ignore[no-any-return]


def check_call(function: Callable[..., Any], arguments: dict[str, Any]) -> str:
    """Returns why a model's function can't be called as function(shape, classes, **arguments); empty where it can."""
    try:
        inspect.signature(function).bind((1, 1, 1), 2, **arguments)
    except TypeError as error:
        return f"must take (shape, classes, **model_args): {error}"
    except ValueError:  # a function of C without a signature
        return "is not a Python function; expected one that takes (shape, classes, **model_args)"
    return ""


def refuse_modules_in(folder: Path, references: Iterable[Any]) -> None:
    """Raises RequestError for data sets and models that are functions of modules in a folder of runs.

    Such modules may have come with runs from elsewhere, which must never run code. The check imports nothing.
    """
    place = folder.resolve()
    problems = [
        Problem(
            Kind.UNSAFE,
            reference,
            f"is in {file}, among the runs in {place}. The runner imports no code from there; move it elsewhere.",
        )
        for reference in filter(lambda given: isinstance(given, str) and is_reference(given), references)
        for file in itertools.islice(filter(lambda file: file.is_relative_to(place), _files(reference)), 1)
    ]
    if problems:
        raise RequestError(problems)


def _files(reference: str) -> Iterable[Path]:
    """Yields the files and folders that importing a reference would read, the outermost package first."""
    package, *inner = reference.partition(":")[0].split(".")
    spec = PathFinder.find_spec(package)
    places = list(spec.submodule_search_locations or []) if spec else []
    yield from (Path(place).resolve() for place in (spec and spec.origin, *places) if place)
    for place in places:
        for depth in range(1, len(inner) + 1):
            path = Path(place, *inner[:depth])
            yield from (path.resolve(), path.with_suffix(".py").resolve())


def albumentations() -> Any:
    """Imports albumentations, without its check for updates on the network and without OpenCV's threads."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations as package
    import cv2

    cv2.setNumThreads(0)
    return package


def optimizer_class(name: str) -> Any:
    """Returns the torch.optim class of that name, or None where there is none that a run can use."""
    import torch

    found = getattr(torch.optim, name, None)
    usable = inspect.isclass(found) and issubclass(found, torch.optim.Optimizer) and name not in _UNUSABLE_OPTIMIZERS
    return found if usable else None


def _optimizer(settings: Settings) -> Mistake | None:
    if settings.optimizer in _COMMON_OPTIMIZERS or optimizer_class(settings.optimizer):
        return None
    import torch

    return Mistake(
        Kind.UNKNOWN,
        f'got "{settings.optimizer}". {suggest(settings.optimizer, filter(optimizer_class, dir(torch.optim)))}',
    )


def _optimizer_arguments(settings: Settings) -> Mistake | None:
    if not settings.optimizer_args or not (found := optimizer_class(settings.optimizer)):
        return None
    valid = set(inspect.signature(found).parameters) - _OWN_OPTIMIZER_ARGUMENTS
    for key in settings.optimizer_args:
        if key in _OWN_OPTIMIZER_ARGUMENTS:
            return Mistake(Kind.CONFLICT, f'"{key}" is a setting itself; move it out of optimizer_args.')
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


def _weight_decay(settings: Settings) -> Mistake | None:
    if not settings.weight_decay or settings.optimizer in _COMMON_OPTIMIZERS:
        return None
    if not (found := optimizer_class(settings.optimizer)) or "weight_decay" in inspect.signature(found).parameters:
        return None
    what = f"{settings.optimizer} takes no weight decay, so {settings.weight_decay:g} has no effect; set it to 0."
    return Mistake(Kind.IGNORED, what)


def _batch_size(settings: Settings) -> Mistake | None:
    if settings.batch_size > 1 or not settings.batch_norm:
        return None
    return Mistake(Kind.CONFLICT, "BatchNorm can't compute a variance from one image; expected at least 2 in a batch.")


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


def _reference(text: str) -> Mistake | None:
    if not is_reference(text):
        return None
    if ours := hint(text.partition(":")[0]):
        return Mistake(Kind.CODE, ours)
    try:
        load_function(text)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # importing your module may raise anything, even SystemExit
        expected = hint_of(error) or "expected package.module:function that Python can import."
        return Mistake(Kind.CODE, f'can\'t load "{text}": {describe(error)}; {expected}')
    return None


def _own_model(settings: Settings) -> Mistake | None:
    reference = settings.model
    if not is_reference(reference):
        return None
    if reference.partition(":")[0] in _SCRIPTS:
        what = f'workers can\'t import "{reference}" from a notebook or script; move it to a file such as mymodels.py.'
        return Mistake(Kind.CODE, what)
    if mistake := _reference(reference):
        return mistake
    wrong = check_call(load_function(reference), settings.model_args)
    return Mistake(Kind.CODE, f'"{reference}" {wrong}.') if wrong else None
