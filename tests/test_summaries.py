"""What TensorBoard shows of studies whose runs the runner did not train: means, charts and columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from runner.store import SEEDS_TAG, mean_tag
from runner.summaries import write_mean
from tests.boards import SESSIONS, Get, tensorboard
from tests.commands import run
from tests.own import write_steps
from tests.own_training import STUDY


def points(folder: Path, tag: str) -> dict[int, float]:
    board = EventAccumulator(str(folder)).Reload()
    return {each.step: each.value for each in board.Scalars(tag)} if tag in board.Tags()["scalars"] else {}


def tables(place: Path, *seeds: dict[int, dict[str, float]]) -> list[Path]:
    """The metrics.csv of seeds."""
    for seed, rows in enumerate(seeds):
        write_steps(place / f"{seed}.csv", [{"step": step, **row} for step, row in rows.items()])
    return [place / f"{seed}.csv" for seed in range(len(seeds))]


def f1(**values: float) -> dict[int, dict[str, float]]:
    return {int(step[1:]): {"f1": value} for step, value in values.items()}


def test_own_metrics_have_means_at_the_steps_that_seeds_share(tmp_path: Path) -> None:
    first = {10: {"f1": 0.25, "mse": 300.0, "lr": 1.0}, 20: {"f1": 0.5}, 30: {"f1": 0.75, "mse": 100.0}}
    second = {10: {"f1": 0.75}, 25: {"f1": 0.9}, 30: {"f1": 0.25, "mse": 300.0}, 40: {"f1": 0.5}}
    assert not write_mean(tmp_path / "mean", tables(tmp_path, first, second), own=["f1", "mse", "other"])
    assert points(tmp_path / "mean", mean_tag("f1")) == {10: 0.5, 30: 0.5}
    assert points(tmp_path / "mean", mean_tag("mse")) == {30: 200.0}  # a large loss has not diverged
    low = points(tmp_path / "mean", mean_tag("f1", "lower"))
    assert low == {step: pytest.approx(0.5 - 12.7062 * 0.25, abs=1e-4) for step in (10, 30)}
    assert points(tmp_path / "mean", SEEDS_TAG) == {10: 2, 30: 2}
    assert points(tmp_path / "mean", mean_tag("lr")) == {}


def test_a_seed_that_still_trains_counts_at_the_steps_that_it_has_reached(tmp_path: Path) -> None:
    done, ahead, behind = tables(tmp_path, f1(s1=0.25, s2=0.5, s3=1.0), f1(s1=0.75, s2=1.0), f1(s1=0.5))
    write_mean(tmp_path / "mean", [done], [ahead, behind], ["f1"])
    assert points(tmp_path / "mean", mean_tag("f1")) == {1: 0.5, 2: 0.75, 3: 1.0}
    assert points(tmp_path / "mean", SEEDS_TAG) == {1: 3, 2: 2, 3: 1}


def test_a_seed_without_a_metric_keeps_the_others_mean(tmp_path: Path) -> None:
    write_mean(tmp_path / "mean", tables(tmp_path, f1(s1=0.25), f1(s1=0.75), {1: {"mse": 1.0}}), own=["f1", "mse"])
    assert points(tmp_path / "mean", mean_tag("f1")) == {1: 0.5}
    assert points(tmp_path / "mean", mean_tag("mse")) == {1: 1.0}


def test_seeds_that_share_no_step_have_no_mean(tmp_path: Path) -> None:
    one, other = tables(tmp_path, f1(s1=0.25), f1(s2=0.75))
    write_mean(tmp_path / "mean", [one], own=["f1"])
    assert points(tmp_path / "mean", mean_tag("f1")) == {1: 0.25}
    write_mean(tmp_path / "mean", [one, other], own=["f1"])
    assert not list((tmp_path / "mean").iterdir())


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Get]]:
    """A TensorBoard over a study with its own training."""
    place = tmp_path_factory.mktemp("summaries")
    run(STUDY | {"seeds": 2}, place, name="own")
    with tensorboard(place / "runs", runs=7) as get:  # 4 seeds, 2 means, the root
        yield place / "runs", get


def test_a_mean_of_own_training_is_a_run_of_tensorboard(board: tuple[Path, Get]) -> None:
    runs, get = board
    tags = get("plugin/scalars/tags")
    (mean,) = (name for name in tags if name.startswith("own/trick-") and name.endswith("/mean"))
    seeds = [points(folder, "val/f1") for folder in (runs / mean).parent.glob("seed*")]
    shown = get("plugin/scalars/scalars", tag=mean_tag("val/f1"), run=mean)
    expected = {step: sum(values[step] for values in seeds) / 2 for step in range(6)}
    assert {step: value for _, step, value in shown} == pytest.approx(expected)
    assert {mean_tag("val/loss", bound) for bound in ("", "lower", "upper")} <= set(tags[mean])


def test_charts_and_columns_are_of_the_studys_metrics_alone(board: tuple[Path, Get]) -> None:
    _, get = board
    charts = {each["title"]: each["chart"] for each in get("plugin/custom_scalars/layout")["category"]}
    margins = [chart["margin"]["series"][0]["value"] for chart in charts["Mean over seeds, 95% interval"]]
    assert margins == [mean_tag("val/loss"), mean_tag("val/f1")]  # TensorBoard draws them in reverse order
    assert len(charts) == 2
    columns = [info["name"]["tag"] for info in get("plugin/hparams/experiment", {})["metricInfos"]]
    assert columns == ["z_final/val_f1", "z_final/val_loss"]
    groups = get("plugin/hparams/session_groups", SESSIONS)["sessionGroups"]
    assert sorted(group["hparams"]["gain"] for group in groups) == [0.0, 0.1]
