"""Shows a search: a line for each run that ended, and the runs in training."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.text import Text

from runner.execute import Message
from runner.expand import Run
from runner.search._record import Record
from runner.store import FAILED, PRUNED, RUNNING
from runner.text import duration
from runner.ticker import Ticker, is_live


class Display:
    """Follows a search's messages."""

    def __init__(self, record: Record, console: Console) -> None:
        self._record = record
        self._console = console
        self._training: dict[Run, str] = {}
        self._began, self._left = time.monotonic(), record.left
        self._status = console.status("")
        self._ticker = Ticker(console, self._now)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Shows the runs in training while this context is open."""
        with self._ticker, self._status if is_live(self._console) else nullcontext():
            yield

    def _now(self) -> str:
        """Returns where the search is, on one line. Another thread asks."""
        training = "   ".join(self._training.copy().values())
        return f"{self._record.search.name}: in training: {training or 'starting'}"

    def on_message(self, message: Message) -> None:
        """Shows a message. The record must have received it first."""
        run, losses = message.run, self._record.tried[message.run].losses
        if message.kind in ("began", "epoch"):
            if message.cause:
                self._console.print(message.cause, soft_wrap=True)
            loss = f", validation loss {losses[-1]:.4f}" if losses else ""
            self._training[run] = f"{run.variant.name}: epoch {len(losses)}{loss}"
        elif message.kind != "taken":
            self._training.pop(run, None)
            said = self._line(message) if message.kind != "lost" else message.cause
            if said:
                self._console.print(said, soft_wrap=True)
            self._ticker.printed()
        self._status.update("   ".join(self._training.values()))

    def _line(self, message: Message) -> Text:
        record, tried = self._record, self._record.tried[message.run]
        ended = sum(each.state != RUNNING for each in record.tried.values())
        total = record.search.runs
        text = Text(f"[{ended:>{len(str(total))}}/{total}] {record.search.name}  {message.run.variant.name}  ")
        if message.kind == FAILED:
            text.append(f"FAILED: {message.cause}", "bold red")
        else:
            word = "pruned after" if message.kind == PRUNED else "in"
            text.append(f"validation loss {tried.loss:.4f} {word} {len(tried.losses)} epochs")
        if ranked := record.ranked():
            text.append(f"  (best: {ranked[0][1].loss:.4f} by {ranked[0][0].variant.name})")
        done = self._left - record.left
        if done and record.left:
            text.append(f"  (about {duration((time.monotonic() - self._began) / done * record.left)} left)")
        return text
