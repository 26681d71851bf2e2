"""What is wrong with a request, in words: every problem is collected before any is shown."""

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
    """What kind of problem it is: for tests and callers, which read no sentences."""

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
    """One mistake: its kind, its place (file, variant, key), and what would be right."""

    kind: Kind
    where: str
    what: str

    def __str__(self) -> str:
        """One line that a terminal can show, whatever was in the request."""
        return f"{_line(self.where, _LONGEST_PLACE)}: {_line(self.what, _LONGEST)}"


class Mistake(NamedTuple):
    """What is wrong, found by a function that does not know the place."""

    kind: Kind
    what: str

    def at(self, where: str) -> Problem:
        """The problem that it is at this place."""
        return Problem(self.kind, where, self.what)


class Refusal(ValueError):
    """A ValueError that knows the kind of its problem; every other one is a Kind.VALUE."""

    def __init__(self, kind: Kind, what: str) -> None:
        super().__init__(what)
        self.kind = kind


def mistake_of(error: ValueError) -> Mistake:
    """What a ValueError says is wrong."""
    return Mistake(error.kind if isinstance(error, Refusal) else Kind.VALUE, str(error))


def _line(text: str, limit: int) -> str:
    text = " ".join(text.split("\n"))
    text = text if text.isprintable() else "".join(map(_printable, text))
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _printable(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def describe(error: BaseException) -> str:
    """An exception of somebody else's code in words; showing it may itself raise anything."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = "(with no words that can be shown)"
    return f"{type(error).__name__}: {shown(text, 300)[1:-1]}" if text else type(error).__name__


class RequestError(Exception):
    """The request was wrong; nothing was trained or written, unless it says that it came `late`."""

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
    """What turns out wrong within it does so after something was trained or written."""
    try:
        yield
    except RequestError as error:
        error.after_start = True
        raise


def suggest(given: str, valid: Iterable[str]) -> str:
    """'Did you mean ...?' with the nearest valid name, or every valid name where none is near."""
    names = list(valid)
    by_lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(given.lower(), by_lower, n=1, cutoff=0.6)
    if near:
        return f'Did you mean "{by_lower[near[0]]}"?'
    return "Valid: " + ", ".join(names) + "."


def shown(value: Any, limit: int = 60) -> str:
    """A value as a person would recognise it from their file, cut where it is long."""
    try:
        text = repr(value)
    except Exception:  # a hostile or recursive object must not break its own error message
        text = f"<{type(value).__name__}>"
    text = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return text if len(text) <= limit else text[: limit - 3] + "..."


def from_pydantic(error: pydantic.ValidationError, where: str, model: type[pydantic.BaseModel]) -> list[Problem]:
    """Pydantic's errors in our words: one for each key, with what was given and what is expected.

    What is expected is the field's own description, so there is one place that says it.
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
