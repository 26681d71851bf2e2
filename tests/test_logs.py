"""A run directory is written whole, read with distrust, and each step stands in its events once."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from runner import checkpoints
from runner.data import Dataset
from runner.events import event_files
from runner.files import read_json, replace, write_json
from runner.logs import RunLog, confusion, roles, write_evaluation
from runner.logs._events import keep_epochs
from runner.logs._pictures import captions, filters, gallery
from runner.logs._run_pictures import RunPicture, When
from runner.models import build, weight_layers
from runner.spec import Settings
from runner.store import (
    EPOCH_SCALARS,
    OLDER_HPARAM_METRICS,
    RESULT_TAGS,
    SEEDS_TAG,
    Provenance,
    RunDir,
    RunJson,
    RunResult,
    mean_tag,
    read_rows,
    read_study,
    write_rows,
)
from runner.summaries import write_mean
from tests.studies import amend

Make = Callable[..., Settings]


def metrics(value: float) -> dict[str, float]:
    return dict.fromkeys(EPOCH_SCALARS, value)


def write_epoch(log: RunLog, model: torch.nn.Module, epoch: int, value: float, logit: float = 0.0) -> None:
    weights = {name: weight.detach() for name, weight in model.named_parameters()}
    gradients = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    first = weight_layers(model)[0].weight.detach()  # type: ignore[operator]
    log.epoch(epoch, metrics(value), weights, gradients, first, torch.full((200, 10), logit))


def write_epochs(log: RunLog, model: torch.nn.Module, first: int, last: int) -> None:
    for epoch in range(first, last + 1):
        write_epoch(log, model, epoch, epoch / 10)


@pytest.fixture
def model(settings: Make) -> torch.nn.Module:
    return build(settings(), (1, 8, 8), 10, seed=0)


FINISHED = dict.fromkeys(RESULT_TAGS, 2.0)
CONTENT = RunJson(seed=0, status="finished", settings={}, provenance=Provenance())
RESULT = RunResult(metrics={"x": 1.0}, provenance=Provenance())


def steps(folder: Path, tag: str = "val/loss") -> list[int]:
    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    accumulator.Reload()
    return [event.step for event in accumulator.Scalars(tag)]


def test_a_resumed_run_has_each_step_once(tmp_path: Path, digits: Dataset, model: torch.nn.Module) -> None:
    log = RunLog(tmp_path, digits)
    log.begin({"lr": 1}, {}, {"lr": 1.0}, "group", model, (1, 8, 8))
    write_epochs(log, model, 1, 5)
    rows = log.rows[:3]
    log.close()  # killed after epoch 5; the checkpoint is of epoch 3
    resumed = RunLog(tmp_path, digits, rows)
    write_epochs(resumed, model, 4, 6)
    resumed.close()
    assert steps(tmp_path) == [1, 2, 3, 4, 5, 6]
    assert [row["epoch"] for row in read_rows(tmp_path / "metrics.csv")] == [1, 2, 3, 4, 5, 6]


def test_a_run_that_an_older_version_began_resumes(tmp_path: Path, digits: Dataset, model: torch.nn.Module) -> None:
    with SummaryWriter(str(tmp_path)) as writer:  # as it wrote: one file, final values at the last epoch
        for epoch in (1, 2, 3):
            for tag in EPOCH_SCALARS:
                writer.add_scalar(tag, 0.5, epoch)
        for tag in OLDER_HPARAM_METRICS:
            writer.add_scalar(tag, 0.5, 3)
    rows = [{"epoch": float(epoch), **metrics(0.5)} for epoch in (1, 2, 3)]
    log = RunLog(tmp_path, digits, rows)
    assert log.resumed
    write_epochs(log, model, 4, 4)
    log.finish(FINISHED, {"val": torch.zeros(200, 10), "test": torch.zeros(400, 10)})
    assert steps(tmp_path) == [1, 2, 3, 4]
    accumulator = EventAccumulator(str(tmp_path))
    accumulator.Reload()
    assert set(accumulator.Tags()["scalars"]) == {*EPOCH_SCALARS, *RESULT_TAGS.values()}


def test_a_corrupt_event_file_costs_no_run(tmp_path: Path, digits: Dataset, model: torch.nn.Module) -> None:
    log = RunLog(tmp_path, digits)
    write_epochs(log, model, 1, 3)
    log.close()
    (path,) = event_files(tmp_path)
    path.write_bytes(path.read_bytes()[:-10] + os.urandom(5))
    keep_epochs(tmp_path, 2)
    assert steps(tmp_path) == [1, 2]
    path.write_bytes(os.urandom(1000))
    keep_epochs(tmp_path, 2)
    keep_epochs(tmp_path, 0)
    assert not event_files(tmp_path)


def test_a_new_picture_is_one_entry(
    tmp_path: Path, digits: Dataset, model: torch.nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    white = np.full((5, 7, 3), 255, dtype=np.uint8)
    entries = (
        RunPicture("pictures/white", "white", When.SOMETIMES, lambda _: white),
        RunPicture("pictures/none", "nothing to show", When.SOMETIMES, lambda _: None),
        RunPicture("pictures/end", "white", When.END, lambda _: white),
    )
    monkeypatch.setattr("runner.logs._run_pictures.RUN_PICTURES", entries)
    log = RunLog(tmp_path, digits)
    write_epochs(log, model, 1, 5)
    log.close()
    accumulator = EventAccumulator(str(tmp_path))
    accumulator.Reload()
    assert accumulator.Tags()["images"] == ["pictures/white"]
    images = accumulator.Images("pictures/white")
    assert [(image.step, image.width, image.height) for image in images] == [(1, 7, 5), (4, 7, 5)]


def test_nan_is_shown_and_breaks_nothing(tmp_path: Path, digits: Dataset, model: torch.nn.Module) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.view(-1)[::2] = float("nan")
        next(model.parameters()).fill_(float("inf"))
    log = RunLog(tmp_path, digits)
    write_epoch(log, model, 1, float("nan"), logit=float("nan"))
    log.fail("NonFiniteLoss: nan")
    accumulator = EventAccumulator(str(tmp_path))
    accumulator.Reload()
    assert np.isnan(accumulator.Scalars("val/loss")[0].value)
    assert "failure/text_summary" in accumulator.Tags()["tensors"]


def test_histograms_count_every_weight(tmp_path: Path, digits: Dataset, model: torch.nn.Module) -> None:
    log = RunLog(tmp_path, digits)
    write_epochs(log, model, 1, 1)
    log.close()
    accumulator = EventAccumulator(str(tmp_path))
    accumulator.Reload()
    for name, parameter in model.named_parameters():
        histogram = accumulator.Histograms(f"weights/{name}")[0].histogram_value
        assert histogram.num == sum(histogram.bucket) == parameter.numel()
        assert histogram.max == pytest.approx(float(parameter.detach().max()))


def epoch_tables(folder: Path, *seeds: list[float]) -> list[Path]:
    """The metrics.csv of seeds whose curves all have these values."""
    for seed, values in enumerate(seeds):
        rows = [{"epoch": float(n), **metrics(value)} for n, value in enumerate(values, 1)]
        write_rows(folder / f"{seed}.csv", rows)
    return [folder / f"{seed}.csv" for seed in range(len(seeds))]


def scalars(folder: Path, tag: str) -> list[float]:
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return [event.value for event in accumulator.Scalars(tag)]


def test_the_mean_run_keeps_a_stopped_seeds_last_value(tmp_path: Path) -> None:
    tables = epoch_tables(tmp_path, [1.0, 2.0], [3.0], [5.0, 9.0])
    write_mean(tmp_path / "mean", tables)
    write_mean(tmp_path / "mean", tables)  # made anew, not doubled
    assert scalars(tmp_path / "mean", mean_tag("val/loss")) == pytest.approx([3.0, (2 + 3 + 9) / 3])
    low = scalars(tmp_path / "mean", mean_tag("val/loss", "lower"))[0]
    assert low == pytest.approx(3 - 4.302653 * 2 / 3**0.5, abs=1e-5)
    assert scalars(tmp_path / "mean", SEEDS_TAG) == [3, 3]


def test_a_seed_that_trains_counts_where_it_has_been(tmp_path: Path) -> None:
    stopped, ahead, behind = epoch_tables(tmp_path, [1.0], [2.0, 4.0, 6.0], [3.0, 5.0])
    write_mean(tmp_path / "mean", [stopped], [ahead, behind])
    assert scalars(tmp_path / "mean", SEEDS_TAG) == [3, 3, 2]
    assert scalars(tmp_path / "mean", mean_tag("val/loss")) == pytest.approx([2, (1 + 4 + 5) / 3, (1 + 6) / 2])


@pytest.mark.parametrize("highest", [50.0, float("nan"), float("inf")])
def test_a_loss_that_diverges_stretches_no_other_chart(tmp_path: Path, highest: float) -> None:
    fine, bad = epoch_tables(tmp_path, [2.0, 1.0], [highest, 1.0])
    assert not write_mean(tmp_path / "fine", [fine])
    assert write_mean(tmp_path / "bad", [fine, bad])
    accumulator = EventAccumulator(str(tmp_path / "bad"))
    accumulator.Reload()
    tags = set(accumulator.Tags()["scalars"])
    assert {mean_tag("val/loss", diverged=True), mean_tag("val/accuracy")} <= tags
    assert mean_tag("val/loss") not in tags


def test_the_first_groups_of_time_series_are_the_means(tmp_path: Path, digits: Dataset, model: torch.nn.Module) -> None:
    """Time Series sorts groups by name and opens the first two, with their cards sorted by name."""
    log = RunLog(tmp_path / "seed0", digits, names=roles(model))
    write_epochs(log, model, 1, 2)
    log.finish(FINISHED, {"val": torch.zeros(200, 10), "test": torch.zeros(400, 10)})
    write_mean(tmp_path / "mean", [tmp_path / "seed0" / "metrics.csv"])
    tags: set[str] = set()
    for folder in ("seed0", "mean"):
        accumulator = EventAccumulator(str(tmp_path / folder))
        accumulator.Reload()
        tags |= {tag for kind in ("scalars", "images", "histograms") for tag in accumulator.Tags()[kind]}
    groups = sorted({tag.split("/")[0] for tag in tags})
    cards = [sorted(tag for tag in tags if tag.split("/")[0] == group) for group in groups[:2]]
    assert cards[0] == [mean_tag("val/accuracy"), mean_tag("val/loss")]
    assert cards[1] == [mean_tag("train/accuracy"), mean_tag("train/loss"), SEEDS_TAG]
    assert {tag for tag in tags if tag.startswith(groups[-1])} == set(RESULT_TAGS.values())


def test_what_the_best_epoch_gave_is_at_its_step_and_once_after_resuming(
    tmp_path: Path, digits: Dataset, model: torch.nn.Module
) -> None:
    logits = {"val": torch.zeros(200, 10), "test": torch.zeros(400, 10)}
    log = RunLog(tmp_path, digits)
    write_epochs(log, model, 1, 5)
    log.finish(FINISHED, logits)  # killed before result.json; the checkpoint is of epoch 4
    resumed = RunLog(tmp_path, digits, log.rows[:4])
    assert resumed.resumed
    write_epochs(resumed, model, 5, 5)
    resumed.finish(FINISHED | {"best_epoch": 3.0}, logits)
    accumulator = EventAccumulator(str(tmp_path))
    accumulator.Reload()
    for tag in RESULT_TAGS.values():
        assert [event.step for event in accumulator.Scalars(tag)] == [3]
    assert [image.step for image in accumulator.Images("pictures/best_misclassified")] == [3]
    assert [event.step for event in accumulator.Tensors("best/all")] == [3]
    assert steps(tmp_path) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("text", ["epoch,loss\n1,2\n", "x" * 200_000, "\0,\0\n\0,\0\n"], ids=["other", "long", "zeros"])
def test_a_table_with_other_columns_has_no_rows(tmp_path: Path, text: str) -> None:
    (tmp_path / "metrics.csv").write_text(text)
    assert read_rows(tmp_path / "metrics.csv") == []
    write_mean(tmp_path / "mean", [tmp_path / "metrics.csv"])
    assert not (tmp_path / "mean").exists()


def test_result_json_is_what_finishes_a_run(tmp_path: Path) -> None:
    directory = RunDir(tmp_path / "run")
    assert directory.status() == "new"
    directory.write_run_json(CONTENT.model_copy(update={"status": "running"}))
    checkpoints.save(directory.checkpoint, {"epoch": 1, "weights": torch.ones(2)})
    assert directory.status() == "started"
    amend(directory, status="failed")
    assert directory.status() == "failed"
    directory.write_result(RESULT)
    assert directory.status() == "finished"
    assert checkpoints.load(directory.checkpoint) is None
    result = read_json(tmp_path / "run" / "result.json")
    assert result
    for missing in ("check", "files"):  # a result without its sums vouches for nothing
        write_json(tmp_path / "run" / "result.json", {key: result[key] for key in result if key != missing})
        assert directory.result() is None
        assert directory.status() == "corrupt"


def test_too_many_open_files_spoil_no_finished_run(tmp_path: Path) -> None:
    directory = RunDir(tmp_path / "run")
    directory.write_run_json(CONTENT)
    directory.write_result(RESULT)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        for look in (directory.result, directory.run_json, directory.status):
            with pytest.raises(OSError, match="Too many open files"):
                look()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert directory.status() == "finished"


def test_a_checkpoint_that_cannot_be_removed_fails_no_finished_run(tmp_path: Path) -> None:
    directory = RunDir(tmp_path)
    directory.write_run_json(CONTENT)
    directory.checkpoint.mkdir()
    directory.write_result(RESULT)
    assert directory.status() == "finished"


def test_a_repeated_evaluation_takes_the_older_ones_place(
    tmp_path: Path, digits: Dataset, model: torch.nn.Module
) -> None:
    run = tmp_path / "seed0"
    log = RunLog(run, digits)
    write_epochs(log, model, 1, 2)
    log.close()
    Image.new("RGB", (30, 20)).save(tmp_path / "figure.png")
    for words in ("old", "old", "new"):
        write_evaluation(run, {"figure": tmp_path / "figure.png"}, {"table": words}, step=1)
    accumulator = EventAccumulator(str(run))
    accumulator.Reload()
    (image,) = accumulator.Images("evaluate/figure")
    (text,) = accumulator.Tensors("evaluate/table/text_summary")
    assert (image.width, image.height, image.step) == (30, 20, 1)
    assert text.tensor_proto.string_val[0] == b"new"
    assert steps(run) == [1, 2]
    RunLog(run, digits).close()  # trained anew: what was said of the old weights is gone
    accumulator = EventAccumulator(str(run))
    accumulator.Reload()
    assert not accumulator.Tags()["images"]


@pytest.mark.parametrize("spoil", [b"", b"garbage", b"{}", b'{"metrics": 3}', b"[1]", b"\xff\xfe"])
def test_corrupt_files_count_as_missing(tmp_path: Path, spoil: bytes) -> None:
    directory = RunDir(tmp_path)
    for name in ("result.json", "run.json", "checkpoint.pt", "best.pt", "predictions.npz"):
        (tmp_path / name).write_bytes(spoil)
    assert directory.result() is None
    assert checkpoints.load(directory.checkpoint) is None
    assert checkpoints.load(directory.best) is None
    assert directory.load_predictions() is None


def test_a_checkpoint_from_elsewhere_runs_no_code(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path}/owned",)

    torch.save({"learner": Payload()}, tmp_path / "checkpoint.pt")
    assert checkpoints.load(RunDir(tmp_path).checkpoint) is None
    assert not (tmp_path / "owned").exists()


def test_a_crash_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"a": 1, "b": float("nan")})

    def crash(path: Path) -> None:
        path.write_text('{"a": 2')
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(tmp_path / "x.json", crash)
    assert read_json(tmp_path / "x.json") == {"a": 1, "b": None}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize("shape", [(8, 8, 1), (8, 8, 3), (8, 16, 3), (20, 9, 1)])
def test_pictures_of_any_kind(shape: tuple[int, int, int]) -> None:
    height, width, channels = shape
    images = np.zeros((5, *shape), dtype=np.uint8)
    sheet = gallery(images, [("a very long class name\n> another one", k % 2 == 0) for k in range(5)])
    assert sheet.dtype == np.uint8
    assert sheet.shape[2] == 3
    assert filters(np.zeros((50, channels, height, width), dtype=np.float32)).shape[2] == 3
    for count in (2, 10, 30, 100):
        picture = confusion(np.eye(count, dtype=np.int64), [f"class {k}" for k in range(count)], "t")
        assert max(picture.shape) < 1000


@pytest.mark.parametrize("count", [2, 5, 10, 20])
def test_pictures_are_no_wider_than_tensorboard_shows_them(count: int) -> None:
    """Its cards are 350 pixels wide; a wider picture is shrunk, and its text with it."""
    names = [f"a long class name {number}" for number in range(count)]
    matrix = np.full((count, count), 9999, dtype=np.int64)
    assert confusion(matrix, names, "validation, best epoch (28)").shape[1] <= 350
    images = np.zeros((16, 32, 32, 3), dtype=np.uint8)
    assert gallery(images, [("a long class name\n> another one\n100% sure", False)] * 16).shape[1] <= 350


def test_a_thousand_classes_are_a_picture_of_their_pixels() -> None:
    matrix = np.zeros((1000, 1000), dtype=np.int64)
    matrix[3, 7] = 5
    picture = confusion(matrix, [str(k) for k in range(1000)], "t")
    assert max(picture.shape) < 1200
    dark = np.argwhere((picture == (16, 78, 139)).all(axis=2)) - (40, 24)
    assert dark.tolist() == [[3, 7]]


@pytest.mark.parametrize(("count", "place"), [(3, (86, 150)), (41, (53, 50)), (200, (45, 34))])
def test_a_confusions_cells_are_where_their_classes_are(count: int, place: tuple[int, int]) -> None:
    matrix = np.zeros((count, count), dtype=np.int64)
    matrix[1, 2] = 5
    picture = confusion(matrix, [f"class {k}" for k in range(count)], "t")
    assert tuple(np.argwhere((picture == (16, 78, 139)).all(axis=2))[0]) == place


def test_captions_of_long_names_that_begin_alike_differ() -> None:
    names = ["a very long class name that ends in alpha", "a very long class name that ends in beta"]
    assert len(set(captions(names))) == 2


VARIANT: dict[str, Any] = {"directory": "baseline-0", "changes": {}, "settings": {"epochs": 3, "dataset": "digits"}}
STUDY: dict[str, Any] = {
    "name": "toy", "file": "f.py", "doc": "d", "command": "c", "questions": [],
    "variants": {"baseline": VARIANT},
}  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"variants": {}}, {"variants": []}, {"variants": {"a": VARIANT}}, {"questions": [5]}, {"questions": {"a": 1}},
        {"doc": 5}, {"command": None}, {"search": 5}, {"variants": {"baseline": VARIANT | {"changes": []}}},
        {"variants": {"baseline": VARIANT | {"settings": {"epochs": "many"}}}},
        {"variants": {"baseline": VARIANT | {"settings": {"dataset": 5}}}},
        {"variants": {"baseline": VARIANT | {"settings": [], "first_end": 5}}},
        {"variants": {"baseline": VARIANT | {"settings": {"patience": None}}}},
    ],
)  # fmt: skip
def test_a_study_of_wrong_types_is_corrupt(tmp_path: Path, changes: dict[str, Any]) -> None:
    folder = tmp_path / "toy"
    folder.mkdir()
    write_json(folder / "study.json", STUDY)
    known = read_study(folder)
    assert known
    assert known.plain() == STUDY
    write_json(folder / "study.json", STUDY | changes)
    assert read_study(folder) is None


def test_models_that_are_alike_are_traced_once_and_only_so_many_are(
    tmp_path: Path, digits: Dataset, settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch keeps what it has traced as long as the process lives."""
    traced: list[torch.nn.Module] = []

    def trace(model: torch.nn.Module, _: object) -> str:
        traced.append(model)
        return "a graph"

    monkeypatch.setattr("runner.logs._writer._graphs", {})
    monkeypatch.setattr("runner.logs._writer._MOST_GRAPHS", 2)
    monkeypatch.setattr("runner.logs._writer._traced", trace)
    models: list[dict[str, Any]] = [{"lr": 0.1}, {"lr": 0.2}, {"hidden": (8,)}, {"lr": 0.3}, {"hidden": (9,)}]
    for number, changes in enumerate(models):
        own = settings(**changes)
        network = build(own, (1, 8, 8), 10, seed=0)
        log = RunLog(tmp_path / str(number), digits, [], roles(network))
        log.begin(own.plain(), {}, {}, "group", network, (1, 8, 8))
        log.close()
    assert len(traced) == 2
