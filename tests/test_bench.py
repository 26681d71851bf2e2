"""The benchmark: each tool trains the study, a tool that trains differently is noticed, and the limit's arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.bench.__main__ import parsed
from benchmarks.bench.accuracy import difference
from benchmarks.bench.contestants import CONTESTANTS, ContestantFailed, launch
from benchmarks.bench.fixed import Fixed, prepared
from benchmarks.bench.limit import ADAM_BYTES, Rates, epoch_flops, limit_seconds, linear_layers, measure_rates
from benchmarks.bench.logged import Logged, read, steady_seconds
from benchmarks.bench.measured import Measured, Record
from benchmarks.bench.page import draw, page
from benchmarks.bench.study import bench_study, write_images
from benchmarks.bench.unlogged import NoLog
from runner.data import load
from runner.expand import Overrides, resolve
from runner.models import build

EPOCHS = 2
LAYERS = [(3072, 512), (512, 256), (256, 10)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a zip of few images of noise, and what the runner prepares from it."""
    folder = tmp_path_factory.mktemp("bench")
    write_images(folder / "images.zip", 180, None)
    prepared(folder / "images.zip", bench_study(False, EPOCHS, [0]), folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("tool", CONTESTANTS)
def test_each_tool_trains_every_variant_and_logs_each_epoch(tool: str, place: Path) -> None:
    if missing := CONTESTANTS[tool].missing:
        pytest.skip(f"{', '.join(missing)} is not installed")
    study = bench_study(True, EPOCHS, [0])
    study["variants"] = {name: study["variants"][name] for name in ("batchnorm+dropout", "constant")}
    study["baseline"]["hidden"] = [32, 16]
    (cache,) = (place / "data" / "cache").glob("cifar10-*")
    outcome = launch(tool, study, place / "images.zip", cache, place / tool)
    assert set(outcome.runs) == {"baseline", "batchnorm+dropout", "constant"}
    for run in outcome.flat:
        assert outcome.started < run.started < run.ends[0] < run.ends[1] <= outcome.ended
        assert len(run.ends) == EPOCHS
        assert 20 * run.accuracy == pytest.approx(round(20 * run.accuracy), abs=1e-4)  # of 20 validation images
    assert 0 < steady_seconds(outcome.flat) < outcome.ended - outcome.started


def test_a_tool_that_fails_is_named_with_its_output(place: Path) -> None:
    study = bench_study(False, EPOCHS, [0])
    with pytest.raises(ContestantFailed, match=r"plain PyTorch loop: exit status 1, 0 of 10 runs(.|\n)*Error"):
        launch("plain", study, place / "images.zip", place / "data" / "cache" / "none", place / "failed")


def test_images_have_cifars_proportions_and_classes_that_can_be_learned(place: Path) -> None:
    (cache,) = (place / "data" / "cache").glob("cifar10-*")
    images = load(cache)
    assert (images.shape, len(images.classes)) == ((3, 32, 32), 10)
    assert [len(part) for part in (images.train, images.val, images.test)] == [180, 20, 40]
    assert np.bincount(images.train.labels).tolist() == [18] * 10
    means = np.stack([images.train.images[images.train.labels == label].mean(axis=0) for label in range(10)])
    far = ((images.test.images[:, None] - means) ** 2).sum(axis=(2, 3, 4))
    assert (far.argmin(axis=1) == images.test.labels).mean() > 0.5


def test_part_of_a_zip_has_no_image_twice(tmp_path: Path) -> None:
    write_images(tmp_path / "whole.zip", 900, None)
    write_images(tmp_path / "part.zip", 90, tmp_path / "whole.zip")
    images = load(prepared(tmp_path / "part.zip", bench_study(False, EPOCHS, [0]), tmp_path))
    assert [len(part) for part in (images.train, images.val, images.test)] == [90, 10, 20]
    every = np.concatenate([part.images.reshape(len(part), -1) for part in (images.train, images.val, images.test)])
    assert len(np.unique(every, axis=0)) == 120


def test_a_peer_that_trains_differently_is_noticed_and_one_that_does_not_is_not() -> None:
    rng = np.random.default_rng(0)
    levels = np.repeat(rng.uniform(0.3, 0.5, 10), 2)  # ten variants, two seeds
    ours, worse = (levels + rng.normal(center, 0.01, 20) for center in (0, -0.02))
    found = difference(ours, worse)
    assert not found.within_noise
    assert found.mean == pytest.approx(-0.02, abs=0.01)
    wide = difference(ours, worse, comparisons=6)
    assert wide.half > found.half
    errs = [not difference(rng.normal(0, 1, 20), rng.normal(0, 1, 20)).within_noise for _ in range(2000)]
    assert np.mean(errs) == pytest.approx(0.05, abs=0.015)
    with pytest.raises(ValueError, match="1 and 2 runs"):
        difference([0.1], [0.1, 0.2])


def test_the_limit_counts_products_and_adams_bytes() -> None:
    settings = resolve(Path("bench"), bench_study(False, EPOCHS, [0]), "", Overrides()).variants[0].ours
    layers = linear_layers(build(settings, (3, 32, 32), 10, 0))
    assert layers == LAYERS
    assert epoch_flops(layers, 50_000, 0) == pytest.approx(0.355e12, rel=0.003)
    assert epoch_flops(layers, 0, 1) == 2 * (3072 * 512 + 512 * 256 + 256 * 10)
    assert limit_seconds(6e9, 10**6, 100, Rates(2e9, 1e9)) == pytest.approx(3 + ADAM_BYTES * 1e8 / 1e9)


def test_the_products_of_a_real_step_are_those_that_the_limit_counts() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    model = torch.nn.Sequential(torch.nn.Linear(30, 20), torch.nn.ReLU(), torch.nn.Linear(20, 10))
    with FlopCounterMode(display=False) as counter:
        model(torch.rand(8, 30)).sum().backward()
        with torch.no_grad():
            model(torch.rand(4, 30))
    assert epoch_flops(linear_layers(model), train=8, val=4) == counter.get_total_flops()


@pytest.mark.slow
def test_rates_are_those_of_all_processes() -> None:
    rates = measure_rates(2)
    assert 1e9 < rates.flops < 1e14
    assert 1e8 < rates.bytes < 1e13


def test_in_steady_state_each_moment_is_shared_by_the_runs_that_train_at_it() -> None:
    turns = [Logged(0, (4, 5, 6), 0), Logged(6, (9, 10, 11), 0)]
    assert steady_seconds(turns) == 1
    assert steady_seconds([Logged(0, (4, 6, 8), 0), Logged(0, (4, 6, 8), 0)]) == 1
    late = [Logged(0, (2, 4), 0), Logged(2, (4, 6), 0)]  # 2 s shared with a first epoch, then 2 s alone
    assert steady_seconds(late) == pytest.approx((1 + 2) / 2)


def test_logs_without_a_validation_accuracy_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no scalar val/accuracy"):
        read(tmp_path)


def test_nothing_is_written_in_place_of_logs(tmp_path: Path) -> None:
    log = NoLog(tmp_path / "run")
    log.begin()
    log.finish({}, {})
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize("words", ["--peers keras", "--images 100", "--epochs 1", "--data none.zip"])
def test_wrong_arguments_are_refused(words: str) -> None:
    with pytest.raises(SystemExit) as refused:
        parsed(words.split())
    assert refused.value.code == 2


def records(apart: float) -> list[Record]:
    rng = np.random.default_rng(0)
    found = []
    for repetition in range(3):
        for augmented in (False, True):
            for number, tool in enumerate(CONTESTANTS):
                accuracies = 0.4 + rng.normal(0, 0.01, 10) + (apart if tool == "ray" else 0)
                times = (2 + 3 * number) * (1 + repetition / 10), (1 + 2 * number) * (1 + repetition / 10)
                found.append(Record(tool, augmented, repetition, *times, tuple(accuracies)))
    return found


def test_the_page_has_medians_ratios_and_the_verdict(tmp_path: Path) -> None:
    fixed = Fixed([7.0, 9.0], [5.0, 6.0], [0.05, 0.06], [0.04, 0.06])
    found = Measured("make bench", "CIFAR-10", 900, 3, 10, records(0), [Rates(1e11, 2e10)], 0.5, fixed)
    text = "\n\n".join(page(found))
    assert (
        "| plain PyTorch loop | 5.50 (5.00 to 6.00) | 2.5 (2.5 to 2.5) | 3.30 (3.00 to 3.60) | 3.0 (3.0 to 3.0) |"
        in text
    )
    assert "| share of the limit reached, no augmentation, steady | 45% (42 to 50) |" in text
    assert found.alike
    assert "All tools reach the same accuracy within noise." in text
    worse = Measured("make bench", "CIFAR-10", 900, 3, 10, records(-0.1), [Rates(1e11, 2e10)], 0.5, fixed)
    assert not worse.alike
    assert not worse.difference("ray", False).within_noise
    assert worse.difference("plain", False).within_noise
    assert "**no**" in "\n".join(page(worse))
    draw(found, tmp_path / "benchmark.png")
    assert (tmp_path / "benchmark.png").stat().st_size > 10_000
