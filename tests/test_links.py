"""Links show charts: they filter runs that TensorBoard then ticks, and pin tags that runs have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from runner.links import MOST_ELSEWHERE, links, run_names
from runner.store import EPOCH_SCALARS, MEAN_SCALARS, mean_tag

TAGS = {*EPOCH_SCALARS, *map(mean_tag, MEAN_SCALARS)}


def names(variants: int, seeds: int, mean: bool = True, first: int = 0) -> list[str]:
    runs = ["."]
    for variant in range(variants):
        folder = f"study-digits/lr={variant}.5+a-{variant:08x}"
        runs += [f"{folder}/seed{seed}" for seed in range(first, first + seeds)] + [f"{folder}/mean"] * mean
    return runs


def ticked(fragment: str, runs: list[str]) -> list[str]:
    """The runs that TensorBoard ticks for a link; all of them where it has no filter."""
    if "#timeseries" in fragment:
        pattern = parse_qs(urlsplit(fragment).query)["runFilter"][0]
        return [name for name in runs if re.search(pattern, name)] if len(runs) <= 500 else []
    if "regexInput=" not in fragment:
        return runs
    found = [name for name in runs if re.search(unquote(fragment.partition("regexInput=")[2]), name)]
    return found if len(found) <= MOST_ELSEWHERE else []


@pytest.mark.parametrize("mean", [True, False])
@pytest.mark.parametrize(("variants", "seeds"), [(1, 1), (10, 3), (40, 5), (41, 3), (100, 9), (1000, 1)])
def test_every_link_ticks_runs(variants: int, seeds: int, mean: bool) -> None:
    runs = names(variants, seeds, mean, first=5)
    found = links(runs)
    assert all(ticked(link.fragment, runs) for link in found)
    pages = {re.split("[#&]", link.fragment.rpartition("#")[2])[0] for link in found}
    curves = {"timeseries"} if len(runs) <= 500 else {"scalars"}
    assert pages == curves | ({"custom_scalars"} if mean else set()) | {
        "images", "histograms", "pr_curves", "hparams", "text",
    }  # fmt: skip
    limited = [link for link in found if "the first 40" in link.shows]
    assert bool(limited) == (variants > MOST_ELSEWHERE and (mean or len(runs) > 500))


def test_the_first_link_shows_the_means_and_the_second_the_seeds_of_each_variant_in_one_color() -> None:
    runs = names(10, 3)
    means, seeds, *_ = (link.fragment for link in links(runs))
    assert ticked(means, runs) == [name for name in runs if name.endswith("/mean")]
    assert len(ticked(seeds, runs)) == 30
    for fragment in (means, seeds):
        query = parse_qs(urlsplit(fragment).query)
        assert {card["tag"] for card in json.loads(query["pinnedCards"][0])} <= TAGS
        pattern = query["runColorGroup"][0].removeprefix("regex:")
        groups = {match[1] for name in runs if (match := re.search(pattern, name))}
        assert len(groups) == 10


def test_without_runs_only_the_answers_are_linked(tmp_path: Path) -> None:
    assert run_names(tmp_path) == []
    assert [link.fragment.split("&")[0] for link in links([])] == ["#text"]


def test_runs_have_the_names_that_tensorboard_gives_them(tmp_path: Path) -> None:
    for name in (".", "toy/baseline-1f/seed0", "toy/baseline-1f/mean"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "events.out.tfevents.1.host.1.0.run").touch()
    (tmp_path / "toy" / "baseline-1f" / "seed1").mkdir()
    assert run_names(tmp_path) == [".", "toy/baseline-1f/mean", "toy/baseline-1f/seed0"]
