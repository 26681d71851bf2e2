"""Measures what large studies cost: `python -m benchmarks.scale [limits|curves]` prints Markdown tables.

limits  what commands take with 1,000 and 5,000 finished runs, which are planted; how fast jobs are split, and how fast
        the runner takes its workers' messages
curves  what training takes against the number of variants, seeds and workers, the width of a network and the size of
        the images. One quantity changes at a time

Run it on an idle machine. CPU seconds change less with the machine's other work than seconds do. docs/performance.md
has the results.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.planted import plant, study
from runner.execute import Job, Message
from runner.execute._local import LocalEngine, LocalHand
from runner.execute._messages import Command, WorkerState
from runner.execute._policy import Crew
from runner.execute._progress import Progress
from runner.execute._schedule import Costs, split_jobs
from runner.expand import Overrides, Run, cohorts, resolve
from runner.machine import cores
from runner.metrics import CURVES
from runner.store import FINISHED, RunDir, present_provenance
from runner.text import plain_console, table

ROOT = Path(__file__).parents[1]
RUNS = (1_000, 5_000)
MESSAGES = 20_000
BASELINE: dict[str, Any] = {
    "dataset": "mnist5k", "model": "mlp", "hidden": [512, 256], "optimizer": "AdamW", "lr": 1e-4, "batch_size": 128,
    "epochs": 5,
}  # fmt: skip
CURVE: Mapping[str, tuple[Any, ...]] = {
    "variants": (1, 2, 5, 10),
    "seeds": (1, 2, 4, 8),
    "workers": (1, 2, 4),
    "hidden": ([128], [512], [2048]),
    "image_size": (14, 28, 56),
}
# A process's peak memory includes that of the process that started it, so a small one starts the command.
_STARTER = """
import resource, subprocess, sys
subprocess.call(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""


@dataclass(frozen=True)
class Taken:
    """What a process took: seconds, seconds of a processor, most megabytes; `said`: seconds until it printed a word."""

    seconds: float
    cpu: float
    megabytes: float
    said: float = 0.0


def command(*arguments: str, word: str = "") -> Taken:
    """Runs the command line in the present folder."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-S", "-c", _STARTER, sys.executable, "-m", "runner", *arguments]
    began = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    assert process.stdout
    said, line = 0.0, ""
    for line in process.stdout:
        if word and word in line:
            said = time.perf_counter() - began
    process.wait()
    cpu, kilobytes = map(float, line.split())
    return Taken(time.perf_counter() - began, cpu, kilobytes / 1024, said)


def limits(console: Console) -> None:
    """Prints what commands take, and what the runner's own work takes."""
    rows = []
    with tempfile.TemporaryDirectory() as place, chdir(place):
        rows += [_row("`--help`", command("--help")), _row("`list`", command("list"))]
        (Path(place) / "ablations").mkdir()
        (Path(place) / "ablations" / "wrong.py").write_text('STUDY = {"baseline": {"dataset": "digits"}}\n')
        rows.append(_row("an error of form", command("run", "wrong")))
    for count in RUNS:
        with tempfile.TemporaryDirectory() as place, chdir(place):
            plant(Path(place), count)
            name = f"{count:,} finished runs"
            rows.append(_row(f"{name}: `run --dry-run`", command("run", "scale", "--dry-run")))
            again = command("run", "scale", word="done already")
            rows.append(_row(f"{name}: `run`, until it says that all are done", Taken(again.said, 0, 0)))
            rows.append(_row(f"{name}: `run`, with its report", again))
            rows.append(_row(f"{name}: `report`", command("report")))
            rows.append(_row(f"{name}: `prune`", command("prune")))
    console.print(table(["command", "seconds", "CPU seconds", "most memory, MB"], rows), soft_wrap=True)
    console.print(f"\nsplitting 10,000 runs for 1,000 workers: {splitting():.2f} s")
    console.print(f"messages of workers: {messages():,.0f} for each CPU second of the runner")


def _row(name: str, taken: Taken) -> list[str]:
    return [name, f"{taken.seconds:.2f}", *(f"{taken.cpu:.2f} {taken.megabytes:.0f}".split() if taken.cpu else "--")]


def _runs(variants: int, seeds: int) -> list[Run]:
    made = resolve(Path("scale.py"), study(5 * variants), "", Overrides()).selected
    return [Run("scale-digits", variant, seed) for seed in range(seeds) for variant in made]


def _costs(runs: list[Run]) -> Costs:
    digests = [run.variant.digest for run in runs]
    return Costs(dict.fromkeys(digests, 1.0), {run.data_key[:-1]: 0.5 for run in runs}, dict.fromkeys(digests, 0))


def splitting() -> float:
    """Returns the CPU seconds of splitting 100 cohorts of 100 runs for 1,000 workers."""
    runs = _runs(100, 100)
    known = _costs(runs)
    began = time.process_time()
    split_jobs(runs, known, 1_000)
    return time.process_time() - began


class _Talker(LocalEngine):
    """An engine whose workers train nothing: they send the messages of an epoch as fast as they can."""

    def start(self) -> LocalHand:
        """Starts a process that talks."""
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_talk, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        return LocalHand(process, ours)


def _talk(pipe: Any) -> None:
    pipe.send(WorkerState.READY)
    while True:
        try:
            job: Job = pipe.recv()
        except EOFError:
            return
        each = MESSAGES // cores() // len(job.runs)
        for epoch in range(each):
            numbers = dict.fromkeys(CURVES, 0.123456789) | {"epoch": float(epoch)}
            for run in job.runs:
                pipe.send(Message("began" if epoch == 0 else "epoch", run, dict(numbers)))
        pipe.send(WorkerState.DONE)


def messages() -> float:
    """Returns how many messages of epochs the runner takes in a second of its own CPU time."""
    runs = _runs(100, 10)
    jobs = [Job(tuple(part[:10]), Path()) for part in cohorts(runs)][: cores()]
    made_by = present_provenance("cpu")
    seen = 0
    with Progress(runs, _costs(runs), Console(file=io.StringIO())) as progress:

        def on_message(job: Job, message: Message) -> None:
            nonlocal seen
            seen += 1
            progress.on_message(job, message)

        with Crew(_Talker(Command(Path("runs"), "cpu", made_by)), cores()) as crew:
            crew.await_one()
            began = time.process_time()
            crew.train(jobs, on_message)
            return seen / (time.process_time() - began)


def curves(console: Console) -> None:
    """Prints what training takes: for each quantity a row for each of its values, the others as in BASELINE."""
    rows = []
    with tempfile.TemporaryDirectory() as place, chdir(place):
        trained("variants", 1)  # the data set is prepared once
        for quantity, values in CURVE.items():
            for value in values:
                taken, training, epochs = trained(quantity, value)
                shown = "-".join(map(str, value)) if isinstance(value, list) else str(value)
                rows.append([quantity, shown, f"{taken:.1f}", f"{training:.1f}", f"{1000 * training / epochs:.0f}"])
    heads = ["quantity", "value", "whole command, s", "first run's start to last run's end, s", "ms a run and epoch"]
    console.print(table(heads, rows), soft_wrap=True)


def trained(quantity: str, value: Any) -> tuple[float, float, int]:
    """Trains a study by a command; returns its seconds, those of the training, and the epochs of all runs."""
    counts = {"variants": 4, "seeds": 1, "workers": cores()} | ({quantity: value} if quantity in CURVE else {})
    asked = {
        "baseline": BASELINE | ({quantity: value} if quantity in ("hidden", "image_size") else {}),
        "variants": {f"v{n}": {"dropout": n / 100} for n in range(1, counts["variants"])},
        "seeds": counts["seeds"],
    }
    Path("ablations").mkdir(exist_ok=True)
    Path("ablations/curve.py").write_text(f"STUDY = {asked!r}\n")
    with tempfile.TemporaryDirectory() as runs:
        where = ("--workers", str(counts["workers"]), "--runs", runs, "--reports", f"{runs}-reports")
        taken = command("run", "curve", *where)
        known = [record for path in Path(runs).glob("*/*/seed*") if (record := RunDir(path).run_json())]
    epochs = counts["variants"] * counts["seeds"] * BASELINE["epochs"]
    assert len(known) == counts["variants"] * counts["seeds"]
    assert all(record.status == FINISHED for record in known)
    return taken.seconds, max(r.ended or 0.0 for r in known) - min(r.started for r in known), epochs


def main(parts: list[str]) -> None:
    """Prints the parts that are asked for; by default all."""
    console = plain_console(160)
    for name, part in {"limits": limits, "curves": curves}.items():
        if not parts or name in parts:
            part(console)


if __name__ == "__main__":
    main(sys.argv[1:])
