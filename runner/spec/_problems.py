"""What is wrong with a request. Every problem is collected before any is shown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import pydantic

_LONGEST_PLACE, _LONGEST = 500, 3000  # characters; libraries have long lists of valid names


class Kind(StrEnum):
    """The kind of a problem, for tests and callers that do not read sentences."""

    UNKNOWN = "unknown"  # A name does not exist.
    MISSING = "missing"  # Something that is needed is not given.
    VALUE = "value"  # A value does not have the expected form, or is outside the expected range.
    IGNORED = "ignored"  # A setting would have no effect.
    DUPLICATE = "duplicate"  # A name, a value or a variant is given twice.
    CONFLICT = "conflict"  # Two things exclude each other, or one needs the other.
    LIMIT = "limit"  # The request is larger than the runner accepts.
    PATH = "path"  # A file or directory is missing or in the way, or can't be read or written.
    BUSY = "busy"  # Another runner has it.
    DATA = "data"  # Images, labels or classes can't be used.
    CODE = "code"  # Your own code can't be imported, fails, or gives something that can't be used.
    MACHINE = "machine"  # This machine lacks the device or the memory.
    STATE = "state"  # A run or a search is not in the state that is needed.
    UNSAFE = "unsafe"  # Files from elsewhere would run code, or reach outside of their directory.


@dataclass(frozen=True)
class Problem:
    """One mistake: its kind, its place (file, variant, key), and a text with what is wrong and what was expected."""

    kind: Kind
    where: str
    what: str

    def __str__(self) -> str:
        """Returns one line that a terminal can show, whatever the request contains."""
        return f"{_line(self.where, _LONGEST_PLACE)}: {_line(self.what, _LONGEST)}"


class Mistake(NamedTuple):
    """What is wrong, found by a function that does not know the place."""

    kind: Kind
    what: str

    def at(self, where: str) -> Problem:
        """Returns the problem at this place."""
        return Problem(self.kind, where, self.what)


class Refusal(ValueError):
    """A ValueError with the kind of its problem. Any other ValueError counts as Kind.VALUE."""

    def __init__(self, kind: Kind, what: str) -> None:
        super().__init__(what)
        self.kind = kind


def mistake_of(error: ValueError) -> Mistake:
    """Returns what a ValueError says is wrong."""
    return Mistake(error.kind if isinstance(error, Refusal) else Kind.VALUE, str(error))


def _line(text: str, limit: int) -> str:
    text = " ".join(text.split("\n"))
    text = text if text.isprintable() else "".join(map(_printable, text))
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _printable(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def describe(error: BaseException) -> str:
    """Returns an exception's type and text on one line, even where its text can't be computed."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = "(its text can't be shown)"
    return f"{type(error).__name__}: {shown(text, 300)[1:-1]}" if text else type(error).__name__


class RequestError(Exception):
    """The request was wrong. Nothing was trained or written, unless `after_start` is True."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(dict.fromkeys(problems))
        self.after_start = False
        super().__init__("\n".join(map(str, self.problems)))

    @property
    def kinds(self) -> set[Kind]:
        """The kinds of its problems."""
        return {problem.kind for problem in self.problems}


@contextmanager
def after_start() -> Iterator[None]:
    """Marks a RequestError that is raised inside as raised after something was trained or written."""
    try:
        yield
    except RequestError as error:
        error.after_start = True
        raise


def suggest(given: str, valid: Iterable[str]) -> str:
    """Returns 'Did you mean ...?' with the nearest valid name, or a list of all valid names where none is near."""
    names = list(valid)
    return nearest(given, names) or "Valid: " + ", ".join(names) + "."


def nearest(given: str, valid: Iterable[str]) -> str:
    """Returns 'Did you mean ...?' with the nearest valid name; empty where none is near."""
    by_lower = {name.lower(): name for name in valid}
    near = difflib.get_close_matches(given.lower(), by_lower, n=1, cutoff=0.6)
    return f'Did you mean "{by_lower[near[0]]}"?' if near else ""


def shown(value: Any, limit: int = 60) -> str:
    """Returns a value as it looks in your file, cut to `limit` characters."""
    try:
        text = repr(value)
    except Exception:  # a hostile or recursive object must not break its own error message
        text = f"<{type(value).__name__}>"
    text = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return text if len(text) <= limit else text[: limit - 3] + "..."


def from_pydantic(error: pydantic.ValidationError, where: str, model: type[pydantic.BaseModel]) -> list[Problem]:
    """Returns Pydantic's errors as problems: one for each key, with what was given and what was expected.

    The description of the model's field says what was expected.
    """
    problems: dict[str, Problem] = {}
    for item in error.errors(include_url=False):
        key = str(item["loc"][0]) if item["loc"] else ""
        place = f"{where}: {shown(key)[1:-1]}" if key else where
        field = model.model_fields.get(key)
        if item["type"] == "extra_forbidden":
            mistake = Mistake(Kind.UNKNOWN, f"unknown key. {suggest(key, model.model_fields)}")
        elif item["type"] == "missing" and len(item["loc"]) == 1:
            expected = field.description if field else None
            mistake = Mistake(Kind.MISSING, f"missing; give {expected}." if expected else "missing.")
        elif item["type"] == "value_error":
            mistake = mistake_of(item["ctx"]["error"])
        else:
            expected = field.description if field and field.description else item["msg"]
            mistake = Mistake(Kind.VALUE, f"got {shown(item['input'])}; expected {expected}.")
        problems.setdefault(place, mistake.at(place))
    return list(problems.values())
