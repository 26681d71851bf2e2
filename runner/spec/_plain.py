"""Copies a spec's dict to plain data before anything else reads it.

A spec file is Python, so its dict may hold anything: objects that raise when they are read, lists that contain
themselves, a number of a million digits. The copy holds only dicts with string keys, lists, strings, numbers,
booleans and None, with limits on depth and size.
"""

from __future__ import annotations

from typing import Any

from runner.spec._problems import Kind, Problem, RequestError

_DEEPEST = 20
_MOST_VALUES, _LONGEST_TEXT, _LARGEST_INTEGER = 100_000, 10_000, 2**63
_MOST_PROBLEMS = 20


def plain(data: Any, where: str) -> Any:
    """Returns a copy of the data. Raises RequestError with the place of everything that is not plain."""
    copier = _Copier()
    copy = copier.copy(data, where, _DEEPEST)
    if copier.problems:
        raise RequestError(copier.problems)
    return copy


def is_plain(data: Any) -> bool:
    """Whether all of it is plain data."""
    copier = _Copier()
    copier.copy(data, "", _DEEPEST)
    return not copier.problems


class _Copier:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._left = _MOST_VALUES

    def copy(self, value: Any, place: str, levels: int) -> Any:
        """Returns the value as plain data. Whatever is not plain becomes None, and a problem is noted."""
        self._left -= 1
        if self._left < 0:
            return self._refuse(
                Kind.LIMIT, place, f"got more than {_MOST_VALUES:,} values; expected at most that many.", last=True
            )
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value, place)
        if isinstance(value, int):
            if abs(number := int.__index__(value)) >= _LARGEST_INTEGER:
                return self._refuse(
                    Kind.LIMIT, place, f"got a whole number of {number.bit_length()} bits; expected at most 63."
                )
            return number
        if isinstance(value, float):
            return float.__float__(value)
        if not isinstance(value, (dict, list, tuple)):
            name = type(value).__name__
            what = f'got an object of type "{name}"; expected a number, text, True, False, None, a list or a dict.'
            return self._refuse(Kind.VALUE, place, what)
        if not levels:
            what = f"got a list or dict that contains itself, or more than {_DEEPEST} levels; expected fewer levels."
            return self._refuse(Kind.LIMIT, place, what)
        if isinstance(value, dict):
            return self._dict(value, place, levels)
        items = tuple.__iter__(value) if isinstance(value, tuple) else list.__iter__(value)
        return [self.copy(item, f"{place}: {number}", levels - 1) for number, item in enumerate(items)]

    def _dict(self, value: dict[Any, Any], place: str, levels: int) -> dict[str, Any]:
        copies: dict[str, Any] = {}
        for key, item in dict.items(value):
            if isinstance(key, str):
                name = self._text(key, f"{place}: a key") or ""
                copies[name] = self.copy(item, f"{place}: {name[:60]}", levels - 1)
            else:
                self._refuse(Kind.VALUE, place, f'got a key of type "{type(key).__name__}"; expected text in quotes.')
        return copies

    def _text(self, value: str, place: str) -> Any:
        text = str.__str__(value)
        if len(text) > _LONGEST_TEXT:
            return self._refuse(
                Kind.LIMIT, place, f"got a text of {len(text):,} characters; expected at most {_LONGEST_TEXT:,}."
            )
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            return self._refuse(
                Kind.VALUE, place, "got half a character (a lone surrogate), which no file can hold; expected text."
            )
        return text

    def _refuse(self, kind: Kind, place: str, what: str, last: bool = False) -> Any:
        if len(self.problems) < _MOST_PROBLEMS and (not last or self._left == -1):
            self.problems.append(Problem(kind, place, what))
        return None
