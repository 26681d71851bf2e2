"""Runs of another code, other data or other versions: said, and never in one table with the present ones."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from runner.data import prepare
from runner.execute import Job, Message
from runner.execute._job import train_job
from runner.execute._messages import Command
from runner.expand import Run, Variant
from runner.publish import write_all, write_report
from runner.report import remarks
from runner.report._makers import spent
from runner.report.search import read_search
from runner.search.records import read_record
from runner.spec import Settings
from runner.store import (
    MEAN_SCALARS,
    SEEDS_TAG,
    Provenance,
    RunDir,
    RunJson,
    comparable,
    forget_own_code,
    mean_tag,
    processors,
    what_changed,
)
from runner.store import _provenance as provenance
from runner.train import Interrupted
from runner.verdicts import effects_table, gather
from tests.commands import run
from tests.conftest import BASE
from tests.reports import ACCURACY, cells, write_runs
from tests.searches import make
from tests.studies import edit

STUDY: dict[str, Any] = {"baseline": BASE | {"epochs": 1}, "variants": {"b": {"dropout": 0.5}}, "seeds": 1}
NOW = provenance.present_provenance("cpu").having(data="d")


def identities(*runs: Mapping[str, Any]) -> list[RunJson]:
    """run.json's, one after the other: `data`, `code` and settings as given."""
    found = []
    for number, each in enumerate(runs):
        settings = {"dataset": "folder:/a/pets", **each.get("settings", {})}
        made = NOW.having(
            **{key: each[key] for key in ("data", "code", "versions", "device", "processor", "model") if key in each}
        )
        started = number * 10.0
        ended = started + each.get("long", 5)
        found.append(
            RunJson(seed=0, status="finished", settings=settings, provenance=made, started=started, ended=ended)
        )
    return found


def own(model: str, made: str | None = None) -> dict[str, Any]:
    """A run of your own model, `made` the state of its module."""
    return {"settings": {"model": model}} | ({"model": made} if made else {})


def counted(*runs: Mapping[str, Any]) -> list[int]:
    return [number for number, counts in enumerate(comparable(identities(*runs))) if counts]


ONE_SEED = [*(mean_tag(scalar) for scalar in MEAN_SCALARS), SEEDS_TAG]
OLD = {"code": "old"}
SMALL = {"settings": {"image_size": 8}, "data": "small"}


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], []),
        ([{}, {}], [0, 1]),
        ([OLD, OLD], [0, 1]),  # an older state's table is a table
        ([OLD, OLD, {}], [2]),  # but one present run is never mixed with them
        ([{}, OLD], [0]),
        ([OLD, {"code": "older"}, OLD], [0, 2]),  # none is present: the newest run's state
        ([{"versions": {"torch": "1"}}, {}], [1]),
        ([{"device": "cuda"}, {}], [1]),
        ([{"processor": "another"}, {}], [0, 1]),  # it rounds otherwise, which is chance and no other code
        ([{"data": "d1"}, {"data": "d2"}, {"data": "d2"}], [1, 2]),
        ([{"data": "d1"}, {"data": "d2"}, {"data": "d1"}], [0, 2]),  # they were put back
        ([{"data": "d1"}, {"data": "d2", "settings": {"dataset": "folder:/b/pets"}}], [1]),  # another folder
        ([{"data": "d1"}, {"data": "d2", "settings": {"background": "white"}}], [1]),  # older runs have no such key
        ([{"data": "d1"}, {"data": "d2", "settings": {"background": "black"}}], [0, 1]),  # other pixels by a setting
        ([{}, SMALL, {}], [0, 1, 2]),  # another size is a setting, not other data
        ([{"data": "d1"}, SMALL, {"data": "d1"}, {"data": "d2"}], [3]),  # small ones of before: of the changed images
        ([{"data": "d1"}, {"data": "d2"}, SMALL], [1, 2]),
        ([own("own:net", "a"), own("own:net", "a"), own("own:net", "b")], [2]),  # own.py was edited
        ([own("own:net"), own("own:net", "b")], [1]),  # made before runs knew what their model's module did
        ([own("own:net", "a"), own("own:other", "b")], [1]),  # one module: both are in it
        ([own("mlp"), own("own:net", "a"), own("its:net", "b")], [0, 1, 2]),  # another module is no edit
    ],
)  # fmt: skip
def test_a_table_has_the_runs_of_one_state(runs: list[dict[str, Any]], expected: list[int]) -> None:
    assert counted(*runs) == expected


@given(st.lists(st.fixed_dictionaries({"code": st.sampled_from("abc"), "data": st.sampled_from("xyz")}), max_size=8))
def test_no_two_that_count_differ_and_some_always_count(runs: list[dict[str, str]]) -> None:
    kept = [(runs[number]["code"], runs[number]["data"]) for number in counted(*runs)]
    assert len(set(kept)) == (1 if runs else 0)


def test_a_run_keeps_the_processors_that_made_it() -> None:
    one, other = Provenance(processor="A, fast"), Provenance(processor="B")
    assert processors([one.resuming(Provenance())]) == ["A, fast"]
    assert other.resuming(one) == Provenance(processor="A, fast, then B")
    assert one.resuming(other.resuming(one)) == other.resuming(one)
    assert processors([other, other.resuming(one), Provenance()]) == ["B", "A, fast"]


def test_a_report_warns_of_runs_that_different_processors_made(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs" / "toy", ACCURACY)
    folder = tmp_path / "runs" / "toy"
    for path in folder.glob("*/seed*"):
        edit(path, 100.0, processor="one")
    same = remarks(gather(folder))
    edit(next(folder.glob("*/seed2")), 100.0, processor="another")
    (warning,) = set(remarks(gather(folder))) - set(same)
    assert "another" in warning


def test_a_report_skips_what_other_code_or_data_made_and_says_how_many(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs" / "toy", ACCURACY)
    for number, path in enumerate(sorted(tmp_path.glob("runs/toy/*/seed*"))):
        made: dict[str, Any] = {"data": "later"} if path.name == "seed2" else {}
        edit(path, 100.0 + number if made else number + 2.0, **made)
    data = gather(tmp_path / "runs" / "toy")
    assert set(data.runs["seed"]) == {2}
    assert effects_table(data).row("better", "val/accuracy").mean.estimate == ACCURACY["better"][2]
    text = io.StringIO()
    write_all(tmp_path / "runs", ["toy"], tmp_path / "reports", Console(file=text, width=300))
    page = (tmp_path / "reports" / "toy" / "summary.md").read_text()
    assert len(data.not_counted) == 8
    for said in (page, text.getvalue()):
        assert "8 runs" in said
        assert "make prune" in said
    assert page.index("8 runs") < page.index("## Results")


def test_a_report_without_its_baseline_is_still_a_page(tmp_path: Path) -> None:
    write_runs(tmp_path / "toy", ACCURACY)
    for path in tmp_path.glob("toy/better-*/seed*"):
        edit(path, 100.0, code="other")
    write_report(tmp_path / "toy", tmp_path / "reports" / "toy")
    page = (tmp_path / "reports" / "toy" / "summary.md").read_text()
    assert cells(page, "better")[0] == "3"
    assert len(gather(tmp_path / "toy").not_counted) == 9
    assert "9 runs" in page


@pytest.fixture
def other_code(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As after an edit of the code that decides the numbers."""
    provenance.present_provenance.cache_clear()
    monkeypatch.setattr(provenance, "_code", lambda: "edited")
    yield
    provenance.present_provenance.cache_clear()


def test_changed_code_is_named_before_training_and_retrain_reruns(tmp_path: Path, request: Any) -> None:
    _, text = run(STUDY, tmp_path)
    assert "made by other" not in text
    request.getfixturevalue("other_code")
    for options in ({"dry_run": True}, {}):
        _, text = run(STUDY | {"seeds": 2}, tmp_path, **options)
        assert "2 runs that are done were made by other code, data or versions (code was " in text
        assert "is edited" in text
        assert "--retrain reruns them" in text
    study = tmp_path / "runs" / "study-digits"
    assert set(gather(study).runs["seed"]) == {1}
    for mean in study.glob("*/mean"):
        assert EventAccumulator(str(mean)).Reload().Tags()["scalars"] == ONE_SEED  # not a mean of two states
    run(STUDY | {"seeds": 2}, tmp_path, retrain=True)
    data = gather(study)
    assert set(data.runs["seed"]) == {0, 1}
    assert not data.not_counted


def test_changed_data_are_said_before_training(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for part, name, number in itertools.product(("train", "val", "test"), "ab", range(6)):
        folder = tmp_path / "pets" / part / name
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(folder / f"{number}.png")
    study = STUDY | {"baseline": STUDY["baseline"] | {"dataset": f"folder:{tmp_path / 'pets'}", "batch_size": 4}}
    run(study, tmp_path)
    Image.fromarray(np.zeros((8, 8), dtype=np.uint8)).save(tmp_path / "pets" / "train" / "a" / "0.png")
    _, text = run(study, tmp_path)
    assert "all 2 runs are done already" in text
    assert "2 runs that are done were made by other code, data or versions (data was " in text


NET = """
from torch import nn

def net(shape, classes):
    size = shape[0] * shape[1] * shape[2]
    return nn.Sequential(nn.Flatten(), nn.Linear(size, {width}), nn.Linear({width}, classes))
"""


def test_a_model_edited_between_two_commands_is_said_and_never_in_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    own = tmp_path / "ownnet.py"
    own.write_text(NET.format(width=8))
    study = {"baseline": STUDY["baseline"], "variants": {"own": {"model": "ownnet:net"}}, "seeds": 2}
    run(study, tmp_path)
    own.write_text(NET.format(width=8) + "# a remark does nothing\n")
    assert "made by other" not in run(study, tmp_path)[1]
    own.write_text(NET.format(width=16))
    _, text = run(study | {"seeds": 3}, tmp_path)
    assert "2 runs that are done were made by other code, data or versions (model was " in text
    data = gather(tmp_path / "runs" / "study-digits")
    seeds = {name: set(data.finished(name).index) for name in data.variants}
    assert seeds == {"baseline": {0, 1, 2}, "own": {2}}
    assert [made.model is not None for made in data.provenances] == [False] * 3 + [True]  # only where it is your own
    write_report(tmp_path / "runs" / "study-digits", tmp_path / "reports" / "study-digits")
    assert "own model " in (tmp_path / "reports" / "study-digits" / "summary.md").read_text()


def test_an_edited_models_checkpoint_is_not_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("runner.execute._training.CHECKPOINT_SECONDS", 0)
    (tmp_path / "ownmodel.py").write_text(NET.format(width=8))
    settings = Settings.model_validate(BASE | {"model": "ownmodel:net"})
    run = Run("toy", Variant("own", settings, {}), 0)
    job = Job((run,), prepare(settings, Path("data")))

    def begin() -> list[Message]:
        """A worker's first epoch, and then Ctrl-C."""
        said: list[Message] = []
        forget_own_code()  # a process of its own
        with suppress(Interrupted):
            train_job(job, Command(tmp_path, "cpu", Provenance()), said.append, lambda: len(said) > 1)
        return said

    begin()
    assert RunDir(tmp_path / run.folder).checkpoint.exists()
    assert begin()[0].metrics["epoch"] == 1
    (tmp_path / "ownmodel.py").write_text(NET.format(width=8).replace("Flatten()", "Flatten(), nn.Identity()"))
    (first, *_) = begin()
    assert first.metrics["epoch"] == 0
    assert "other code" in first.cause


def test_a_search_chooses_and_reports_among_the_runs_of_one_state(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"baseline": BASE | {"epochs": 1}, "space": {"lr": [1e-3, 1e-2, 0.02, 0.03, 0.04]}}
    make(tmp_path, runs=4, **changes)
    folder = tmp_path / "runs" / "hunt-digits"
    best = read_record(folder).ranked()[0][0]
    edit(tmp_path / "runs" / best.folder, 1.0, code="old")
    record = read_record(folder)
    assert best not in [each for each, _ in record.ranked()]
    assert len(read_search(folder).runs) == 3
    write_all(tmp_path / "runs", ["hunt-digits"], tmp_path / "reports", Console(quiet=True))
    page = (tmp_path / "reports" / "hunt-digits" / "summary.md").read_text()
    assert record.counted()[1] == [best]
    assert re.search("^> 1 run .*make prune", page, re.M)
    _, text = make(tmp_path, runs=5, **changes)
    assert "made by other" in text


def test_what_changed_is_named() -> None:
    then = NOW.having(versions={"torch": "1", "numpy": "2"}, code="a", commit="x")
    now = NOW.having(versions={"torch": "3", "numpy": "2"}, code="b", commit="y")
    assert what_changed(then, now) == ["code was a, is b", "torch was 1, is 3"]
    assert what_changed(Provenance(), Provenance()) == []


def test_when_runs_ended_is_a_day_or_two() -> None:
    runs = pd.DataFrame({"ended": ["2026-11-25T03:00:00+00:00", "", "2026-11-24T22:00:00+00:00"], "seconds": [1, 2, 3]})
    assert re.findall(r"\d+-\d+-\d+", spent(runs)) == ["2026-11-24", "2026-11-25"]
    assert re.findall(r"\d+-\d+-\d+", spent(runs.assign(ended=""))) == []
    assert "6 s" in spent(runs)
