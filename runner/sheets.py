"""Writes and reads tables as CSV files in which no spreadsheet mistakes text for a formula."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from runner.files import replace

_FORMULA = re.compile(r"'*[=+\-@\t\r]")  # a spreadsheet computes text that begins so, unless a quote precedes it
_NUMBER = re.compile(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?")


def write_sheet(path: Path, table: pd.DataFrame) -> None:
    """Replaces a CSV file by a table without its index. A quote precedes text that begins like a formula."""
    safe = table.rename(columns=_quoted)
    for number, kind in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):
            safe.isetitem(number, table.iloc[:, number].map(_quoted).array)
    replace(path, lambda beside: safe.to_csv(beside, index=False))


def read_sheet(path: Path, text: Sequence[str] = ()) -> pd.DataFrame:
    """Reads a table that `write_sheet` wrote. `text` names the columns that have text even where it is 7 or NA."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=dict.fromkeys(text, str))
    read: pd.DataFrame = table.rename(columns=_unquoted)
    for number, kind in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):
            read.isetitem(number, table.iloc[:, number].map(_unquoted).array)
    return read


def _quoted(value: Any) -> Any:
    formula = isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value)
    return f"'{value}" if formula else value


def _unquoted(value: Any) -> Any:
    return value[1:] if isinstance(value, str) and value.startswith("'") and _FORMULA.match(value) else value
