"""A small search on real data that several test modules train."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from runner.execute import Request
from runner.search import SearchOutcome, search
from tests.studies import BASE

SEARCH: dict[str, Any] = {
    "baseline": BASE | {"epochs": 5},
    "space": {
        "lr": {"log_uniform": [1e-4, 1e-1]},
        "batch_size": [32, 64],
        "image_size": [6, "native"],
        "augment": [[], ["HorizontalFlip"]],
    },
    "runs": 9,
    "seed": 3,
    "fresh_seeds": 2,
    "claim": {"lr": 0.01, "batch_size": 64},
}


def write_search(place: Path, **changes: Any) -> Path:
    """Writes the search's file with some values changed."""
    file = place / "ablations" / "hunt.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'"""Which settings suit the digits?"""\n\nSEARCH = {SEARCH | changes!r}\n')
    return file


def make(place: Path, workers: int = 1, **changes: Any) -> tuple[SearchOutcome, str]:
    """Trains the search in this process: its outcome, and what the terminal shows."""
    text = io.StringIO()
    request = Request(
        (str(write_search(place, **changes)),), workers=workers, runs=place / "runs", reports=place / "reports"
    )
    return search(request, Console(file=text, width=200)), text.getvalue()
