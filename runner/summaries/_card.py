"""Writes the summary card of a study into the root run."""

from __future__ import annotations

import time
from pathlib import Path

from runner.events import event_files, summary_event, text_summary, write_events

_CARD = "answers"


def is_card(path: Path) -> bool:
    """Whether an event file of the root run is a card."""
    return f".{_CARD}-" in path.name


def write_card(folder: Path, study: str, text: str) -> None:
    """Rewrites a study's summary card, a text in the root run with an event file of its own."""
    suffix = f".{_CARD}-{study}"
    old = [path for path in event_files(folder) if path.name.endswith(suffix)]
    write_events(folder, [summary_event(text_summary(f"answers/{study}", text), 0, time.time())], suffix, old)
