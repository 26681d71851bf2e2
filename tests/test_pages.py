"""What readers see of planted studies, word for word. Other tests assert values, kinds and places."""

from __future__ import annotations

from tests.pages import GOLDEN, pages


def test_readers_see_the_golden_pages() -> None:
    for name, text in pages().items():
        golden = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
        assert text.splitlines() == golden.splitlines(), f"{name}; after a change of words: python -m tests.pages"
