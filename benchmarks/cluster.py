"""Simulates a study on a cluster: how much later than the earliest possible end it ends, and what the driver spends.

    python -m benchmarks.cluster [--runs 100000] [--workers 1000]

It uses the code that splits and hands out real jobs. Only time and machines are simulated: a clock that jumps from
event to event, nodes of different speed, runs that stop early, nodes that fail. A job that was on a lost node begins
again from its last checkpoint, and the runner hears of the loss only after a while, as with Ray.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.simulated_cluster import SimulatedEngine, World
from runner.execute import Job
from runner.execute._policy import Crew
from runner.execute._schedule import Costs, Queue
from runner.expand import Run, Variant
from runner.spec import Settings
from runner.text import table

COHORT, EPOCHS = 10, 50
EPOCH_SECONDS, STREAM_SECONDS = 3.4, 0.3  # of a run, and of its cohort's batches: the MLP on CIFAR-10, on one core
_HOUR = 3600.0


WORLDS = (
    World("equal nodes, exact estimates", spread=0.0, slow=0.0, noise=0.0),
    World("equal nodes", spread=0.0, slow=0.0),
    World("unequal nodes, 2% of them slow"),
    World("the same, a node fails every 24 h", lifetime=24 * _HOUR),
    World("the same, a checkpoint every 10 minutes", lifetime=24 * _HOUR, checkpoint=600.0),
    World("spot nodes: each lives for 2 h", lifetime=2 * _HOUR),
    World("the same, a checkpoint every 10 minutes", lifetime=2 * _HOUR, checkpoint=600.0),
)


def study(runs: int) -> tuple[list[Run], Costs]:
    """Returns runs of ten variants that share their data, and what they are estimated to take."""
    base: dict[str, object] = {"dataset": "cifar10", "model": "mlp", "hidden": [512, 256], "optimizer": "Adam"}
    base |= {"lr": 1e-3, "batch_size": 128, "epochs": EPOCHS}
    variants = [Variant(f"v{n}", Settings.model_validate(base | {"dropout": n / 100}), {}) for n in range(COHORT)]
    made = [Run("simulated-cifar10", variant, seed) for seed in range(runs // COHORT) for variant in variants]
    digests = [variant.digest for variant in variants]
    return made, Costs(dict.fromkeys(digests, EPOCH_SECONDS), {made[0].data_key[:-1]: STREAM_SECONDS}, {})


def simulate(world: World, runs: int, workers: int) -> list[object]:
    """Returns a row of the table: the lower bound, the end, their ratio, failures, lost work, the driver's seconds."""
    made, costs = study(runs)
    engine = SimulatedEngine(world, workers, costs.run, STREAM_SECONDS * EPOCHS)
    began = time.process_time()
    queue = Queue(made, costs, workers)

    def jobs() -> Iterator[Job]:
        while part := queue.take(engine.in_training()):
            yield Job(tuple(part), Path())

    with Crew(engine, workers) as crew:
        crew.train(jobs(), lambda *_: None)
    spent = time.process_time() - began
    work = sum(engine.times.values()) + STREAM_SECONDS * EPOCHS * len(made) / COHORT
    bound = work / sum(slot.node.speed for slot in engine.slots)
    hours = [f"{seconds / _HOUR:.2f} h" for seconds in (bound, engine.now)]
    lost = f"{100 * engine.lost / work:.2f}%"
    return [world.name, *hours, f"{engine.now / bound:.3f}", engine.failures, lost, f"{spent:.0f} s"]


def main() -> None:
    """Prints the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=1_000)
    asked = parser.parse_args()
    heads = ["cluster", "earliest end", "end", "ratio", "lost nodes", "work done again", "driver"]
    print(table(heads, [simulate(world, asked.runs, asked.workers) for world in WORLDS]))


if __name__ == "__main__":
    main()
