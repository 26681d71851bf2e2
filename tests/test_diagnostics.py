"""What a report adds to its verdicts: main effects, overfitting, other seeds and images, classes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from runner.report import _diagnostics as diagnostics
from runner.report._factorial import contrasts
from runner.report._predictions import class_differences, compare_on_test, predicted
from runner.stats import mcnemar_p, mean_interval, one_sample_effect, two_level_effect
from runner.store import RunDir
from runner.verdicts import EffectsTable, StudyRuns
from runner.verdicts._effects import EffectRow
from tests.studies import study_file

SEEDS = 4
IMAGES = 400


def study(
    changes: dict[str, dict[str, Any]], means: dict[str, float] | None = None, curves: pd.DataFrame | None = None
) -> StudyRuns:
    """Finished runs with planted validation accuracies; `means` by variant, .5 where it names none."""
    base: dict[str, Any] = {"dropout": 0.0, "batch_norm": False, "lr": 0.1}
    rng = np.random.default_rng(3)
    rows = [
        {"variant": name, "seed": seed, "status": "finished", "val/accuracy": (means or {}).get(name, 0.5)}
        for name in changes
        for seed in range(SEEDS)
    ]
    table = pd.DataFrame(rows)
    table["val/accuracy"] += rng.normal(0, 1e-4, len(table))
    declared = study_file({name: base | change for name, change in changes.items()}, changes)
    empty = pd.DataFrame(columns=["variant", "seed", "epoch"])
    return StudyRuns(declared, table, empty if curves is None else curves, {}, [], [])


SQUARE: dict[str, dict[str, Any]] = {
    "baseline": {},
    "bn": {"batch_norm": True},
    "drop": {"dropout": 0.5},
    "bn+drop": {"batch_norm": True, "dropout": 0.5},
}


def test_main_effects_and_interaction_of_a_square_within_a_larger_study() -> None:
    means = {"baseline": 0.50, "bn": 0.54, "drop": 0.51, "bn+drop": 0.53, "fast": 0.9}
    found = {c.label: c for c in contrasts(study({**SQUARE, "fast": {"lr": 1.0}}, means))}
    assert found["batch_norm=True"].effect.interval.estimate == pytest.approx((0.04 + 0.02) / 2, abs=3e-4)
    assert found["dropout=0.5"].effect.interval.estimate == pytest.approx((0.01 - 0.01) / 2, abs=3e-4)
    interaction = found["batch_norm=True x dropout=0.5"].effect.interval
    assert interaction.estimate == pytest.approx(0.53 - 0.54 - 0.51 + 0.50, abs=3e-4)
    assert interaction.n == SEEDS
    assert len(found) == 3  # lr is combined with nothing


def test_three_levels_are_each_compared_with_the_baselines() -> None:
    changes = {**SQUARE, "drop1": {"dropout": 0.1}, "bn+drop1": {"batch_norm": True, "dropout": 0.1}}
    labels = [c.label for c in contrasts(study(changes))]
    assert {"dropout=0.1", "dropout=0.5", "batch_norm=True x dropout=0.1"} <= set(labels)


def test_without_a_full_product_there_are_no_main_effects() -> None:
    assert contrasts(study({name: SQUARE[name] for name in ("baseline", "bn", "drop")})) == []


def curves(val: Any, train: Any) -> pd.DataFrame:
    """Losses of SEEDS seeds over the epochs, each a little different."""
    frames = []
    for seed in range(SEEDS):
        shift = 1 + 0.02 * seed
        frame = {"epoch": range(1, len(val) + 1), "val/loss": val * shift, "train/loss": train * shift}
        frames.append(pd.DataFrame(frame).assign(variant="baseline", seed=seed, generalization_gap=np.arange(len(val))))
    return pd.concat(frames)


def test_overfitting_is_named_where_validation_loss_turns() -> None:
    epochs = np.arange(1.0, 13)
    turning = study({"baseline": {}}, curves=curves(1 + np.abs(epochs - 5) / 10, 1 / epochs))
    assert "| baseline | 4 | 5.0 ± 0.0 |" in diagnostics.overfitting(turning)
    assert "| overfits |" in diagnostics.overfitting(turning)
    falling = study({"baseline": {}}, curves=curves(1 / epochs, 1 / epochs))
    assert "| still learning |" in diagnostics.overfitting(falling)
    noise = 1 + np.array([3, 0, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1.0]) / 10  # a turn, but nothing that goes on
    flat = study({"baseline": {}}, curves=curves(noise, np.ones(12)))
    assert "| neither |" in diagnostics.overfitting(flat)


def test_runs_that_their_limit_stopped_are_counted() -> None:
    found = study({"baseline": {}})
    found.study.baseline.update(patience=5, epochs=30)
    found.runs["epochs"], found.runs["best_epoch"] = [30, 30, 20, 30], [28, 25, 15, 26]
    found.runs["train_eval/loss"], found.runs["train_eval/accuracy"] = 1.0, 0.5
    found.runs["seconds"] = [60.0, 60.0, 60.0, 6000.0]  # one run on a busy machine
    metrics = ("val/loss", "test/loss", "best_epoch", "epochs")
    table = EffectsTable(tuple(EffectRow("baseline", name, 4, 0, mean_interval([1.0, 1.0])) for name in metrics))
    assert "| 2 of 4 | 60 s |" in diagnostics.training(found, table)
    found.study.baseline["patience"] = 30  # as many as there are epochs: it can't end a run
    assert "| - | 60 s |" in diagnostics.training(found, table)


def test_effects_at_the_most_accurate_epoch_may_be_others() -> None:
    seeds = np.arange(SEEDS)
    table = [
        pd.DataFrame({"epoch": [1, 2], "val/accuracy": [0.5, high + seed / 1000]}).assign(variant=name, seed=seed)
        for name, high in (("baseline", 0.6), ("bn", 0.61))
        for seed in seeds
    ]
    found = study({"baseline": {}, "bn": {"batch_norm": True}}, {"bn": 0.9}, pd.concat(table))
    assert re.search(r"\| bn \| 4 \| 61.15 ± 0.21 \| -28.8\d \| \+1.00 \|", diagnostics.most_accurate(found))


@pytest.fixture
def guesses(tmp_path: Path) -> StudyRuns:
    """Test predictions of ten classes: right by chance 60% and 70%, but class 3 is never right in the variant."""
    rng = np.random.default_rng(0)
    labels = np.arange(IMAGES) % 10
    found = study({"baseline": {}, "bn": {"batch_norm": True}})
    for name, chance in (("baseline", 0.6), ("bn", 0.7)):
        for seed in range(SEEDS):
            right = rng.random(IMAGES) < chance
            if name == "bn":
                right &= labels != 3
            logits = np.eye(10, dtype=np.float32)[np.where(right, labels, (labels + 1) % 10)]
            directory = RunDir(tmp_path / name / str(seed))
            directory.folder.mkdir(parents=True)
            directory.save_predictions(test_logits=logits, test_labels=labels)
            found.folders[name, seed] = directory.folder
            found.guesses[name, seed] = directory.guesses()  # type: ignore[index]
    return found


def test_test_accuracy_is_compared_over_seeds_images_and_models(guesses: StudyRuns) -> None:
    predictions = predicted(guesses)
    mine, theirs = predictions["bn"].right, predictions["baseline"].right
    (effect,) = compare_on_test(predictions).values()
    assert effect.over_seeds.p == pytest.approx(one_sample_effect(mine.mean(axis=1) - theirs.mean(axis=1)).p)
    assert effect.over_both.p == pytest.approx(two_level_effect(mine.astype(float) - theirs).p)
    p = [mcnemar_p(a, b) for a, b in zip(mine, theirs, strict=True)]
    assert effect.better + effect.worse == sum(value <= 0.05 for value in p)
    assert "| bn | 4 |" in diagnostics.on_test({"bn": effect})


def test_classes_and_confusions_are_counted(guesses: StudyRuns) -> None:
    predictions = predicted(guesses)
    classes = [str(number) for number in range(10)]
    differences, told = class_differences(predictions, classes)
    assert told.loc["bn", "3"]
    assert not told.loc["bn"].all()
    assert differences.loc["bn"].idxmin() == "3"
    assert differences.loc["bn", "3"] == pytest.approx(-predictions["baseline"].class_accuracies[:, 3].mean())
    counts = predictions["bn"].confusion
    assert counts.sum() == SEEDS * IMAGES
    assert counts[3, 4] == SEEDS * IMAGES // 10  # every image of class 3 is mistaken for a 4
    assert counts.trace() == predictions["bn"].right.sum()


def test_a_seed_without_predictions_is_skipped(guesses: StudyRuns) -> None:
    known = {key: own for key, own in guesses.guesses.items() if key != ("bn", 2)}
    predictions = predicted(replace(guesses, guesses=known))
    assert predictions["bn"].seeds == (0, 1, 3)
    assert compare_on_test(predictions)["bn"].over_seeds.interval.n == 3
