"""Text for terminals that lack characters."""

from __future__ import annotations

import io

import pytest

from runner.text import accept_any_text, plain_console


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("ascii", "96.0 +/- 0.4 - >= 1 ?"), ("latin-1", "96.0 ± 0.4 - >= 1 ?"), ("utf-8", "96.0 ± 0.4 – ≥ 1 猫")],
)
def test_what_a_terminal_cannot_show_is_spelled_or_replaced(encoding: str, shown: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    accept_any_text(stream)
    console = plain_console(80)
    console.file = stream
    console.print("96.0 ± 0.4 – ≥ 1 猫")
    stream.flush()
    assert raw.getvalue().decode(encoding) == f"{shown}\n"
