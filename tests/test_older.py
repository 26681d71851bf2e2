"""Run directories that an older version wrote (tests/older/README.md) are read as that version read them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata
from torch.utils.tensorboard import SummaryWriter

from runner.search.records import read_record
from runner.sheets import read_sheet
from runner.store import (
    EPOCH_SCALARS,
    HPARAM_METRICS,
    OLDER_HPARAM_METRICS,
    OLDER_SEARCH_METRICS,
    SEARCH_METRICS,
    RunDir,
    mean_tag,
    read_rows,
)
from runner.summaries import write_columns
from runner.verdicts import effects_table, gather

OLDER = Path(__file__).parent / "older"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A copy: reading must not write, and could."""
    shutil.copytree(OLDER / "runs", tmp_path / "runs")
    return tmp_path / "runs"


def test_states_are_known(runs: Path) -> None:
    states = {path.parent.name[:8]: RunDir(path).own_status() for path in runs.glob("older-digits/*/seed0")}
    assert states == {"baseline": "finished", "batchnor": "finished", "diverged": "failed"}
    attempts = [RunDir(path).ended_attempt() for path in runs.glob("older-digits/*/seed*")]
    assert len(set(attempts)) == 6


def test_every_number_of_its_table_is_there(runs: Path) -> None:
    now = effects_table(gather(runs / "older-digits")).frame().set_index(["variant", "metric"])
    then = read_sheet(OLDER / "summary.csv").set_index(["variant", "metric"])
    assert len(then) == 30
    for name, row in then.to_dict("index").items():
        for column in ("n", "failed", "mean", "low", "high", "effect", "effect low", "effect high", "effect p"):
            assert now.to_dict("index")[name][column] == pytest.approx(row[column], nan_ok=True, rel=1e-12), (
                name,
                column,
            )


def test_metrics_have_their_present_names(runs: Path) -> None:
    (folder,) = runs.glob("older-digits/baseline-*/seed0")
    result = RunDir(folder).result()
    assert result
    assert result.metrics["val/accuracy"] == 0.285
    assert result.metrics["best_epoch"] == 2
    assert not any(name.startswith("best/") for name in result.metrics)


def test_hparams_show_its_final_values_beside_those_of_today(runs: Path) -> None:
    (folder,) = runs.glob("older-digits/baseline-*/seed0")
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    assert set(OLDER_HPARAM_METRICS) <= set(accumulator.Tags()["scalars"])
    assert set(EPOCH_SCALARS) <= set(accumulator.Tags()["scalars"])
    write_columns(runs)
    columns = {**HPARAM_METRICS, **SEARCH_METRICS, **OLDER_HPARAM_METRICS, **OLDER_SEARCH_METRICS}
    assert hparam_metrics(runs) == list(columns)


def test_its_means_get_the_tags_of_today(runs: Path) -> None:
    (table,) = runs.glob("older-digits/baseline-*/seed0/metrics.csv")
    mean = table.parents[1] / "mean"
    with SummaryWriter(str(mean)) as writer:
        writer.add_scalar("mean/val_loss", 1.0, 1)
    write_columns(runs)
    accumulator = EventAccumulator(str(mean))
    accumulator.Reload()
    tags = set(accumulator.Tags()["scalars"])
    assert mean_tag("val/loss") in tags
    assert "mean/val_loss" not in tags
    seeds = [read_rows(path)[0]["val/loss"] for path in table.parents[1].glob("seed*/metrics.csv")]
    assert accumulator.Scalars(mean_tag("val/loss"))[0].value == pytest.approx(sum(seeds) / len(seeds))


def hparam_metrics(runs: Path) -> list[str]:
    """The tags of the metrics that the root run's columns of hparams name."""
    accumulator = EventAccumulator(str(runs))
    accumulator.Reload()
    content = accumulator.SummaryMetadata(metadata.EXPERIMENT_TAG).plugin_data.content
    return [info.name.tag for info in metadata.parse_experiment_plugin_data(content).metric_infos]


def test_its_search_is_a_search(runs: Path) -> None:
    record = read_record(runs / "older_search-digits")
    assert [run.variant.name for run, _ in record.ranked()] == ["0001", "0000"]
    assert record.left == 0
