"""Writes docs/benchmark.md and its figure from what was measured."""

from __future__ import annotations

import datetime
import importlib.metadata
import itertools
import os
import platform
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.bench.contestants import CONTESTANTS, OURS
from benchmarks.bench.fixed import Fixed, logging_share
from benchmarks.bench.measured import KINDS, Measured, spread, time_of
from runner.machine import cores
from runner.plot import CURVE, INK, LEVEL, MUTED, saved
from runner.store import present_provenance
from runner.text import table

_PACKAGES = ("torch", "albumentations", "lightning", "ray")


def page(found: Measured) -> Iterator[str]:
    """Yields the parts of the page."""
    yield "# Benchmark: the same study by other tools"
    versions = ", ".join(f"{name} {version}" for name in _PACKAGES if (version := _version(name)))
    yield (
        f"`{found.command}` made this page on {datetime.date.today()}. The machine has {cores()} cores: "
        f"{present_provenance('cpu').processor or platform.machine()}, {platform.system()}, Python "
        f"{platform.python_version()}, {versions}."
    )
    repetitions = 1 + max(record.repetition for record in found.records)
    yield (
        f"Each tool trains the MLP of `ablations/mlp.py` in {found.runs} variants for {found.epochs} epochs on "
        f"{found.train:,} images ({found.images}). All have the same initial weights, learning rate and batch size. "
        "They validate at each epoch, and log loss and accuracy of both parts to TensorBoard. The tools take turns. "
        f"Repetitions: {repetitions}, each with its own seed."
    )
    yield "![seconds for one epoch of one run, by tool](benchmark.png)"
    yield from _part_times(found)
    yield from _part_accuracy(found)
    yield from _part_limit(found)
    if found.fixed:
        yield from _part_fixed(found, found.fixed)
    yield from _part_tools()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _part_times(found: Measured) -> Iterator[str]:
    yield "## Seconds for one epoch of one run"
    yield (
        "*All included*: from the start of the process to its end, with everything written. *Steady*: from each run's "
        "second epoch on. Each moment counts in equal parts for the runs that train at it. *Times faster*: this runner "
        "against the tool in the same repetition. Medians, with the range over repetitions."
    )
    heads = ["", "all included, s", "times faster", "steady, s", "times faster"]
    for kind, title in KINDS.items():
        rows = []
        for tool in found.tools(kind):
            row = [CONTESTANTS[tool].title]
            for steady in (False, True):
                row.append(spread([time_of(record, steady) for record in found.of(tool, kind)]))
                row.append("" if tool == OURS else spread(found.ratios(tool, kind, steady), 1))
            rows.append(row)
        yield f"**{title.capitalize()}**"
        yield table(heads, rows)


def _part_accuracy(found: Measured) -> Iterator[str]:
    yield "## The same accuracy"
    rows = []
    for kind, tool in itertools.chain(*([(kind, tool) for tool in found.tools(kind)] for kind in KINDS)):
        values = [value for record in found.of(tool, kind) for value in record.accuracies]
        apart = None if tool == OURS else found.difference(tool, kind)
        verdict = "" if not apart else "yes" if apart.within_noise else "**no**"
        mean = f"{100 * statistics.mean(values):.2f}"
        rows.append([KINDS[kind], CONTESTANTS[tool].title, mean, str(apart or ""), verdict])
    yield (
        "Validation accuracy after the last epoch, mean over variants and seeds. Two tools draw batches, Dropout and "
        "augmentation differently, so pairs of runs differ by chance. The interval is a paired t interval over "
        "variants and seeds, at 95% after Bonferroni's correction for all rows. *Within noise*: it contains 0."
    )
    yield table(["", "tool", "accuracy, %", "minus this runner's", "within noise"], rows, names=2)
    verdict = "All tools reach the same accuracy within noise." if found.alike else "**A tool trains differently.**"
    yield verdict if rows and len({row[1] for row in rows}) > 1 else "No other tool was measured."


def _part_limit(found: Measured) -> Iterator[str]:
    yield "## What the machine could do"
    yield (
        "The limit counts matrix products at the measured rate of large ones, and Adam's bytes at the measured rate of "
        f"a copy, both with {cores()} processes at once. It leaves out loading, augmentation, activations and logs."
    )
    yield table(
        ["", ""],
        [
            ["matrix products, GFLOP/s", spread([rates.flops / 1e9 for rates in found.rates], 0)],
            ["copy, GB/s (read and written)", spread([rates.bytes / 1e9 for rates in found.rates], 1)],
            ["limit, s for one epoch of one run", f"{found.limit:.2f}"],
            *(
                [f"share of the limit reached, {KINDS[kind]}, {name}", spread(_shares(found, kind, steady), 0, "%")]
                for kind in KINDS
                for steady, name in ((True, "steady"), (False, "all included"))
            ),
        ],
    )


def _shares(found: Measured, kind: bool, steady: bool) -> list[float]:
    return [100 * found.limit / time_of(record, steady) for record in found.of(OURS, kind)]


def _part_fixed(found: Measured, fixed: Fixed) -> Iterator[str]:
    yield "## What a study costs besides training"
    steady = statistics.median(record.steady for record in found.of(OURS, False))
    yield (
        "This runner alone, with studies of one step an epoch. *Logs*: the processor time of a study with logs minus "
        "that without, over the processor time of the study above (no augmentation)."
    )
    yield table(
        ["", ""],
        [
            ["from the command to the end of the first step, s", spread(fixed.first, 1)],
            ["from the last run's end to the command's end, with the report, s", spread(fixed.report, 1)],
            ["each further run of one epoch, with its logs, ms", spread([1000 * value for value in fixed.run], 0)],
            ["logs of one epoch of one run, ms of a processor", spread([1000 * value for value in fixed.logging], 0)],
            ["share of logs, %", f"{100 * logging_share(fixed, steady, cores()):.1f}"],
        ],
    )


def _part_tools() -> Iterator[str]:
    yield "## How each tool runs"
    yield (
        "- **This runner**: `python -m runner run`, one worker a core. It writes histograms, pictures and a report too."
        "\n- **Plain PyTorch loop**: Dataset with Albumentations, DataLoader and Adam with torch's defaults, all "
        "threads, one run after the other (`benchmarks/bench/plain_loop.py`).\n"
        "- **Lightning**: a Trainer for each run, all threads; loaders with as many workers as Lightning suggests, "
        "kept over epochs (`benchmarks/bench/lightning_loop.py`).\n"
        "- **Ray Tune**: the plain loop as a function, a grid over variants, one core for each trial, processes reused "
        "(`benchmarks/bench/ray_tune.py`).\n\n"
        "All read the same uint8 images, which the runner has decoded before; no time above includes that."
    )


def draw(found: Measured, path: Path) -> None:
    """Draws for each tool the median of all included and its part in steady state, every repetition, and the limit."""
    tools = [name for name in CONTESTANTS if any(found.of(name, kind) for kind in KINDS)]
    with saved(path, 1, 2, (10.5, 0.62 * len(tools) + 1.7), sharey=True) as (figure, panels):
        for axes, (kind, title) in zip(panels, KINDS.items(), strict=True):
            for place, tool in enumerate(tools):
                records = found.of(tool, kind)
                if not records:
                    continue
                color = CURVE if tool == OURS else LEVEL
                for steady, height, alpha in ((False, 0.62, 0.35), (True, 0.28, 0.95)):
                    value = statistics.median(time_of(record, steady) for record in records)
                    axes.barh(place, value, height, color=color, alpha=alpha, linewidth=0)
                totals = [record.total for record in records]
                axes.plot(totals, [place] * len(totals), ".", color=INK, markersize=4)
                median = statistics.median(totals)
                ratio = "" if tool == OURS else f"  ({statistics.median(found.ratios(tool, kind)):.1f}x)"
                label = {"xytext": (7, 0), "textcoords": "offset points", "va": "center", "fontsize": 9}
                axes.annotate(f"{median:.2f} s{ratio}", (max(totals), place), **label)
            axes.axvline(found.limit, color=INK, linewidth=1, linestyle="--")
            axes.set_title(title, loc="left")
            axes.set_yticks(range(len(tools)), [CONTESTANTS[name].title for name in tools])
            axes.grid(visible=False, axis="y")
            axes.margins(x=0.36)
            axes.set_xlim(left=0)
        panels[0].invert_yaxis()
        figure.supxlabel(
            "seconds for one epoch of one run: all included (light; dots are repetitions; in brackets: against this "
            "runner),\nsteady (dark), limit of the machine without augmentation (dashed)", fontsize=9, color=MUTED,
        )  # fmt: skip


def command(arguments: Sequence[str]) -> str:
    """Returns the command that makes the page; of paths it shows the last part only."""
    words = [os.path.basename(word) if os.path.isabs(word) else word for word in arguments]  # noqa: PTH117, PTH119
    return f'make bench ARGS="{" ".join(words)}"' if words else "make bench"
