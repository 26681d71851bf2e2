"""One table of metrics: names, tags, columns and units are derived from it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from runner.confusion import confusion
from runner.measures import OURS
from runner.metrics import CURVES, METRICS, PART_METRICS, Unit, from_predictions
from runner.store import HPARAM_METRICS, MEAN_SCALARS, OLDER_HPARAM_METRICS, RESULT_TAGS


def test_names_are_unique_and_every_metric_says_what_it_is() -> None:
    for table in (METRICS, CURVES, PART_METRICS):
        assert all(name == metric.name and metric.label and metric.meaning for name, metric in table.items())


def test_the_columns_of_reports_keep_their_order() -> None:
    assert OURS.reported[:14] == (
        "val/accuracy", "val/loss", "test/accuracy", "test/loss", "best_epoch", "epochs", "generalization_gap",
        "distinct_units", "units", "seconds", "val/balanced_accuracy", "val/macro_f1", "test/balanced_accuracy",
        "test/macro_f1",
    )  # fmt: skip


def test_one_rule_gives_every_results_tag() -> None:
    assert list(HPARAM_METRICS) == [
        "z_final/val_accuracy", "z_final/val_loss", "z_final/test_accuracy", "z_final/test_loss", "z_final/best_epoch",
        "z_final/generalization_gap",
    ]  # fmt: skip
    assert list(RESULT_TAGS.values()) == list(HPARAM_METRICS)
    assert list(OLDER_HPARAM_METRICS) == [
        "best/val_accuracy", "best/val_loss", "test/accuracy", "test/loss", "best/epoch", "best/generalization_gap",
    ]  # fmt: skip
    assert not set(RESULT_TAGS.values()) & CURVES.keys()
    assert set(MEAN_SCALARS) < CURVES.keys()


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (Unit.SHARE, 0.0317, "+3.17 points"),
        (Unit.SHARE, -0.00001, "+0.00 points"),
        (Unit.EPOCHS, -2.25, "-2.2 epochs"),
        (Unit.SECONDS, 39_444.0, "+39,400 s"),
        (Unit.NATS, 0.5, "+0.500"),
        (Unit.NATS, 0.00012345, "+0.000123"),
        (Unit.NUMBER, 123.4, "+123"),
        (Unit.NUMBER, math.inf, "+inf"),
        (Unit.COUNT, 511.5, "+511.5"),
    ],
)
def test_a_unit_says_how_its_values_are_written(unit: Unit, value: float, text: str) -> None:
    assert unit.text(value) == text
    assert unit.text(value, sign=False, unit=False) == text.split(maxsplit=1)[0].lstrip("+")


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40))
def test_kappa_on_test_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    labels, guesses = (np.array(column) for column in zip(*pairs, strict=True))
    assume(len({*labels, *guesses}) > 1)  # one class alone has no chance to be wrong
    found = from_predictions("test", confusion(labels, guesses, 4))
    assert found["test/kappa"] == pytest.approx(cohen_kappa_score(labels, guesses))
