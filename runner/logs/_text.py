"""Texts for TensorBoard, as Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runner.text import table


def settings_table(values: Mapping[str, Any], *heads: str) -> str:
    """Returns a Markdown table of settings."""
    rows = [(key, f"`{value if isinstance(value, str) else json.dumps(value)}`") for key, value in values.items()]
    return table(heads, rows, names=2)
