"""Commands that find nothing to train: what they say and write, and what they don't import for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.files import read_json
from runner.store import RunDir
from tests.commands import ROOT
from tests.studies import BASE

HEAVY = ("torch", "albumentations")
STUDY: dict[str, Any] = {
    "baseline": BASE | {"epochs": 1, "augment": ["HorizontalFlip"]},
    "variants": {"plain": {"augment": []}, "decay": {"optimizer_args": {"betas": [0.9, 0.9]}}},
    "questions": [{"ask": "q", "compare": ["plain", "baseline"]}],
}
CALL = f"""
import sys
from runner.__main__ import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print("status", end.code)
print("loaded", *(name for name in {HEAVY} if name in sys.modules))
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with a study whose runs are finished."""
    place = tmp_path_factory.mktemp("finished")
    (place / "ablations").mkdir()
    (place / "ablations" / "small.py").write_text(f'"""Small."""\nSTUDY = {STUDY | {"seeds": 1}!r}\n')
    command(place, "run", "small")
    return place


def command(place: Path, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", CALL, *arguments], cwd=place, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("arguments", [("run", "small", "--dry-run"), ("run", "small"), ("report",), ("prune",)])
def test_nothing_heavy_is_imported(finished: Path, arguments: tuple[str, ...]) -> None:
    said = command(finished, *arguments)
    assert said.endswith("loaded\n")
    assert "status 0" in said or arguments[0] == "prune"


def test_it_is_said_and_the_request_is_recorded(finished: Path) -> None:
    path = finished / "runs" / "small-digits" / "study.json"
    path.unlink()
    assert "all 3 runs are done already" in command(finished, "run", "small")
    written = read_json(path)
    assert written
    assert list(written["variants"]) == ["baseline", "plain", "decay"]


def test_a_wrong_device_is_still_refused(finished: Path) -> None:
    assert "status 2" in command(finished, "run", "small", "--device", "tpu")


def test_a_run_that_remains_is_trained_though_the_others_are_done(finished: Path) -> None:
    (folder,) = (finished / "runs" / "small-digits").glob("plain-*/seed0")
    RunDir(folder).forget()
    said = command(finished, "run", "small")
    assert "1 of 3 runs to do" in said
    assert RunDir(folder).status() == "finished"
