"""Other tasks with only settings changed: 100 classes, gray or coloured, larger images, few of each class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner import checkpoints
from runner.evaluate import evaluate
from runner.store import RunDir
from tests.commands import run
from tests.conftest import BASE


@pytest.mark.parametrize(
    ("changes", "inputs", "classes", "least"),
    [
        ({"dataset": "tests.fakes:two_digits", "lr": 0.01, "epochs": 20}, 8 * 16, 100, 0.1),
        ({"dataset": "tests.fakes:photos", "channels": 1, "lr": 0.01, "epochs": 10}, 16 * 16, 2, 0.8),
        ({"channels": 3}, 3 * 8 * 8, 10, 0.5),
        ({"image_size": 64}, 64 * 64, 10, 0.5),
        ({"images_per_class": 20, "epochs": 6}, 8 * 8, 10, 0.3),
    ],
    ids=["100 classes", "gray", "colour", "64 pixels", "few images"],
)
def test_only_settings_change(changes: dict[str, Any], inputs: int, classes: int, least: float, tmp_path: Path) -> None:
    study = {"baseline": BASE | changes, "variants": {"batchnorm": {"batch_norm": True}}, "seeds": 1}
    outcome, text = run(study, tmp_path, workers=1, data=tmp_path / "data")
    assert outcome.failed == 0, text
    (folder,) = tmp_path.glob("runs/*/batchnorm-*/seed0")
    weights = checkpoints.load(RunDir(folder).best)
    assert weights
    assert weights["1.weight"].shape == (32, inputs)
    predictions = RunDir(folder).load_predictions()
    assert predictions
    assert predictions["test_logits"].shape[1] == classes
    result = RunDir(folder).result()
    assert result
    assert result.numbers["test/accuracy"] > least
    found = evaluate(folder, tmp_path / "data", tmp_path / "reports")
    assert found.parts["test"].overall["accuracy"] == pytest.approx(result.numbers["test/accuracy"])
    assert ("top5_accuracy" in found.parts["test"].overall) == (classes > 10)
