"""How far a study's runs are: each state from its files, and how long the rest takes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from runner.board._progress import run_states, seconds_left
from runner.store import RUNNING, RunDir
from tests import tab
from tests.tab import Tab


def start(runs: Path, variant: str, seed: int, epochs: int = 2, quiet: float = 0.0) -> RunDir:
    """A run in training as it leaves its files: an older result is gone, and some epochs are written."""
    run = RunDir(runs / "study" / f"{variant}-0" / f"seed{seed}")
    run.forget()
    known = run.run_json()
    assert known
    run.write_run_json(known.model_copy(update={"status": RUNNING, "cause": ""}))
    table = run.folder / "metrics.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[: epochs + 1]))
    for path in run.folder.iterdir():
        os.utime(path, (time.time() - quiet,) * 2)
    return run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    tab.plant(tmp_path / "runs" / "study", 4, {"baseline": 4, "better": 4, "same": 3, "slow": 2, "lost": 2})
    return tmp_path / "runs"


def progress(runs: Path) -> dict[str, Any]:
    found: dict[str, Any] = Tab(runs).get("progress", "study")
    return found


def test_each_run_counts_by_its_state(runs: Path) -> None:
    start(runs, "baseline", 3)
    start(runs, "better", 3, epochs=4, quiet=3600)
    found = progress(runs)
    assert found["counts"] == {"finished": 12, "training": 1, "interrupted": 1, "waiting": 5, "failed": 1}
    assert found["runs"] == 20
    states = {name: [each["state"] for each in own] for name, own in found["variants"].items()}
    assert states["baseline"] == ["finished"] * 3 + ["training"]
    assert states["lost"] == ["finished", "failed", "waiting", "waiting"]
    running = found["variants"]["baseline"][3]
    assert (running["epoch"], running["epochs"]) == (2, 5)
    assert found["variants"]["lost"][1]["cause"] == "NonFiniteLoss: the loss is nan in epoch 2"


def test_a_sequential_design_plans_its_first_look_and_shows_what_was_added(tmp_path: Path) -> None:
    study = tab.plant(tmp_path / "study", "3..8", {"baseline": 5, "better": 1})
    states = run_states(tmp_path / "study", study)
    assert {name: [each.seed for each in own] for name, own in states.items()} == {
        "baseline": [0, 1, 2, 3, 4], **{key: [0, 1, 2] for key in ("better", "same", "slow", "lost")},
    }  # fmt: skip


def test_seeds_outside_the_plan_and_other_names_are_no_runs(runs: Path) -> None:
    for name in ("seed9", "seed00", "seed-1", "seedx", "seed\u0663"):
        (runs / "study" / "slow-0" / name).mkdir()
    (runs / "study" / "slow-0" / "seed3").touch()
    assert [each["state"] for each in progress(runs)["variants"]["slow"]] == [
        "finished",
        "finished",
        "waiting",
        "waiting",
    ]


def test_an_older_study_has_the_runs_that_are_there(runs: Path) -> None:
    study = tab.study_of(runs / "study").model_copy(update={"seeds": None})
    states = run_states(runs / "study", study)
    assert {name: [each.seed for each in own] for name, own in states.items()} == {
        "baseline": [0, 1, 2, 3], "better": [0, 1, 2, 3], "same": [0, 1, 2], "slow": [0, 1], "lost": [0, 1],
    }  # fmt: skip


def test_seconds_left_follows_the_pace_of_the_finished_runs(tmp_path: Path) -> None:
    tab.plant(tmp_path / "study", 4, {"baseline": 4, "better": 2})
    now = time.time()
    for number, path in enumerate(sorted((tmp_path / "study").glob("*/seed*/result.json"))):
        os.utime(path, (now - 600 + 10 * number,) * 2)
    assert seconds_left(run_states(tmp_path / "study", tab.study_of(tmp_path / "study"))) is None  # none is training
    start(tmp_path, "better", 1, epochs=4)
    states = run_states(tmp_path / "study", tab.study_of(tmp_path / "study"))
    assert seconds_left(states) == pytest.approx((14 + 0.2) * 10)


@pytest.mark.parametrize("name", ["run.json", "metrics.csv", "result.json", "checkpoint.pt", "events.out.tfevents.1"])
@pytest.mark.parametrize("kind", ["pipe", "link", "directory", "huge"])
def test_a_file_that_is_not_plain_is_not_read(runs: Path, tmp_path: Path, name: str, kind: str) -> None:
    run = start(runs, "baseline", 3)
    tab.spoil(run.folder / name, kind, tmp_path / "outside")
    found = progress(runs)
    assert found["runs"] == 20
    assert found["variants"]["baseline"][3]["epoch"] in (0, 2, 5)
    if name == "metrics.csv":
        assert found["variants"]["baseline"][3] | {"when": 0} == {
            "seed": 3, "state": "training", "when": 0, "epoch": 0, "epochs": 5, "cause": "",
        }  # fmt: skip


def test_directories_that_lead_out_of_the_study_are_waiting(runs: Path, tmp_path: Path) -> None:
    for path in (runs / "study" / "baseline-0" / "seed0", runs / "study" / "better-0"):
        path.rename(tmp_path / path.name)
        path.symlink_to(tmp_path / path.name)
    states = {name: [each["state"] for each in own] for name, own in progress(runs)["variants"].items()}
    assert states["baseline"] == ["waiting"] + ["finished"] * 3
    assert states["better"] == ["waiting"] * 4
