"""Means over seeds are written while seeds still train, and histograms of unlike variants compare the same layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from runner.data import prepare
from runner.execute import Job, _summaries
from runner.execute._job import train_job
from runner.execute._messages import Command, Message
from runner.execute._summaries import Means
from runner.expand import Overrides, resolve
from runner.logs import roles
from runner.models import build
from runner.spec import Settings
from runner.store import SEEDS_TAG, mean_tag, present_provenance
from tests.conftest import BASE

STUDY: dict[str, Any] = {"baseline": BASE | {"epochs": 4}, "seeds": 2}


def scalars(folder: Path, tag: str) -> list[float]:
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return [event.value for event in accumulator.Scalars(tag)] if tag in accumulator.Tags()["scalars"] else []


@pytest.fixture
def means_seen(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> dict[tuple[int, str, int], list[float]]:
    """The number of seeds in the mean's epochs, after each message: (seed, kind, epoch) -> numbers."""
    monkeypatch.setattr(_summaries, "_MEAN_SECONDS", 0)
    monkeypatch.setattr(_summaries, "_MOST_TIME", 1e9)
    runs = resolve(Path("study.py"), STUDY, "", Overrides()).runs()
    means = Means(tmp_path, runs, Console(quiet=True))
    seen = {}

    def send(message: Message) -> None:
        means.on_message(message)
        folder = tmp_path / message.run.folder.parent / "mean"
        key = (message.run.seed, message.kind, int(message.metrics.get("epoch", 0)))
        seen[key] = scalars(folder, SEEDS_TAG) if folder.exists() else []

    for run in runs:  # seed 1 starts once seed 0 has ended
        data = prepare(run.variant.ours, Path("data"), cache)
        train_job(Job((run,), data), Command(tmp_path, "cpu", present_provenance("cpu")), send)
    return seen


def test_the_mean_is_written_at_every_moment_of_training(
    means_seen: dict[tuple[int, str, int], list[float]], tmp_path: Path
) -> None:
    assert means_seen[0, "epoch", 1] == [1]
    assert means_seen[0, "epoch", 3] == [1, 1, 1]
    assert means_seen[1, "epoch", 2] == [2, 2, 1, 1]  # seed 0 has ended; seed 1 has no epochs 3 and 4 yet
    assert means_seen[1, "finished", 0] == [2, 2, 2, 2]
    (mean,) = tmp_path.glob("*/*/mean")
    curves = [scalars(folder, "val/loss") for folder in sorted(tmp_path.glob("*/*/seed*"))]
    expected = [sum(values) / 2 for values in zip(*curves, strict=True)]
    assert scalars(mean, mean_tag("val/loss")) == pytest.approx(expected)


def test_means_take_little_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While no run ends, a variant's mean is written every ten seconds at most, and less often where it is slow."""
    now, written = [0.0], []

    def write(*_: Any) -> bool:
        written.append(now[0])
        now[0] += 0.5  # a slow disk
        return False

    monkeypatch.setattr("runner.execute._summaries.time.monotonic", lambda: now[0])
    monkeypatch.setattr(_summaries, "write_mean", write)
    (run, other) = resolve(Path("study.py"), STUDY, "", Overrides()).runs()
    means = Means(tmp_path, [run, other], Console(quiet=True))
    for _ in range(600):
        means.on_message(Message("epoch", run, {"epoch": 1}))
        now[0] += 0.2
    assert written == pytest.approx([10.0, 70.5], abs=0.5)
    means.on_message(Message("finished", run))
    means.on_message(Message("finished", other))  # its variant's last run: the mean is written in any case
    assert written[-1] == pytest.approx(now[0] - 0.5)


def test_a_variants_other_layers_do_not_rename_its_weights() -> None:
    def names(**changes: Any) -> set[str]:
        return set(roles(build(Settings.model_validate(BASE | changes), (1, 8, 8), 10, seed=0)).values())

    layers = {"hidden1", "hidden1_bias", "output", "output_bias"}
    plain = names(hidden=[32])
    assert plain == layers
    assert names(hidden=[32], dropout=0.5) == layers
    assert names(hidden=[32], batch_norm=True, dropout=0.5) == layers | {"hidden1_norm", "hidden1_norm_bias"}
    assert names(hidden=[64, 32]) == layers | {"hidden2", "hidden2_bias"}
    assert {"conv1", "conv2", "output"} <= names(model="cnn", filters=[4, 8], hidden=[])
    assert names(model="perceptron", hidden=[]) == {"output", "output_bias"}
