"""Which seeds and classes a report names of runs that never predict some class."""

from __future__ import annotations

import re

from runner.report._format import narrow_text
from runner.verdicts._imbalance import Narrow


def named(found: list[Narrow]) -> tuple[list[str], list[str]]:
    """The classes in quotes, and each clause's seeds."""
    text = narrow_text(found)
    assert text.startswith("v: ")
    return re.findall('"(.)"', text), re.findall(r"\(seeds? ([\d, ]+)\)", text)


def test_classes_that_are_never_predicted_stand_with_their_seeds() -> None:
    found = [Narrow("v", (0,), ("b", "c"), "a"), Narrow("v", (1, 2), ("a",), None)]
    assert named(found) == (["a", "a"], ["0", "1, 2"])
    alone = [Narrow("v", (number,), ("x",), str(number)) for number in range(4)]
    assert named(alone) == ([], ["0, 1, 2, 3"])
    several = [Narrow("v", (number,), tuple("abcde"[: number + 1]), None) for number in range(4)]
    assert named(several) == ([], ["0, 1, 2, 3"])
    assert "4 classes" in narrow_text(several)
