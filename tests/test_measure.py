"""What a study costs is tried apart from the runner; the trial is the check of your own model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from runner.data import prepare
from runner.execute._schedule import Costs
from runner.execute.crew import measure
from runner.expand import Run, Variant
from runner.spec import Kind, RequestError, Settings
from runner.store import RunDir
from tests.commands import run
from tests.problems import is_about, refused
from tests.studies import BASE

Try = Callable[..., Costs]
HUGE = {"hidden": [100_000, 100_000]}  # 280 GB with Adam


def key(**changes: Any) -> str:
    return Settings.model_validate(BASE | changes).digest()


@pytest.fixture
def costs(cache: Path) -> Try:
    """The costs of variants of the small study, given by what each changes."""

    def tried(*changes: dict[str, Any]) -> Costs:
        every = [Settings.model_validate(BASE | each) for each in changes]
        runs = [Run("study-digits", Variant(f"v{n}", each, {}), 0) for n, each in enumerate(every)]
        data = prepare(every[0], Path("data"), cache)
        return measure(runs, lambda _: data, torch.device("cpu"))

    return tried


def test_each_variant_and_stream_has_a_cost(costs: Try) -> None:
    found = costs({}, {"model": "tests.fakes:small"}, {"augment": ["HorizontalFlip"]})
    assert len(found.stream) == 2
    assert len(found.variant) == len(found.size) == 3
    assert all(value > 0 for table in (found.stream, found.variant, found.size) for value in table.values())
    assert not found.unfit


def test_pictures_of_many_classes_count(costs: Try) -> None:
    (few,) = costs({}).size.values()
    (many,) = costs({"dataset": "tests.fakes:many"}).size.values()
    assert many > few + 500_000


def test_a_model_that_ends_its_process_is_unfit_and_the_others_are_measured(costs: Try) -> None:
    found = costs({"model": "tests.fakes:deadly"}, {"model": "tests.fakes:small"})
    assert found.unfit.keys() == {key(model="tests.fakes:deadly")}
    assert "SIGKILL" in found.unfit[key(model="tests.fakes:deadly")]
    assert found.variant[key(model="tests.fakes:small")] > 0


def test_a_model_larger_than_the_memory_is_unfit_before_it_is_built(costs: Try) -> None:
    found = costs({}, HUGE)
    assert found.unfit.keys() == {key(**HUGE)}
    assert found.variant[key()] > 0


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ({"model": "tests.fakes:raising"}, "no such model today"),
        ({"model": "tests.fakes:leaving"}, "SystemExit"),
        ({"model": "tests.fakes:deadly", "model_args": {"code": 3}}, "SystemExit"),
        ({"model": "tests.fakes:frozen"}, "requires_grad"),
        ({"model": "tests.fakes:gives", "model_args": {"what": "none"}}, "NoneType"),
        ({"model": "tests.fakes:gives", "model_args": {"what": "map"}}, "64 x 10 x 1"),
        ({"model": "tests.fakes:gives", "model_args": {"what": "squeezed"}}, "of 64;"),
        ({"model": "tests.fakes:gives", "model_args": {"what": "one more"}}, "64 x 11"),
        ({"model": "tests.fakes:gives", "model_args": {"what": "whole numbers"}}, "int64"),
        ({"model": "tests.fakes:passed", "model_args": {"widht": 8}}, "widht"),
        ({"model": "tests.fakes:lazy", "model_args": {"unused": True}}, "spare"),
        ({"model": "tests.fakes:constant", "init": "kaiming_normal"}, '"kaiming_normal"'),
        ({"model": "tests.fakes:normed", "model_args": {"how": "old"}, "init": "kaiming_normal"}, "parametrizations"),
        ({"model": "cnn", "batch_size": 1, "filters": [4, 4, 4], "batch_norm": True}, "more than 1 value"),
    ],
)
def test_a_training_step_that_fails_refuses_the_request(costs: Try, change: dict[str, Any], value: str) -> None:
    with pytest.raises(RequestError) as refused:
        costs({}, change)
    (problem,) = refused.value.problems
    assert is_about(problem, Kind.CODE, 'variant "v1"', value)


def test_every_wrong_variant_is_named_at_once(costs: Try) -> None:
    with pytest.raises(RequestError) as refused:
        costs({"model": "tests.fakes:raising"}, {}, {"model": "tests.fakes:frozen"})
    assert [problem.where.split('"')[1] for problem in refused.value.problems] == ["v0", "v2"]


def test_a_variant_that_does_not_fit_fails_and_the_others_train(tmp_path: Path) -> None:
    study = {"baseline": BASE | {"epochs": 1}, "variants": {"wide": HUGE}, "seeds": 1}
    _, text = run(study, tmp_path, dry_run=True)
    (line,) = [line for line in text.splitlines() if "/wide-" in line]
    assert not line.startswith("to do")
    assert not list(tmp_path.iterdir())
    outcome, text = run(study, tmp_path, workers=1)
    assert outcome.failed == 1
    status = {path.parent.name.split("-")[0]: RunDir(path).status() for path in tmp_path.glob("runs/*/*/seed0")}
    assert status == {"baseline": "finished", "wide": "failed"}
    with refused(Kind.MACHINE, 'variant "baseline"', "GB"):  # nothing fits: nothing is written
        run({"baseline": BASE | HUGE, "seeds": 1}, tmp_path / "none")
    assert not (tmp_path / "none").exists()
