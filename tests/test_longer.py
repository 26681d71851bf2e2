"""A run with more epochs continues from a finished one, to the bits of a run that was never interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from runner.expand import Overrides
from runner.prune import find_removable, remove
from runner.store import RunDir
from tests.commands import event_steps, numbers, run
from tests.studies import BASE

STUDY: dict[str, Any] = {
    "baseline": BASE | {"epochs": 2, "dropout": 0.3, "warmup": 0.5},
    "variants": {"norm": {"batch_norm": True, "weight_average": 0.9}, "step": {"schedule": "exponential",
                 "schedule_args": {"gamma": 0.9}}},
    "seeds": 1,
}  # fmt: skip


def longer(place: Path, epochs: int = 4, **options: Any) -> str:
    """Trains the study with more epochs, as --set epochs=4 does; what was printed."""
    outcome, text = run(STUDY, place, overrides=Overrides(settings={"epochs": epochs}), **options)
    assert outcome.failed == 0, text
    return text


def trained(place: Path, epochs: int) -> dict[str, Any]:
    """The numbers of the runs with so many epochs, by variant."""
    found = {}
    for name, values in numbers(place).items():
        (path,) = place.glob(f"runs/*/{name}")
        known = RunDir(path).run_json()
        assert known
        if known.settings["epochs"] == epochs:
            found[known.variant] = values
    return found


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place = tmp_path_factory.mktemp("unbroken")
    longer(place)
    return trained(place, 4)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    outcome, text = run(STUDY, tmp_path)
    assert outcome.failed == 0, text
    return tmp_path


def folder(place: Path, variant: str, epochs: int) -> Path:
    return next(
        path for path in place.glob(f"runs/*/{variant}-*/seed0")
        if (known := RunDir(path).run_json()) and known.settings["epochs"] == epochs
    )  # fmt: skip


def test_a_longer_run_is_that_of_an_unbroken_one(place: Path, unbroken: dict[str, Any]) -> None:
    short = trained(place, 2)
    assert "2 runs to continue" in longer(place)
    assert trained(place, 4) == unbroken
    assert trained(place, 2) == short  # it stays
    for variant in ("baseline", "norm"):
        long = folder(place, variant, 4)
        assert event_steps(long)[0] == [1, 2, 3, 4]
        board = EventAccumulator(str(long), size_guidance={"histograms": 0}).Reload()
        for tag in board.Tags()["histograms"]:
            assert [event.step for event in board.Histograms(tag)] == [1, 2, 3, 4]
        (settings,) = board.Tensors("settings/text_summary")
        assert b"epochs | `4`" in settings.tensor_proto.string_val[0]


def test_the_continued_run_trains_only_the_new_epochs(place: Path) -> None:
    marked = folder(place, "baseline", 2)
    (state,) = RunDir(marked).final_states()
    longer(place)
    rows = (folder(place, "baseline", 4) / "metrics.csv").read_text().splitlines()
    assert rows[1:3] == (marked / "metrics.csv").read_text().splitlines()[1:]  # with their times
    assert state.exists()


def test_a_continued_run_records_the_processors_of_both(place: Path) -> None:
    short = RunDir(folder(place, "baseline", 2))
    result = short.result()
    assert result
    short.write_result(result.model_copy(update={"provenance": result.provenance.having(processor="another one")}))
    longer(place)
    made = {}
    for variant in ("baseline", "norm"):
        known = RunDir(folder(place, variant, 4)).run_json()
        assert known
        made[variant] = str(known.provenance.processor)
    assert "another one" in made["baseline"]
    assert made["norm"] in made["baseline"]


@pytest.mark.parametrize("how", ["corrupt", "pruned", "retrain", "weights"])
def test_without_the_state_it_starts_over_to_the_same_numbers(place: Path, unbroken: dict[str, Any], how: str) -> None:
    for variant in ("baseline", "norm"):
        short = RunDir(folder(place, variant, 2))
        (state,) = short.final_states()
        if how == "corrupt":
            state.write_bytes(state.read_bytes()[:-200] + bytes(200))
        if how == "weights":
            short.best.unlink()
    if how == "pruned":
        remove(find_removable(place / "runs", checkpoints=True), place / "runs")
        assert not list(place.glob("runs/*/*/*/final-*.pt"))
    text = longer(place, retrain=how == "retrain")
    assert trained(place, 4) == unbroken, text


def test_early_stopping_has_already_ended_a_longer_run(tmp_path: Path) -> None:
    study = {"baseline": BASE | {"epochs": 20, "lr": 0.05, "patience": 2}, "seeds": 1}
    run(study, tmp_path)
    run(study, tmp_path, overrides=Overrides(settings={"epochs": 40}))
    short, long = trained(tmp_path, 20)["baseline"], trained(tmp_path, 40)["baseline"]
    assert short == long
    assert len(eval(long[1], {"nan": float("nan")})) < 20


def test_a_run_that_ends_keeps_its_state_only_where_it_serves(place: Path) -> None:
    kept = {path.parent.parent.name.split("-")[0] for path in place.glob("runs/*/*/*/final-*.pt")}
    assert kept == {"baseline", "norm"}  # the schedule of the other one may depend on its epochs
