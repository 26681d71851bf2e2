"""The types of settings: what each accepts, and what it says when it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from runner.spec._problems import Kind, Refusal, shown, suggest


def entry_of(table: Mapping[str, object]) -> AfterValidator:
    """Accepts the names of a table's entries. Another name raises ValueError, which lists all names and the nearest."""

    def check(value: str) -> str:
        if value not in table:
            near = suggest(value, table)
            near = f" {near}" if near.startswith("Did") else ""
            raise Refusal(Kind.UNKNOWN, f'got "{shown(value)[1:-1]}"; expected {one_of(table)}.{near}')
        return value

    return AfterValidator(check)


def entry_or(table: Mapping[str, object], *forms: str, accepts: Callable[[str], bool]) -> AfterValidator:
    """Accepts the names of a table's entries, and what `accepts` recognizes; `forms` name that in messages."""

    def check(value: str) -> str:
        if value in table or accepts(value):
            return value
        raise Refusal(Kind.UNKNOWN, f'got "{shown(value)[1:-1]}". {suggest(value, [*table, *forms])}')

    return AfterValidator(check)


def one_of(table: Mapping[str, object], *others: str) -> str:
    """Lists the names of a table's entries, and other choices, as text.

    >>> one_of({"a": 1, "b": 2})
    'one of a, b'
    >>> one_of({"a": 1, "b": 2}, "folder:PATH", "package.module:function")
    'one of a, b, folder:PATH or package.module:function'
    """
    last = f" or {others[-1]}" if others else ""
    return "one of " + ", ".join([*table, *others[:-1]]) + last


def _can_be_written_down(value: Any) -> Any:
    """Arguments become part of a run's digest, so they must be plain data. Raises ValueError where they are not."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"got {shown(value)}; expected only numbers, strings, True, False, None, lists and dicts with string keys."
        ) from error
    return value


def _bare_names_have_no_arguments(value: Any) -> Any:
    """Turns ["HorizontalFlip"] into [{"HorizontalFlip": {}}], also in a composition's own list.

    Raises ValueError for any other kind of item.
    """
    if not isinstance(value, (list, tuple)):
        return value
    items = [{item: {}} if isinstance(item, str) else item for item in value]
    for item in items:
        if not isinstance(item, dict) or len(item) != 1:
            raise ValueError(f'got {shown(item)}; expected a transform\'s name, or {{"Name": {{its arguments}}}}.')
    return [{name: _with_inner(name, given) for name, given in item.items()} for item in items]


def _with_inner(name: str, given: Any) -> Any:
    if name not in COMPOSITIONS or not isinstance(given, dict) or "transforms" not in given:
        return given
    return given | {"transforms": _bare_names_have_no_arguments(given["transforms"])}


def is_reference(text: str) -> bool:
    """Whether `text` has the form package.module:function. A text such as folder:photos names a folder instead."""
    module, colon, function = text.partition(":")
    return (
        bool(colon) and module != "folder" and function.isidentifier() and all(map(str.isidentifier, module.split(".")))
    )


COMPOSITIONS = ("OneOf", "SomeOf", "Sequential")  # of transforms, by Albumentations
OWN = "package.module:function"  # the form of a reference
Fraction = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
Width = Annotated[int, Field(ge=1, le=100_000)]
Widths = Annotated[tuple[Width, ...], Field(strict=False, max_length=100)]
Patterns = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False, max_length=1000)]
Factor = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Weight = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Weights = Annotated[tuple[Weight, ...], Field(strict=False, max_length=100_000)]
Arguments = Annotated[dict[str, Any], AfterValidator(_can_be_written_down)]
Transforms = Annotated[
    tuple[dict[str, dict[str, Any]], ...],
    Field(strict=False, max_length=50),
    BeforeValidator(_bare_names_have_no_arguments),
    AfterValidator(_can_be_written_down),
]
