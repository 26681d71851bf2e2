"""Labels in pictures: no two alike, and in letters that can be drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import font_manager

from runner import classnames
from runner.classnames import class_labels, font_for, legend, numbered

LONG = ["a long name that ends in one", "a long name that ends in two", "short"]
CHINESE = ["猫", "狗"]


def test_long_names_that_begin_alike_are_cut_in_their_middle() -> None:
    one, two, short = class_labels(LONG)
    assert one != two
    assert one.endswith("one")
    assert two.endswith("two")
    assert short == "short"
    assert max(map(len, (one, two))) <= classnames.WIDTH
    assert class_labels(["a long name that is alone", "b"])[0].startswith("a long name that")


def test_names_that_differ_in_their_middle_are_numbered() -> None:
    found = class_labels([f"{'a' * 30}{letter}{'b' * 30}" for letter in "xyz"])
    assert [label[-2:] for label in found] == ["…0", "…1", "…2"]


@given(
    st.lists(st.text(alphabet="ab ", min_size=1, max_size=12), min_size=1, max_size=8, unique=True), st.integers(4, 9)
)
def test_no_two_labels_are_alike(names: list[str], width: int) -> None:
    found = class_labels(names, width)
    assert len(set(found)) == len(names)
    assert max(map(len, found)) <= max(width, 3)


def test_a_width_in_pixels_counts() -> None:
    wide = class_labels(LONG, 50, lambda text: 10.0 * len(text))
    assert all(len(label) <= 5 for label in wide)
    assert len(set(wide)) == 3


def test_names_that_no_font_can_write_are_numbers_with_a_legend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classnames, "_font", lambda _: None)
    assert class_labels(CHINESE) == ["0", "1"]
    assert legend(CHINESE) == "0 = 猫, 1 = 狗"
    assert class_labels(["cat", *CHINESE, "bird"]) == ["cat", "1", "2", "bird"]  # the others keep their names
    assert legend(["cat", *CHINESE, "bird"]) == "1 = 猫, 2 = 狗"
    assert legend(["cat", "bird"]) == ""
    assert not numbered(["cat", "perché"])


def test_a_font_that_has_the_letters_is_found_and_none_that_only_draws_boxes() -> None:
    assert font_for(["cat", "perché"]) is None  # every font has them
    for names in (["кот", "пёс"], ["قطة", "كلب"]):
        file = font_for(names)
        assert file
        assert file.name == "DejaVuSans.ttf"  # matplotlib brings it
        assert class_labels(names) == names
    unassigned = ["\U000e0fff"]
    assert any("Resort" in font.name for font in font_manager.fontManager.ttflist)
    assert font_for(unassigned) is None


def test_a_fonts_file_that_is_gone_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = font_manager.FontEntry(fname=str(tmp_path / "gone.ttf"), name="DejaVu Sans")
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [gone])
    assert font_for(["жжж", "щ"]) is None
