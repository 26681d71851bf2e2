"""Functions of arrays that are imported when they are first called: --help and list need not wait for NumPy."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module


def deferred(module: str, name: str) -> Callable[..., float]:
    """Returns a function that imports the function of this name, and calls it."""

    def value(*arguments: object) -> float:
        return float(getattr(import_module(module), name)(*arguments))

    return value
