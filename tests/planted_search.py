"""Searches with planted runs, the random searches beside them, and winners on fresh seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runner.search._resolve import ResolvedSearch
from runner.search._winners import winners_study
from runner.search.records import read_record
from runner.spec import Settings, Space
from runner.store import StudyFile, VariantEntry, write_study
from tests.planted import MADE, Images, Planted, plant_run, plant_study
from tests.studies import BASE

SEARCH, STOPPED = "hunt-digits", "stopped-digits"
_IMAGES = Images([str(number) for number in range(10)], [6] * 10)
_DIVERGED = "NonFiniteLoss: the loss is nan in epoch 1"
_LAST = "stopped: after epoch 2 its lowest validation loss is above the median of the others"


def _search(name: str) -> ResolvedSearch:
    space = {
        "lr": Space("log_uniform", (1e-4, 1e-1)),
        "dropout": Space("uniform", (0.0, 0.5)),
        "hidden": Space("categorical", ([32], [64], [32, 16])),
    }
    baseline = Settings.model_validate(BASE | {"epochs": 5})
    return ResolvedSearch(
        name, Path("ablations/hunt.py"), "Which settings suit the digits?", baseline, space, runs=8, seed=3,
        fresh_seeds=3, sampler="tpe", pruner="median", random_on=(baseline.dataset,), claim={"lr": 0.01},
    )  # fmt: skip


_OLD = MADE.having(code="01d")

_MINE = [
    ({"lr": 0.01, "dropout": 0.25, "hidden": [64]}, Planted(0.93, (0.9, 0.6, 0.4, 0.3, 0.29), made=_OLD)),
    ({"lr": 1e-3, "dropout": 0.0, "hidden": [32, 16]}, Planted(0.80, (1.0, 0.8, 0.7, 0.65, 0.62))),
    ({"lr": 1e-4, "dropout": 0.4, "hidden": [32]}, Planted(0.5, (2.0, 1.9), cause=_LAST, pruned=True)),
    ({"lr": 0.03, "dropout": 0.2, "hidden": [64]}, Planted(0.90, (0.9, 0.5, 0.4, 0.36, 0.35))),
    ({"lr": 0.09, "dropout": 0.1, "hidden": [64]}, Planted(0.1, (2.0,), cause=_DIVERGED)),
    ({"lr": 0.098, "dropout": 0.1, "hidden": [64]}, Planted(0.92, (0.8, 0.4, 0.31, 0.3, 0.33))),
    ({"lr": 0.02, "dropout": 0.3, "hidden": [32]}, Planted(0.88, (0.9, 0.6, 0.5, 0.45, 0.42))),
]  # fmt: skip
_RANDOM = [
    ({"lr": 2e-3, "dropout": 0.1, "hidden": [32]}, Planted(0.82, (1.0, 0.8, 0.66, 0.62, 0.6))),
    ({"lr": 0.05, "dropout": 0.45, "hidden": [64]}, Planted(0.89, (0.9, 0.6, 0.5, 0.4, 0.38))),
]


_PRUNED = [({"lr": 1e-4, "dropout": 0.4, "hidden": [32]}, Planted(0.5, (2.0, 1.9), cause=_LAST, pruned=True))]
_OLDER = [({"lr": 0.05, "dropout": 0.45, "hidden": [64]}, Planted(0.89, (0.9, 0.6, 0.5, 0.4, 0.38), made=_OLD))]


def plant_search() -> None:
    """Writes two searches to runs/: one with winners, and one of which nothing finished; a random one beside each."""
    runs = Path("runs")
    for name, mine, random in ((SEARCH, _MINE, _RANDOM), (STOPPED, _PRUNED, _OLDER)):
        search = _search(name)
        _plant(runs, search, mine)
        _plant(runs, search.random_twin(), random)
    _plant_winners(runs)


def _plant(runs: Path, search: ResolvedSearch, asked: Sequence[tuple[dict[str, Any], Planted]]) -> None:
    variants = {}
    for number, (values, planted) in enumerate(asked):
        variant = search.variant(number, values)
        variants[variant.name] = VariantEntry.of(variant, search=search.digest(), values=values)
        plant_run(runs, search.run(variant), planted, _IMAGES)
    study = StudyFile(
        name=search.name, file=str(search.file), doc=search.doc, command="make search NAME=hunt", variants=variants,
        search=search.plain(),
    )  # fmt: skip
    write_study(runs / search.name, study)


def _plant_winners(runs: Path) -> None:
    record, twin = (read_record(runs / name) for name in (SEARCH, _search(SEARCH).random_twin().name))
    study = winners_study(record, twin)
    assert study
    means = {"baseline": 0.80, "winner": 0.90, "runner_up": 0.89, "random_winner": 0.87, "claimed": 0.85}
    planted = {
        variant.name: {
            seed: Planted(
                means[variant.name] + (0.01, -0.01, 0.005)[(seed + number) % 3],
                (0.9, 0.7, 0.65, 0.6, round(1.21 - means[variant.name] - 0.01 * ((seed + number) % 3), 4)),
            )
            for seed in study.seeds.seeds
        }
        for number, variant in enumerate(study.variants)
    }
    file = StudyFile(
        name=study.name, file=str(study.file), doc=study.doc, command="make search NAME=hunt",
        variants={variant.name: VariantEntry.of(variant) for variant in study.variants},
        questions=[question.model_dump(mode="json", exclude_none=True) for question in study.questions],
    )  # fmt: skip
    plant_study(runs / study.name, file, planted, _IMAGES)
