"""Plants finished studies that commands take for their own: no training, the present provenance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from runner.data import load, prepare
from runner.expand import Overrides, ResolvedStudy, resolve_studies
from runner.store import StudyFile, VariantEntry, present_provenance
from tests.planted import Images, Planted, plant_study

EPOCHS = 30
SEEDS = 5  # of each variant
_BASELINE = {
    "dataset": "digits", "model": "mlp", "hidden": [32], "optimizer": "Adam", "lr": 1e-3, "batch_size": 128,
    "epochs": EPOCHS,
}  # fmt: skip


def study(runs: int) -> dict[str, Any]:
    """Returns a study of so many runs: 5 seeds, a setting with many levels, a question for each level."""
    levels = [k / 100_000 for k in range(1, runs // SEEDS)]
    names = [f"dropout={level}" for level in levels]
    questions = [{"ask": f"Does {name} help?", "compare": [name, "baseline"], "expect": "more"} for name in names]
    variants = {name: {"dropout": level} for name, level in zip(names, levels, strict=True)}
    return {"baseline": _BASELINE, "variants": variants, "seeds": SEEDS, "questions": questions}


def plant(place: Path, runs: int) -> ResolvedStudy:
    """Writes ablations/scale.py and its finished runs in `place`, the present folder."""
    (place / "ablations").mkdir(parents=True)
    content = json.dumps(study(runs), indent=1)
    (place / "ablations" / "scale.py").write_text(f'"""Planted."""\n\nSTUDY = {content}\n')
    (resolved,) = resolve_studies(["scale"], Overrides())
    dataset = load(prepare(resolved.variants[0].ours, place / "data"))
    made = present_provenance("cpu").having(data=dataset.fingerprint)
    labels = dataset.test.labels
    images = Images(list(dataset.classes), np.bincount(labels).tolist())
    losses = np.geomspace(1.0, 0.3, EPOCHS).tolist()
    noise = np.random.default_rng(0).normal(0.8, 0.01, (len(resolved.variants), SEEDS))
    planted = {
        variant.name: {seed: Planted(float(noise[k, seed]), losses, made=made) for seed in range(SEEDS)}
        for k, variant in enumerate(resolved.variants)
    }
    file = StudyFile(
        name=resolved.name, file=str(resolved.file), doc=resolved.doc, command="", seeds=resolved.seeds.plain(),
        variants={variant.name: VariantEntry.of(variant) for variant in resolved.variants},
        questions=study(runs)["questions"],
    )  # fmt: skip
    plant_study(place / "runs" / resolved.name, file, planted, images)
    return resolved
