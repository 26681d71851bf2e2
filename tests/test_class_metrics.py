"""Questions about one class's recall, and about probabilities: measured for every run, also an older one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import recall_score, roc_auc_score

from runner.metrics import OfClass, find_metric
from runner.scores import softmax
from runner.spec import Kind
from runner.store import RunDir
from runner.store import _guesses as stored
from runner.verdicts import gather, judge
from tests.commands import run
from tests.problems import refused
from tests.studies import BASE

ASKED = ["test/recall/8", "val/recall/1", "test/macro_roc_auc", "val/calibration_error", "test/top5_accuracy"]


def study(*metrics: str) -> dict[str, Any]:
    questions = [{"ask": f"{name}?", "compare": ["wide", "baseline"], "metric": name} for name in metrics]
    return {
        "baseline": BASE | {"epochs": 2}, "variants": {"wide": {"hidden": [64]}}, "seeds": 2, "questions": questions,
    }  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("classes")
    outcome, text = run(study(*ASKED), place)
    assert outcome.failed == 0, text
    return place / "runs" / "study-digits"


def test_values_are_scikit_learns(folder: Path) -> None:
    data = gather(folder)
    assert [verdict.judged for verdict in judge(data)] == [True] * len(ASKED)
    for path in folder.glob("wide-*/seed*"):
        archive, seed = RunDir(path).load_predictions(), int(path.name.removeprefix("seed"))
        assert archive
        row = data.finished("wide").loc[seed]
        labels, logits = archive["test_labels"], archive["test_logits"]
        recalls = recall_score(labels, logits.argmax(1), labels=np.arange(10), average=None)
        assert row["test/recall/8"] == pytest.approx(recalls[8])
        areas = [roc_auc_score(labels == k, softmax(logits)[:, k]) for k in range(10)]
        assert row["test/macro_roc_auc"] == pytest.approx(np.mean(areas))


def test_every_run_is_measured_whatever_is_asked(folder: Path) -> None:
    for path in folder.glob("*/seed*"):
        found = RunDir(path).guesses()
        assert found
        assert {"test/top5_accuracy", "val/macro_roc_auc", "test/calibration_error"} <= found.metrics.keys()


def test_an_older_run_is_measured_where_a_question_asks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = gather(folder).runs
    real = stored.unpacked

    def older(arrays: Any) -> Any:
        return real({key: each for key, each in arrays.items() if "_score_" not in key})

    monkeypatch.setattr("runner.store._rundir.unpacked", older)
    found = gather(folder).runs
    for name in ASKED:
        assert found[name].to_list() == expected[name].to_list()
    assert "val/top5_accuracy" in expected


def test_a_class_that_is_not_there_is_refused_before_training(tmp_path: Path) -> None:
    with refused(Kind.UNKNOWN, "question 1: metric", '"nine"'):
        run(study("test/recall/nine"), tmp_path)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["test/recall/", "train/recall/8", "test/precision/8", "recall/8"])
def test_other_forms_are_refused(tmp_path: Path, name: str) -> None:
    with refused(Kind.UNKNOWN, "question 1: metric", name):
        run(study(name), tmp_path)


def test_a_class_may_have_any_name() -> None:
    found = find_metric("val/recall/a/b CLASS")
    assert found
    assert isinstance(found.source, OfClass)
    assert found.source.name == "a/b CLASS"
    assert found.name == "val/recall/a/b CLASS"
    assert math.isnan(found.source.value(np.zeros((2, 2), np.int64), 0))
