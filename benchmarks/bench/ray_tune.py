"""The study by Ray Tune: the plain loop as a function, a grid over the variants, as many trials at once as cores.

Each trial has one core and so one thread, and loads its images itself: no core is left for others. Ray reuses the
processes of ended trials. Its own callback writes the scalars that a trial reports to TensorBoard.
"""

from __future__ import annotations

from typing import Any

import ray
from ray import tune

from benchmarks.bench.peers import Task, read_task, train
from runner.machine import cores


def trial(config: dict[str, Any], task: Task) -> None:
    """Trains one variant."""
    train(task.variants[config["variant"]], task.images, task.seed, lambda scalars, _: tune.report(scalars))


def name(trial: Any) -> str:
    """Returns the name of a trial's folder: its variant."""
    return str(trial.config["variant"])


def main(task: Task) -> None:
    """Trains every variant."""
    ray.init(address="local", num_cpus=cores())
    trainable = tune.with_resources(tune.with_parameters(trial, task=task), {"cpu": 1})
    found = tune.Tuner(
        trainable,
        param_space={"variant": tune.grid_search(list(task.variants))},
        tune_config=tune.TuneConfig(reuse_actors=True, trial_dirname_creator=name),
        run_config=tune.RunConfig(name=task.logs.name, storage_path=str(task.logs.parent)),
    ).fit()
    if found.errors:
        raise SystemExit(str(found.errors[0]))


if __name__ == "__main__":
    main(read_task())
