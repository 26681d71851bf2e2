"""What reports say of seeds, classes and causes."""

from __future__ import annotations

from runner.report._format import narrow_text
from runner.report._imbalance import Narrow


def test_classes_that_are_never_predicted_stand_with_their_seeds() -> None:
    found = [Narrow("v", (0,), ("b", "c"), "a"), Narrow("v", (1, 2), ("a",), None)]
    assert narrow_text(found) == 'v: only "a" predicted (seed 0) and "a" never predicted (seeds 1, 2)'
    alone = [Narrow("v", (number,), ("x",), str(number)) for number in range(4)]
    assert narrow_text(alone) == "v: only one class predicted, not always the same one (seeds 0, 1, 2, 3)"
    several = [Narrow("v", (number,), tuple("abcde"[: number + 1]), None) for number in range(4)]
    assert narrow_text(several) == "v: up to 4 classes never predicted in a run (seeds 0, 1, 2, 3)"
