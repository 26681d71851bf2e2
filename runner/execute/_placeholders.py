"""Placeholders in a study's own command: names in braces that each run's values replace."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


def placeholders(command: Sequence[str]) -> list[str]:
    """Returns the names in a command's braces, in order. `{{` and `}}` are braces.

    >>> placeholders(["--lr", "{lr}", "{{x}}", "{folder}/a"])
    ['lr', 'folder']
    """
    return [found[1] for text in command for found in _PLACE.finditer(text) if found[1] is not None]


def filled(command: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    """Returns the command with each placeholder replaced by its value. Raises KeyError for an unknown one.

    >>> filled(["--lr={lr}", "{{x}}"], {"lr": 0.1})
    ['--lr=0.1', '{x}']
    """

    def value(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        given = values[found[1]]
        return given if isinstance(given, str) else str(given) if isinstance(given, Path) else json.dumps(given)

    return [_PLACE.sub(value, text) for text in command]
