"""A line now and then, where no live display can be."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from runner.execute import Job, Message
from runner.execute._progress import Progress
from runner.execute._schedule import Costs
from runner.ticker import Ticker, is_live


def printed(console: Console, pause: float = 0.0) -> int:
    """How many lines come in half a second; `pause`: something else is printed that often."""
    with Ticker(console, lambda: "so far", every=0.1) as ticker:
        end = time.monotonic() + 0.55
        while time.monotonic() < end:
            time.sleep(pause or 0.05)
            if pause:
                ticker.printed()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().count("so far\n")


def test_a_line_comes_when_nothing_else_did() -> None:
    assert 2 <= printed(Console(file=io.StringIO())) <= 6
    assert printed(Console(file=io.StringIO()), pause=0.02) == 0


def test_a_terminal_has_its_live_display() -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "xterm"})
    dumb = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"})
    notebook = Console(file=io.StringIO(), force_jupyter=True)
    assert [is_live(console) for console in (terminal, dumb, notebook)] == [True, False, False]
    assert printed(terminal) == 0
    assert printed(dumb) >= 2


def test_the_line_says_what_is_in_training(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.ticker.EVERY", 0.05)
    out = io.StringIO()
    (run,) = job.runs
    with Progress(job.runs, Costs({run.variant.digest: 1.0}, {}, {}), Console(file=out, width=200)) as progress:
        progress.on_message(job, Message("epoch", run, {"epoch": 1, "val/accuracy": 0.5}))
        time.sleep(0.3)
    assert "0 of 1 runs ended" in out.getvalue()
    assert f"{run.variant.name}, seed 0, epoch 1 of 1, val 0.5" in out.getvalue()
