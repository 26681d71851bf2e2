"""CSV files: what begins like a formula is text, and reads back as it was."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from runner.sheets import read_sheet, write_sheet

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "'=quoted", "''@twice"]


def test_formulas_are_quoted_and_numbers_stay(tmp_path: Path) -> None:
    table = pd.DataFrame({"=name": [*FORMULAS, "nan", "-5"], "value": [-1.5] * 9})
    write_sheet(tmp_path / "a.csv", table)
    plain = pd.read_csv(tmp_path / "a.csv", keep_default_na=False)
    assert list(plain.columns) == ["'=name", "value"]
    assert plain["'=name"].tolist() == [*(f"'{text}" for text in FORMULAS), "nan", "-5"]
    assert plain["value"].tolist() == [-1.5] * 9
    pd.testing.assert_frame_equal(read_sheet(tmp_path / "a.csv"), table, check_dtype=False)


@st.composite
def names(draw: DrawFn) -> list[str]:
    return draw(st.lists(st.text(alphabet="'=+-@ab", min_size=1, max_size=5), min_size=1, max_size=5))


@settings(max_examples=50)
@given(names())
def test_any_name_reads_back(tmp_path_factory: pytest.TempPathFactory, found: list[str]) -> None:
    path = tmp_path_factory.mktemp("sheets") / "a.csv"
    write_sheet(path, pd.DataFrame({"class": found}))
    assert read_sheet(path, text=["class"])["class"].tolist() == found


def test_names_of_numbers_stay_names(tmp_path: Path) -> None:
    write_sheet(tmp_path / "a.csv", pd.DataFrame({"class": ["7", "NA"]}))
    assert read_sheet(tmp_path / "a.csv", text=["class"])["class"].tolist() == ["7", "NA"]
