"""What users read of wrong requests, word for word. Other tests assert kinds, places and values."""

from __future__ import annotations

from runner.spec import Kind
from tests.sentences import GOLDEN, answers


def test_users_read_the_lines_of_the_golden_file() -> None:
    text, kinds = answers()
    assert kinds == set(Kind)
    assert text == GOLDEN.read_text(encoding="utf-8"), "after a change of words: python -m tests.sentences"
