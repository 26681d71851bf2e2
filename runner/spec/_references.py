"""Code of your own that settings name as package.module:function: found, imported, and its signature checked."""

from __future__ import annotations

import importlib
import inspect
import itertools
import sys
from collections.abc import Callable, Collection, Iterable
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from runner.spec._fields import is_reference
from runner.spec._namesake import hint, hint_of
from runner.spec._problems import Kind, Mistake, Problem, RequestError, describe, nearest
from runner.torchvision import repaired

OWN_CODE = ("model", "optimizer", "schedule", "loss")  # settings that may name your own code, which trains
_SCRIPTS = {"__main__", "__mp_main__"}  # modules that no worker process can import


class NoSuchFunction(AttributeError):
    """A module lacks the function that a reference names. The text names the nearest one that it has."""


def own_code(settings: Any) -> dict[str, str]:
    """Returns the settings that name your own code in training, each with its reference."""
    return {key: getattr(settings, key) for key in OWN_CODE if is_reference(getattr(settings, key))}


def references(settings: Any) -> list[str]:
    """Returns every reference that the settings make: to the data's function and to your own code in training."""
    return [*([settings.dataset] if is_reference(settings.dataset) else []), *own_code(settings).values()]


def load_function(reference: str) -> Callable[..., Any]:
    """Imports the function that package.module:function names. Raises ImportError or AttributeError if it fails."""
    name, _, function = reference.partition(":")
    before = frozenset(sys.modules)
    module = repaired(lambda: _import(name, before))
    try:
        found = getattr(module, function)
    except AttributeError as error:
        public = [known for known, value in vars(module).items() if callable(value) and not known.startswith("_")]
        raise NoSuchFunction(f'{name} has no "{function}". {nearest(function, public)}'.rstrip()) from error
    if not callable(found):
        raise AttributeError(f"{reference} is not a function")
    return found  # type: ignore[no-any-return]


def _import(module: str, before: Collection[str]) -> ModuleType:
    """Imports a module, perhaps again, without the halves of packages whose import failed since `before`.

    A failed import leaves the submodules that it had finished. Packages that find them do not bind them again.
    """
    for name in sys.modules.keys() - {*before}:
        parents = itertools.accumulate(name.split(".")[:-1], "{}.{}".format)
        if any(parent not in sys.modules for parent in parents):
            del sys.modules[name]
    return importlib.import_module(module)


def check_call(function: Callable[..., Any], expected: str, *given: Any, **named: Any) -> str:
    """Returns why a function can't be called as function(*given, **named); empty where it can.

    `expected` is its signature in words, such as "(shape, classes, **model_args)".
    """
    try:
        inspect.signature(function).bind(*given, **named)
    except TypeError as error:
        return f"must take {expected}: {error}"
    except ValueError:  # a function of C without a signature
        return f"is not a Python function; expected one that takes {expected}"
    return ""


def takes(function: Callable[..., Any], argument: str) -> bool:
    """Whether a function takes an argument of this name."""
    try:
        known = inspect.signature(function).parameters
    except ValueError:  # a function of C without a signature
        return False
    return argument in known or any(each.kind is inspect.Parameter.VAR_KEYWORD for each in known.values())


def reference_mistake(text: str) -> Mistake | None:
    """Returns why a text is a reference that can't be imported; None where it can, or where it is no reference."""
    if not is_reference(text):
        return None
    if ours := hint(text.partition(":")[0]):
        return Mistake(Kind.CODE, ours)
    try:
        load_function(text)
    except NoSuchFunction as error:
        return Mistake(Kind.CODE, f'can\'t load "{text}": {error}')
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # importing your module may raise anything, even SystemExit
        expected = hint_of(error) or "expected package.module:function that Python can import."
        return Mistake(Kind.CODE, f'can\'t load "{text}": {describe(error)}; {expected}')
    return None


def call_mistake(reference: str, expected: str, *given: Any, **named: Any) -> Mistake | None:
    """Returns why a reference can't be imported and called so; None where it can, or where it is no reference."""
    if not is_reference(reference):
        return None
    if reference.partition(":")[0] in _SCRIPTS:
        what = f'workers can\'t import "{reference}" from a notebook or script; move it to a file such as mymodels.py.'
        return Mistake(Kind.CODE, what)
    if mistake := reference_mistake(reference):
        return mistake
    wrong = check_call(load_function(reference), expected, *given, **named)
    return Mistake(Kind.CODE, f'"{reference}" {wrong}.') if wrong else None


def refuse_modules_in(folder: Path, references: Iterable[Any]) -> None:
    """Raises RequestError for references to modules in a folder of runs.

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
