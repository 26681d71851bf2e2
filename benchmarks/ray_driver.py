"""Measures what each epoch of a run costs the driver of a Ray cluster: its processor time, not that of the workers.

    ray start --head
    python -m benchmarks.ray_driver [--address HOST:PORT]

The same tiny runs train for few and for many epochs. The difference is messages, events, metrics and checkpoints that
come over the network and are written here. docs/scaling.md has the result.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import chdir
from pathlib import Path

from benchmarks.scale import command
from runner.store import FINISHED, RunDir

SHAPES = {"each run alone": (1, 20), "cohorts of ten runs": (10, 2)}  # variants and seeds
FEW, MANY = 10, 210


def driver_seconds(address: str, variants: int, seeds: int, epochs: int) -> float:
    """Returns the processor seconds of a whole command that trains on the cluster, in an empty folder."""
    baseline = {
        "dataset": "digits", "model": "mlp", "hidden": [8], "optimizer": "Adam", "lr": 1e-3, "batch_size": 512,
        "epochs": epochs,
    }  # fmt: skip
    own = {f"v{n}": {"dropout": n / 100} for n in range(1, variants)}
    Path("ablations").mkdir()
    Path("ablations/tiny.py").write_text(f"STUDY = { ({'baseline': baseline, 'variants': own, 'seeds': seeds})!r}\n")
    taken = command("run", "tiny", "--executor", "ray", "--address", address)
    ended = [record for path in Path("runs").glob("*/*/seed*") if (record := RunDir(path).run_json())]
    assert [record.status for record in ended] == [FINISHED] * variants * seeds
    return taken.cpu


def main() -> None:
    """Prints a line for each shape of the study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="auto")
    address = parser.parse_args().address
    for name, (variants, seeds) in SHAPES.items():
        spent = []
        for epochs in (FEW, MANY):
            with tempfile.TemporaryDirectory() as place, chdir(place):
                spent.append(driver_seconds(address, variants, seeds, epochs))
        each = (spent[1] - spent[0]) / (variants * seeds * (MANY - FEW))
        print(f"{name}: {1000 * each:.2f} ms for each epoch of a run, {1 / each:,.0f} epochs a second", flush=True)


if __name__ == "__main__":
    main()
