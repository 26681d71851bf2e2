"""Trains the same study with this runner and with other tools in turn, and writes docs/benchmark.md and its figure.

    make bench                                       about 20 minutes on 2 cores, with images of noise
    make bench ARGS="--data cifar10.zip"             the same with some images of CIFAR-10
    make bench ARGS="--data cifar10.zip --images 45000 --epochs 5 --repetitions 3"       in full: 4 hours
    make bench ARGS="--peers plain --images 900"     only against the plain loop, 2 minutes

The tools take turns: one repetition is one study by each tool without augmentation, then one by each with it.
Exit status 1 where a tool failed, or trained differently.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.bench.contestants import CONTESTANTS, OURS, ContestantFailed, launch
from benchmarks.bench.fixed import measure_fixed, prepared
from benchmarks.bench.limit import Rates, epoch_flops, limit_seconds, linear_layers, measure_rates
from benchmarks.bench.logged import steady_seconds
from benchmarks.bench.measured import KINDS, Measured, Record
from benchmarks.bench.page import command, draw, page
from benchmarks.bench.study import ROOT, TRAIN, bench_study, write_images
from runner.data import load
from runner.expand import Overrides, resolve
from runner.files import write_text
from runner.machine import cores
from runner.models import build
from runner.text import plain_console

PEERS = tuple(name for name in CONTESTANTS if name != OURS)


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """Returns the arguments; exits with status 2 where they are wrong."""
    parser = argparse.ArgumentParser(prog="make bench", description="compare this runner with other tools")
    parser.add_argument("--data", type=Path, help="a zip with CIFAR-10 as PATH/{train,test}/CLASS/NAME.png")
    parser.add_argument("--images", type=int, default=4500, help=f"train images, a multiple of 90, at most {TRAIN}")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repetitions", type=int, default=2)
    parser.add_argument("--peers", default=",".join(PEERS), help='such as "plain,ray"; "" compares with none')
    parser.add_argument("--docs", default=ROOT / "docs", type=Path, help="the folder that the page is written to")
    found = parser.parse_args(words)
    found.peers = list(filter(None, found.peers.split(",")))
    if unknown := set(found.peers) - set(PEERS):
        parser.error(f"--peers: got {', '.join(sorted(unknown))}; expected some of {', '.join(PEERS)}")
    if found.images % 90 or not 0 < found.images <= TRAIN:
        parser.error(f"--images: got {found.images}; expected a multiple of 90, at most {TRAIN}")
    if found.epochs < 2 or found.repetitions < 1:
        parser.error("expected at least 2 epochs (the first is left out in steady state) and 1 repetition")
    if found.data and not zipfile.is_zipfile(found.data):
        parser.error(f"--data: {found.data} is no zip; expected one with CIFAR-10's images")
    return found


def installed(names: Sequence[str]) -> list[str]:
    """Returns this runner and the peers that are installed, and says which are not."""
    for name in names:
        if missing := CONTESTANTS[name].missing:
            print(f"{CONTESTANTS[name].title} is skipped: {', '.join(missing)} is not installed "
                  "(pip install -r requirements-bench.txt)", flush=True)  # fmt: skip
    return [OURS, *(name for name in names if not CONTESTANTS[name].missing)]


def measure(tool: str, augmented: bool, repetition: int, options: argparse.Namespace, place: Path) -> Record:
    """Trains the study with one tool, and prints what it took. Raises ContestantFailed."""
    study = bench_study(augmented, options.epochs, [repetition])
    folder = place / f"{repetition}-{'augmented' if augmented else 'plain'}-{tool}"
    outcome = launch(tool, study, place / "images.zip", options.cache, folder)
    count = len(outcome.flat) * options.epochs
    values = tuple(run.accuracy for name in sorted(outcome.runs) for run in outcome.runs[name])
    total, steady = (outcome.ended - outcome.started) / count, steady_seconds(outcome.flat)
    record = Record(tool, augmented, repetition, total, steady, values)
    print(
        f"{repetition + 1}  {KINDS[augmented]:<24}{CONTESTANTS[tool].title:<20}{total:7.2f} s a run-epoch, steady "
        f"{steady:.2f} s, validation accuracy {100 * statistics.mean(values):.2f}%", flush=True,
    )  # fmt: skip
    return record


def limit(study: dict[str, Any], cache: Path, rates: Sequence[Rates]) -> float:
    """Returns the least seconds of an epoch of one run at the median rates, mean over the variants."""
    images = load(cache)
    middle = Rates(statistics.median(each.flops for each in rates), statistics.median(each.bytes for each in rates))
    found = []
    for variant in resolve(Path("bench"), study, "", Overrides()).variants:
        model = build(variant.ours, images.shape, len(images.classes), 0)
        flops = epoch_flops(linear_layers(model), len(images.train), len(images.val))
        weights = sum(weight.numel() for weight in model.parameters())
        found.append(limit_seconds(flops, weights, -(-len(images.train) // variant.ours.batch_size), middle))
    return statistics.mean(found)


def main(words: Sequence[str]) -> int:
    """Measures, writes the page and its figure, and returns the exit status."""
    options = parsed(words)
    tools, failed = installed(options.peers), False
    records: list[Record] = []
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        study = bench_study(False, options.epochs, [0])
        write_images(place / "images.zip", options.images, options.data)
        options.cache = prepared(place / "images.zip", study, place)
        fixed = measure_fixed(place / "fixed", options.repetitions, options.epochs)  # first: it would fail soon
        for repetition in range(options.repetitions):
            rates.append(measure_rates(cores()))
            for augmented in KINDS:
                for tool in tools:
                    try:
                        records.append(measure(tool, augmented, repetition, options, place))
                    except ContestantFailed as error:
                        print(error, file=sys.stderr, flush=True)
                        if tool == OURS:
                            return 1
                        failed = True
        found = Measured(
            command(words), "CIFAR-10" if options.data else "noise of CIFAR-10's shape", options.images, options.epochs,
            1 + len(study["variants"]), records, rates, limit(study, options.cache, rates), fixed,
        )  # fmt: skip
    draw(found, options.docs / "benchmark.png")
    text = "\n\n".join(page(found))
    write_text(options.docs / "benchmark.md", text + "\n")
    plain_console(120).print(text)
    return int(failed or not found.alike)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
