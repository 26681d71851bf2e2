"""Checks and builds Albumentations transforms by their names, and compositions of them."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from runner.spec._fields import COMPOSITIONS
from runner.spec._problems import Kind, Mistake, shown, suggest
from runner.spec._settings import Settings

Items = Iterable[Mapping[str, Mapping[str, Any]]]


def albumentations() -> Any:
    """Imports albumentations, without its check for updates on the network and without OpenCV's threads."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations as package
    import cv2

    cv2.setNumThreads(0)
    return package


def transforms(items: Items) -> list[Any]:
    """Returns the transforms that a setting names, in its order. Raises what they raise."""
    package = albumentations()
    made = []
    for item in items:
        ((name, arguments),) = item.items()
        inner = {"transforms": transforms(arguments["transforms"])} if name in COMPOSITIONS else {}
        made.append(getattr(package, name)(**{**arguments, **inner}))
    return made


def mistake(settings: Settings) -> Mistake | None:
    """Returns what is wrong with the setting `augment`; None where nothing is."""
    return _mistake(settings.augment) if settings.augment else None


def _mistake(items: Any) -> Mistake | None:
    package = albumentations()
    known = [name for name in dir(package) if _is_transform(package, name)] + list(COMPOSITIONS)
    for item in items:
        ((name, arguments),) = item.items()
        if name not in known:
            return Mistake(Kind.UNKNOWN, f'unknown transform "{name}". {suggest(name, known)}')
        valid = inspect.signature(getattr(package, name).__init__).parameters.keys() - {"self"}
        for key in arguments:
            if key not in valid:
                return Mistake(Kind.UNKNOWN, f'{name} has no argument "{key}". {suggest(key, sorted(valid))}')
        if name in COMPOSITIONS:
            inner = arguments.get("transforms")
            if not isinstance(inner, list) or not inner:
                return Mistake(Kind.MISSING, f'{name} needs "transforms", a list of transforms as in augment itself.')
            if wrong := _mistake(inner) or _chance_mistake(name, arguments):
                return wrong
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                transforms([item])
        except Exception as error:
            return Mistake(Kind.VALUE, f"{name} refuses these arguments: {' '.join(str(error).split())}")
    return None


def _chance_mistake(name: str, arguments: Mapping[str, Any]) -> Mistake | None:
    """Returns what is wrong with a composition's `p` and `n`, which Albumentations does not check."""
    p, n = arguments.get("p", 1), arguments.get("n", 1)
    if not isinstance(p, (int, float)) or not 0 <= p <= 1:
        return Mistake(Kind.VALUE, f'the "p" of {name} is {shown(p)}; expected a number from 0 to 1.')
    most = len(arguments["transforms"])
    if type(n) is not int or not 1 <= n <= (n if arguments.get("replace") else most):
        return Mistake(Kind.VALUE, f'the "n" of {name} is {shown(n)}; expected a whole number from 1 to {most}.')
    return None


def _is_transform(package: Any, name: str) -> bool:
    found = getattr(package, name)
    return inspect.isclass(found) and issubclass(found, package.ImageOnlyTransform | package.DualTransform)
