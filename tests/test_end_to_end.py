"""A tiny study on real images, then the real TensorBoard on loopback: every dashboard, read over HTTP."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from rich.console import Console

from runner.execute import Request, execute
from runner.logs import write_evaluation
from runner.store import EPOCH_SCALARS, HPARAM_METRICS, mean_tag
from tests.boards import SESSIONS, Get, tensorboard
from tests.conftest import BASE

STUDY: dict[str, Any] = {
    "baseline": BASE | {"epochs": 4},
    "variants": {
        "both": {"batch_norm": True, "dropout": 0.5},
        "augmented": {"augment": [{"Affine": {"rotate": [-10, 10]}}]},
        "late": {"model": "tests.fakes:late", "model_args": {"what": "raise"}},
    },
    "seeds": 2,
}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Get]:
    """A function that reads a path below data/ of a TensorBoard over the study's runs."""
    place = tmp_path_factory.mktemp("board")
    execute(Request((STUDY,), runs=place / "runs", reports=place / "reports"), Console(quiet=True))
    Image.new("RGB", (40, 30)).save(place / "figure.png")
    for _ in range(2):
        evaluated = next(place.glob("runs/*/both-*/seed0"))
        write_evaluation(evaluated, {"figure": place / "figure.png"}, {"table": "| a |"}, step=2)
    with tensorboard(place / "runs", runs=12) as get:  # 8 seeds, 3 means, the root
        yield get


def runs_of(get: Get, variant: str) -> list[str]:
    return sorted(name for name in get("runs") if f"/{variant}-" in name and "/seed" in name)


def test_every_scalar_of_every_epoch(board: Get) -> None:
    tags = board("plugin/scalars/tags")
    for run in runs_of(board, "both"):
        assert set(EPOCH_SCALARS) | set(HPARAM_METRICS) <= set(tags[run])
        points = board("plugin/scalars/scalars", tag="val/loss", run=run)
        assert [step for _, step, _ in points] == [1, 2, 3, 4]
    (mean,) = [name for name in board("runs") if "/both-" in name and name.endswith("/mean")]
    values = {
        bound: [value for *_, value in board("plugin/scalars/scalars", tag=mean_tag("val/loss", bound), run=mean)]
        for bound in ("lower", "", "upper")
    }
    assert all(
        low < value < high for low, value, high in zip(values["lower"], values[""], values["upper"], strict=True)
    )


def test_histograms_of_weights_and_gradients(board: Get) -> None:
    (run, _) = runs_of(board, "both")
    tags = board("plugin/histograms/tags")[run]
    layers = {"hidden1", "hidden1_bias", "hidden1_norm", "output"}
    assert {f"{group}/{layer}" for group in ("weights", "weights-gradients") for layer in layers} <= set(tags)
    assert len(board("plugin/histograms/histograms", tag="weights/hidden1", run=run)) == 4
    other = board("plugin/histograms/tags")[runs_of(board, "augmented")[0]]
    assert {"weights/hidden1", "weights/output"} <= set(other)


@pytest.mark.parametrize(
    "tag",
    [
        "augmented", "val_samples", "val_confusion_matrix", "first_layer", "best_misclassified",
        "best_test_confusion_matrix",
    ],
)  # fmt: skip
def test_every_picture_is_a_png(board: Get, tag: str) -> None:
    run = runs_of(board, "augmented")[0]
    entries = board("plugin/images/images", tag=f"pictures/{tag}", run=run, sample=0)
    data = board(f"plugin/images/individualImage?{entries[-1]['query']}", raw=True)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        assert min(image.size) > 30


def test_text_gives_settings_and_the_difference_from_the_baseline(board: Get) -> None:
    run = runs_of(board, "both")[0]
    settings = board("plugin/text/text", run=run, tag="settings/text_summary")[0]["text"]
    assert "<td>lr</td>" in settings
    changes = board("plugin/text/text", run=run, tag="changes/text_summary")[0]["text"]
    assert "batch_norm" in changes
    assert "<td>lr</td>" not in changes
    failed = runs_of(board, "late")[0]
    assert "out of ideas" in board("plugin/text/text", run=failed, tag="failure/text_summary")[0]["text"]


def test_hparams_have_all_columns_groups_of_seeds_and_statuses(board: Get) -> None:
    experiment = board("plugin/hparams/experiment", {})
    columns = [info["name"] for info in experiment["hparamInfos"]]
    assert set(BASE) | {"study", "variant", "dropout", "augment", "init"} <= set(columns)
    assert {info["name"]["tag"] for info in experiment["metricInfos"]} == set(HPARAM_METRICS)
    groups = {group["name"]: group for group in board("plugin/hparams/session_groups", SESSIONS)["sessionGroups"]}
    assert len(groups) == 4
    for name, group in groups.items():
        assert re.fullmatch(r"(baseline|both|augmented|late)-\w+ \(study-digits\)", name)
        assert len(group["sessions"]) == 2
        expected = "STATUS_FAILURE" if name.startswith("late-") else "STATUS_SUCCESS"
        assert {session["status"] for session in group["sessions"]} == {expected}
        assert set(columns) == set(group["hparams"])
    both = next(group for name, group in groups.items() if name.startswith("both-"))
    assert both["hparams"]["batch_norm"] is True
    assert both["hparams"]["dropout"] == 0.5
    assert {value["name"]["tag"] for value in both["metricValues"]} >= set(HPARAM_METRICS)


def test_custom_scalars_have_margin_charts_and_train_against_val(board: Get) -> None:
    layout = board("plugin/custom_scalars/layout")
    charts = [chart for category in layout["category"] for chart in category["chart"]]
    margins = [chart["margin"]["series"][0] for chart in charts if "margin" in chart]
    # TensorBoard draws charts with margins in reverse order.
    assert margins[-1] == {
        "value": "1_mean_val/accuracy",
        "lower": "mean_interval/val_accuracy_lower",
        "upper": "mean_interval/val_accuracy_upper",
    }
    (mean,) = [name for name in board("runs") if "/both-" in name and name.endswith("/mean")]
    tags = board("plugin/scalars/tags")[mean]
    for chart in charts:
        if "multiline" in chart:
            for pattern in chart["multiline"]["tag"]:
                assert [tag for tag in tags if re.match(pattern, tag)]


def test_the_best_epochs_values_pictures_and_curves_are_at_its_step(board: Get) -> None:
    for run in runs_of(board, "both"):
        best = board("plugin/scalars/scalars", tag="z_final/best_epoch", run=run)[0][2]
        for tag in HPARAM_METRICS:
            assert [step for _, step, _ in board("plugin/scalars/scalars", tag=tag, run=run)] == [best]
        images = board("plugin/images/images", tag="pictures/best_test_confusion_matrix", run=run, sample=0)
        curves = board("plugin/pr_curves/pr_curves", tag="best/all", run=run)[run]
        assert [entry["step"] for entry in (*images, *curves)] == [best, best]


def test_pr_curves_and_graphs(board: Get) -> None:
    run = runs_of(board, "both")[0]
    assert board("plugin/pr_curves/pr_curves", tag="best/3", run=run)[run][0]["precision"]
    assert board("plugin/pr_curves/pr_curves", tag="best/all", run=run)[run][0]["recall"]
    graph = board("plugin/graphs/graph", run=run, conceptual="false", raw=True).decode()
    assert "BatchNorm1d" in graph


def test_an_evaluation_stands_in_its_run_once(board: Get) -> None:
    run = runs_of(board, "both")[0]
    (entry,) = board("plugin/images/images", tag="evaluate/figure", run=run, sample=0)
    data = board(f"plugin/images/individualImage?{entry['query']}", raw=True)
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (40, 30)
    assert len(board("plugin/text/text", run=run, tag="evaluate/table/text_summary")) == 1
    assert len(board("plugin/scalars/scalars", tag="val/loss", run=run)) == 4


def test_event_files_stay_small(board: Get, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = next(path for path in tmp_path_factory.getbasetemp().glob("board*"))
    sizes = [path.stat().st_size for path in place.glob("runs/*/*/seed*/events*")]
    assert max(sizes) < 1_000_000
