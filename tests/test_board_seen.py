"""Links to pictures of own training: only where TensorBoard has some, and the runner's own runs keep theirs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import numpy as np
import pytest
from torch.utils.tensorboard import SummaryWriter
from werkzeug.test import Client

from runner.board import Loader
from runner.board._library import Library
from runner.links import links, run_names
from tests import tab
from tests.foreign import provider_of, write
from tests.own import plant_own

IMAGE = "own/deep-0/seed0"
HISTOGRAM = "own/wide-0/seed1/own/logs"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A study with own training: one run has an image, another one's own folder a histogram, all have scalars."""
    plant_own(tmp_path / "own")
    for path in tmp_path.glob("own/*/seed*"):
        write(path, {"val/f1": [0.1, 0.2]})
    return tmp_path


def add_pictures(runs: Path) -> None:
    with SummaryWriter(str(runs / IMAGE)) as writer:
        writer.add_image("mistakes", np.zeros((3, 4, 4), np.uint8), 0)
    with SummaryWriter(str(runs / HISTOGRAM)) as writer:
        writer.add_histogram("weights", np.arange(5.0), 0)


def ask(runs: Path, route: str) -> dict[str, list[list[str]]]:
    plugin = Loader().load(SimpleNamespace(logdir=str(runs), data_provider=provider_of(runs)))
    assert plugin
    response = Client(plugin.get_plugin_apps()[f"/{route}"]).get(f"/data/plugin/ablations/{route}?study=own")
    content = json.loads(response.get_data())
    if route == "links":
        return {"all": content}
    if route == "progress":
        return {"pictured": [list(each) for each in content["pictured"].items()]}
    return {variant["name"]: variant["links"] for variant in content["variants"]}


def pages(found: list[list[str]]) -> list[str]:
    return [re.split("[#&]", fragment.rpartition("#")[2])[0] for _, fragment in found]


def ticked(found: list[list[str]], page: str, runs: Path) -> list[str]:
    """The runs that a page's link shows."""
    (fragment,) = (fragment for _, fragment in found if fragment.startswith(f"#{page}"))
    pattern = unquote(fragment.partition("regexInput=")[2])
    return [name for name in run_names(runs) if re.search(pattern, name)]


def test_own_training_without_pictures_has_no_links_to_them(runs: Path) -> None:
    found = ask(runs, "overview")
    assert {*found} == {"baseline", "deep", "wide"}
    assert {tuple(pages(each)) for each in found.values()} == {("timeseries", "scalars")}
    assert not {"images", "histograms", "pr_curves"} & {*pages(ask(runs, "links")["all"])}
    assert ask(runs, "progress") == {"pictured": []}


def test_links_lead_to_the_pictures_that_own_training_has_written(runs: Path) -> None:
    add_pictures(runs)
    found = ask(runs, "overview")
    assert pages(found["deep"]) == ["timeseries", "scalars", "images"]
    assert pages(found["wide"]) == ["timeseries", "scalars", "histograms"]
    assert pages(found["baseline"]) == ["timeseries", "scalars"]
    assert IMAGE in ticked(found["deep"], "images", runs)
    every = ask(runs, "links")["all"]
    assert ticked(every, "images", runs) == [IMAGE]
    assert ticked(every, "histograms", runs) == [HISTOGRAM]
    assert "pr_curves" not in pages(every)
    assert ask(runs, "progress") == {"pictured": [["images", 1], ["histograms", 1]]}


def test_the_runners_own_studies_keep_their_links(runs: Path) -> None:
    tab.plant(runs / "ours", 2)
    for path in runs.glob("ours/*/seed*"):
        write(path, {"val/loss": [0.1]})
    add_pictures(runs)
    every = ask(runs, "links")["all"]
    assert [page for page in pages(every) if page in ("images", "histograms", "pr_curves")] == [
        "images", "histograms", "pr_curves", "images", "histograms",
    ]  # fmt: skip
    best = next(fragment for _, fragment in every if fragment.startswith("#images"))
    pattern = unquote(best.partition("regexInput=")[2])
    shown = [name for name in run_names(runs) if re.search(pattern, name)]
    assert shown == [name for name in run_names(runs) if re.fullmatch("ours/.*/seed0", name)]


def test_before_tensorboard_has_read_anything_no_pictures_of_own_training_are_linked(runs: Path) -> None:
    add_pictures(runs)
    assert Library(runs).own() == ["own/"]
    assert Library(runs / "own").own() == [""]
    fragments = [link.fragment for link in links(run_names(runs), Library(runs).own())]
    assert not [each for each in fragments if re.match("#(images|histograms|pr_curves)", each)]
