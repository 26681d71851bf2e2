"""What a request was refused for: the kind, the place and the values, whatever the words (see test_sentences)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from runner.spec import Kind, Problem, RequestError


def is_about(problem: Problem, kind: Kind, where: str, *values: str) -> bool:
    """Whether a problem is of this kind, at a place with this text in it, and names all of these values."""
    named = all(value in problem.what or value in problem.where for value in values)
    return problem.kind is kind and where in problem.where and named


def one(problems: Iterable[Problem], kind: Kind, where: str, *values: str) -> Problem:
    """The only problem of this kind at this place; it names all of these values."""
    every = list(problems)
    found = [problem for problem in every if is_about(problem, kind, where, *values)]
    assert len(found) == 1, (kind, where, values, every)
    return found[0]


@contextmanager
def refused(kind: Kind, where: str, *values: str) -> Iterator[None]:
    """Expects a RequestError with a problem of this kind, at this place, that names all of these values."""
    with pytest.raises(RequestError) as caught:
        yield
    problems = caught.value.problems
    assert kind in caught.value.kinds, problems
    assert any(is_about(problem, kind, where, *values) for problem in problems), (kind, where, values, problems)


def problems_of_exit(end: SystemExit) -> list[Problem]:
    """The problems for which a command ended with status 2, before anything was trained or written."""
    assert end.code == 2
    error = end.__context__
    assert isinstance(error, RequestError)
    assert not error.after_start
    return error.problems
