"""Shows runs in training: a live table on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from runner.execute._durations import Durations
from runner.execute._messages import Job, Message
from runner.execute._rows import Row, our_row, own_row
from runner.execute._schedule import Costs
from runner.expand import Run
from runner.store import FAILED
from runner.text import about, duration
from runner.ticker import Ticker, is_live


class Progress:
    """Follows the workers' messages. A context: the live table is shown while it is open."""

    def __init__(self, runs: Sequence[Run], costs: Costs, console: Console, durations: Durations | None = None) -> None:
        """`durations` estimates the runs that their study trains itself."""
        self._costs = costs
        self._durations = durations or Durations()
        self._durations.follow(run for run in runs if run.own)
        self._left = {run: costs.run(run) for run in runs if not run.own}
        self._total = self.seconds_left = sum(self._left.values())  # of one worker, without own training
        self._count = len(runs)
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
        if message.kind in ("began", "epoch", "logged"):
            if message.kind == "began":
                self._drop(run)  # it was in the job of a worker that died
            if message.cause not in self._said:
                self._said.add(message.cause)
                self._say(message.cause)
            self._current.setdefault(job, {})[run] = message.metrics
            self._count_begun(message)
            return
        was_here = self._drop(run)  # else it was trained elsewhere, or not at all
        if message.kind == "lost":
            self._say(message.cause)
            return
        if run.own:
            self._durations.end(run, message.took)
        else:
            self._resumed += 0.0 if was_here else self._left[run]
            self._leave(run, 0.0)
        if message.kind == "taken":
            self._say_taken()
            return
        self._ended[run] = message.kind
        self._say(self._line(message))

    def _say(self, text: str | Text) -> None:
        if text:
            self._console.print(text, soft_wrap=True)
            self._ticker.printed()

    def _leave(self, run: Run, seconds: float) -> None:
        self.seconds_left += seconds - self._left[run]
        self._left[run] = seconds

    def _count_begun(self, message: Message) -> None:
        """Notes how much of a run in training remains."""
        run = message.run
        if run.own:
            if message.kind == "began":
                self._durations.begin(run)
            return
        left = self._costs.run(run, int(message.metrics["epoch"]))
        if message.kind == "began":
            self._resumed += self._left[run] - left
        self._leave(run, left)

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
        done, left = self._amounts()
        own = self._durations.left()
        rounding = 1e-9 * self._total  # of sums that are 0 or less once another runner has ended all runs
        if left is None or own is None or done <= max(0.02 * (done + left), rounding):
            return None
        elapsed = time.monotonic() - self._began
        return max(elapsed * left / done, *own, 0.0)  # one run of own training has one worker

    def _amounts(self) -> tuple[float, float | None]:
        """Returns the seconds of one worker that this command has done, and those that remain; None is unknown."""
        left, own = self.seconds_left, self._durations.left()
        done = self._total - left - self._resumed + self._durations.spent
        return done, None if own is None else left + sum(own)

    def _line(self, message: Message) -> Text:
        run, metrics = message.run, message.metrics
        text = Text(f"[{len(self._ended):>{len(str(self._count))}}/{self._count}] ")
        text.append(f"{run.study}  {run.variant.name}  seed {run.seed}  ")
        if message.before:
            text.append("(done already)  ")
        if message.kind == FAILED:
            return text.append(f"FAILED: {message.cause}", "bold red")
        if run.own:
            text.append("  ".join(f"{name} {metrics[name]:.4g}" for name in run.own.metrics if name in metrics))
            text.append(f"  {duration(message.took)}" if message.took is not None else "")
            return self._with_time_left(text)
        text.append(f"val {metrics['val/accuracy']:.4f}  test {metrics['test/accuracy']:.4f}  ")
        text.append(
            f"best epoch {metrics['best_epoch']:.0f} of {metrics['epochs']:.0f}  {duration(metrics['seconds'])}"
        )
        return self._with_time_left(text)

    def _with_time_left(self, text: Text) -> Text:
        left = self.time_left()
        if left is not None and not is_live(self._console):
            text.append(f"  (about {duration(left)} left)")
        return text

    def _rows(self) -> list[Row]:
        """Returns what each job trains. Any thread may ask."""
        now = [(job, dict(runs)) for job, runs in list(self._current.items())]
        return [self._own_row(runs) if job.runs[0].own else our_row(job, runs) for job, runs in now if runs]

    def _own_row(self, runs: Mapping[Run, Mapping[str, float]]) -> Row:
        ((run, metrics),) = runs.items()
        return own_row(run, metrics, self._durations.elapsed(run), self._durations.expected(run))

    def _now(self) -> str:
        """Returns where the training is, on one line."""
        jobs = [", ".join(filter(None, (row.names, f"seed {row.seed}", row.far, row.value))) for row in self._rows()]
        left = self.time_left()
        rest = f"; about {duration(left)} left" if left is not None else ""
        head = f"{len(self._ended)} of {self._count} runs ended{rest}"
        return f"{head}; in training: {'; '.join(jobs)}" if jobs else f"{head}; starting"

    def _render(self) -> Group:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for head in ("training", "seed", "so far", "metric"):
            table.add_column(head)
        for row in self._rows():
            table.add_row(row.names, str(row.seed), row.far, f"{row.value}  {row.best}")
        done, left = self._amounts()
        done += self._resumed
        total = done + left if left is not None else self._count
        completed = done if left is not None else len(self._ended)
        bar = Table.grid(padding=(0, 1))
        failures = f", {self.failed} failed" if self.failed else ""
        time_left = self.time_left()
        waiting = "estimating ..." if left is not None else about(None)  # until a run has ended
        bar.add_row(
            ProgressBar(total=total or 1.0, completed=completed, width=40),
            f"{len(self._ended)} of {self._count} runs{failures}",
            f"about {duration(time_left)} left" if time_left is not None else waiting,
        )
        return Group(table, bar)
