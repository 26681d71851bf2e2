"""Shows runs in training: a live table on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from runner.execute._messages import Job, Message
from runner.execute._schedule import Costs
from runner.expand import Run
from runner.store import FAILED
from runner.text import duration
from runner.ticker import Ticker, is_live


class Progress:
    """Follows the workers' messages. A context: the live table is shown while it is open."""

    def __init__(self, runs: Iterable[Run], costs: Costs, console: Console) -> None:
        self._costs = costs
        self._left = {run: costs.run(run) for run in runs}
        self.seconds_left = sum(self._left.values())  # of all runs, on one thread
        self._total = self.seconds_left or 1.0
        self._count = len(self._left)
        self._ended: dict[Run, str] = {}
        self._current: dict[Job, dict[Run, dict[str, float]]] = {}
        self._began = time.monotonic()
        self._resumed = 0.0  # what checkpoints had done before
        self._shared = False  # with another runner
        self._said: set[str] = set()
        self._console = console
        self._live = Live(console=console, refresh_per_second=4, get_renderable=self._render, transient=True)
        self._ticker = Ticker(console, self._now)

    def __enter__(self) -> Progress:
        if is_live(self._console):
            self._live.start()
        self._ticker.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ticker.__exit__()
        self._live.stop()

    @property
    def failed(self) -> int:
        """How many runs have failed."""
        return sum(kind == FAILED for kind in self._ended.values())

    def on_message(self, job: Job, message: Message) -> None:
        """Receives a message, and prints a line for a run that has ended."""
        run = message.run
        if message.kind in ("began", "epoch"):
            if message.kind == "began":
                self._drop(run)  # it was in the job of a worker that died
            if message.cause and message.cause not in self._said:
                self._said.add(message.cause)
                self._console.print(message.cause, soft_wrap=True)
            self._current.setdefault(job, {})[run] = message.metrics
            left = self._costs.run(run, int(message.metrics["epoch"]))
            if message.kind == "began":
                self._resumed += self._left[run] - left
            self._leave(run, left)
            return
        if not self._drop(run):  # it was trained elsewhere, or not at all
            self._resumed += self._left[run]
        self._leave(run, 0.0)
        if message.kind == "taken":
            self._say_taken()
            return
        self._ended[run] = message.kind
        self._console.print(self._line(message), soft_wrap=True)
        self._ticker.printed()

    def _leave(self, run: Run, seconds: float) -> None:
        self.seconds_left += seconds - self._left[run]
        self._left[run] = seconds

    def _drop(self, run: Run) -> bool:
        """Takes a run off the table; returns whether it was there."""
        found = [job for job, runs in self._current.items() if runs.pop(run, None) is not None]
        self._current = {job: runs for job, runs in self._current.items() if runs}
        return bool(found)

    def _say_taken(self) -> None:
        if not self._shared:
            self._console.print("another runner is training some of these runs; this one trains the others and waits")
        self._shared = True

    def time_left(self) -> float | None:
        """Returns the remaining seconds at the pace so far; None until the pace is known."""
        left = self.seconds_left
        done = self._total - left - self._resumed
        elapsed = time.monotonic() - self._began
        return elapsed * left / done if done > 0.02 * self._total else None

    def _line(self, message: Message) -> Text:
        run, metrics = message.run, message.metrics
        text = Text(f"[{len(self._ended):>{len(str(self._count))}}/{self._count}] ")
        text.append(f"{run.study}  {run.variant.name}  seed {run.seed}  ")
        if message.before:
            text.append("(done already)  ")
        if message.kind == FAILED:
            return text.append(f"FAILED: {message.cause}", "bold red")
        if run.own:
            return text.append("  ".join(f"{name} {metrics[name]:.4g}" for name in run.own.metrics if name in metrics))
        text.append(f"val {metrics['val/accuracy']:.4f}  test {metrics['test/accuracy']:.4f}  ")
        text.append(
            f"best epoch {metrics['best_epoch']:.0f} of {metrics['epochs']:.0f}  {duration(metrics['seconds'])}"
        )
        left = self.time_left()
        if left is not None and not is_live(self._console):
            text.append(f"  (about {duration(left)} left)")
        return text

    def _rows(self) -> list[tuple[str, str, str, str]]:
        """Returns what each job trains: variants, seed, epochs, the best validation accuracy. Any thread may ask."""
        rows = []
        for job, runs in [(job, dict(runs)) for job, runs in list(self._current.items())]:
            if not runs:
                continue
            first = job.runs[0]
            epochs = [int(metrics["epoch"]) for metrics in runs.values()]
            now = f"{min(epochs)}" if min(epochs) == max(epochs) else f"{min(epochs)}-{max(epochs)}"
            best = max(runs, key=lambda run: runs[run].get("val/accuracy", -1.0))
            accuracy = runs[best].get("val/accuracy")
            names = ", ".join(run.variant.name for run in runs)
            rows.append(
                (
                    names if len(names) < 44 else f"{len(runs)} runs of {first.study}",
                    str(first.seed),
                    f"{now} of {max(run.variant.settings.epochs for run in runs)}",
                    f"{accuracy:.4f}  {best.variant.name}" if accuracy is not None else "",
                )
            )
        return rows

    def _now(self) -> str:
        """Returns where the training is, on one line."""
        jobs = [
            f"{names}, seed {seed}, epoch {epochs}" + (f", val {accuracy.split()[0]}" if accuracy else "")
            for names, seed, epochs, accuracy in self._rows()
        ]
        left = self.time_left()
        rest = f"; about {duration(left)} left" if left is not None else ""
        head = f"{len(self._ended)} of {self._count} runs ended{rest}"
        return f"{head}; in training: {'; '.join(jobs)}" if jobs else f"{head}; starting"

    def _render(self) -> Group:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for head in ("training", "seed", "epoch", "validation accuracy"):
            table.add_column(head)
        for row in self._rows():
            table.add_row(*row)
        done = self._total - self.seconds_left
        left = self.time_left()
        bar = Table.grid(padding=(0, 1))
        failures = f", {self.failed} failed" if self.failed else ""
        bar.add_row(
            ProgressBar(total=self._total, completed=done, width=40),
            f"{len(self._ended)} of {self._count} runs{failures}",
            f"about {duration(left)} left" if left is not None else "estimating ...",
        )
        return Group(table, bar)
