"""Workers on a real Ray cluster of two nodes: every number is that of local workers, whatever is lost."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from runner.execute import Job, Request, execute
from runner.execute._engine import Gone
from runner.execute._policy import Crew
from runner.search import SearchOutcome, search
from runner.spec import Kind, RequestError
from runner.store import FINISHED, RunDir, present_provenance
from tests.cluster import Cluster, cluster, free_port, needs_ray
from tests.commands import ROOT, event_steps, numbers, wait_for
from tests.conftest import BASE
from tests.searches import write_search

needs_ray()
pytestmark = pytest.mark.slow

# Your own code, which no node has. A worker that imports it saves a checkpoint after each epoch.
MODULE = """
import json, multiprocessing, os, signal, time
import torch
import runner.execute._training as training

if multiprocessing.parent_process():
    training.CHECKPOINT_SECONDS = 0

class Slow(torch.nn.Module):
    def __init__(self, inputs, classes):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(inputs, 8), torch.nn.Dropout(),
                                          torch.nn.Linear(8, classes))
    def forward(self, images):
        if self.training:
            time.sleep(0.02)
        return self.layers(images)

def slow(shape, classes):
    return Slow(shape[0] * shape[1] * shape[2], classes)

def train(settings, run):
    done = json.loads(run.checkpoint.read_text()) if run.checkpoint.exists() else 0
    for step in range(done, 5):
        run.log(step, {"score": settings["gain"] * step + run.seed})
        run.checkpoint.write_text(json.dumps(step + 1))
        if settings["dies"] and step == 2 and not (run.folder / "died").exists():
            (run.folder / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
"""
SCRIPT = """
import csv, pathlib, sys
gain, seed, folder = float(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
with open(folder / "metrics.csv", "w", newline="") as file:
    csv.writer(file).writerows([["step", "score"], *([step, gain * step + seed] for step in range(3))])
"""
EPOCHS = 16
STEPS = list(range(1, EPOCHS + 1))
OWN: dict[str, Any] = {
    "metrics": {"score": "more"}, "baseline": {"gain": 0.5, "dies": False}, "variants": {"high": {"gain": 1.0}},
    "seeds": 1,
}  # fmt: skip
STUDIES: dict[str, dict[str, Any]] = {
    "ours": {
        "baseline": BASE,
        "variants": {"both": {"batch_norm": True, "dropout": 0.5}, "flipped": {"augment": ["HorizontalFlip"]}},
        "seeds": 2,
    },
    "function": OWN | {"train": "mine:train", "variants": {"dying": {"dies": True}}},
    "command": OWN
    | {"baseline": {"gain": 0.5}, "command": [sys.executable, "script.py", "{gain}", "{seed}", "{folder}"]},
    "slow": {"baseline": BASE | {"model": "mine:slow", "hidden": [], "epochs": EPOCHS}, "seeds": 2},
}


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture
def project(tmp_path: Path, nodes: Cluster, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a person with studies and code of their own, who has the cluster's token."""
    (tmp_path / "ablations").mkdir()
    for name, study in STUDIES.items():
        (tmp_path / "ablations" / f"{name}.py").write_text(f"STUDY = {study!r}")
    (tmp_path / "mine.py").write_text(MODULE)
    (tmp_path / "script.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    for key in [key for key in os.environ if key.startswith("RAY_")]:
        monkeypatch.delenv(key)
    for key, value in nodes.environment.items():
        if key.startswith("RAY_"):
            monkeypatch.setenv(key, value)
    return tmp_path


def train(place: Path, *studies: str, **options: Any) -> int:
    """Trains studies in this process; how many runs failed."""
    request = Request(studies, runs=place / "runs", reports=place / "reports", **options)
    return execute(request, Console(file=io.StringIO())).failed


@pytest.fixture(scope="module")
def wholes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole")


@pytest.fixture
def whole(project: Path, wholes: Path) -> Path:
    """The slow study as local workers train it, without a disturbance; once for the module."""
    if not list(wholes.iterdir()):
        assert train(wholes, "slow", workers=2) == 0
    return wholes


def rows(place: Path) -> dict[str, list[str]]:
    """The lines of each metrics.csv. Their times tell one training from another."""
    return {path.parent.name: path.read_text().splitlines() for path in place.glob("runs/*/*/seed*/metrics.csv")}


def resumed(before: dict[str, list[str]], after: dict[str, list[str]]) -> bool:
    """Whether all epochs but the last one that had been seen are those of the first training."""
    return all(after[run][: len(lines) - 1] == lines[: len(lines) - 1] for run, lines in before.items())


def test_runs_on_a_cluster_are_those_of_local_workers(project: Path, nodes: Cluster) -> None:
    studies = ["ours", "function", "command"]
    assert train(project / "ray", *studies, executor="ray", address=nodes.address) == 0
    assert train(project / "local", *studies, workers=2) == 0
    found = numbers(project / "ray")
    assert len(found) == 10
    assert found == numbers(project / "local")
    for folder in project.glob("ray/runs/*/*/seed*"):
        made = [RunDir(each).run_json() for each in (folder, project / "local" / folder.relative_to(project / "ray"))]
        assert all(made)
        assert len({repr(each.provenance) for each in made if each}) == 1  # code, versions, processor: all of it
    for folder in project.glob("ray/runs/ours-digits/*/seed*"):
        assert event_steps(folder) == ([1, 2, 3], [1, 2, 3])
        assert RunDir(folder).status() == FINISHED
    assert len(list(project.glob("ray/runs/function/dying-*/seed0/own/died"))) == 1
    left = [path for node in nodes.nodes for path in node.place.glob("tmp/ablations-*/worker-*/runs/*")]
    assert left == []


def test_a_lost_node_blames_no_run_and_costs_what_came_after_the_last_checkpoint(
    project: Path, nodes: Cluster, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, seen, blameless = project / "ray", dict[str, list[str]](), list[bool]()
    bury = Crew._bury

    def noted(crew: Crew, worker: Any, gone: Gone, *more: Any) -> list[Job]:
        blameless.append(gone.blameless)
        return bury(crew, worker, gone, *more)

    def kill() -> None:
        wait_for(lambda: len(rows(place)) == 2 and min(map(len, rows(place).values())) > 4)
        seen.update(rows(place))
        nodes.nodes.pop().kill()

    monkeypatch.setattr(Crew, "_bury", noted)
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        assert train(place, "slow", executor="ray", address=nodes.address) == 0
    finally:
        killer.join()
        nodes.add()
    assert blameless == [True]
    assert resumed(seen, rows(place))
    assert numbers(place) == numbers(whole)
    for folder in place.glob("runs/*/*/seed*"):
        assert event_steps(folder) == (STEPS, STEPS)


def test_ctrl_c_leaves_checkpoints_here_and_local_workers_resume(project: Path, nodes: Cluster, whole: Path) -> None:
    command = [sys.executable, "-m", "runner", "run", "slow", "--executor", "ray", "--address", nodes.address]
    process = subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    wait_for(lambda: len(rows(project)) == 2 and min(map(len, rows(project).values())) > 4, process)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert len(list(project.glob("runs/*/*/seed*/checkpoint.pt"))) == 2
    seen = rows(project)
    assert train(project, "slow", workers=2) == 0
    assert all(rows(project)[run][: len(lines)] == lines for run, lines in seen.items())
    assert numbers(project) == numbers(whole)


def hunt(place: Path, **options: Any) -> SearchOutcome:
    """Carries out a small search with one worker, so that its suggestions come in one order."""
    (place / "ablations").mkdir(parents=True, exist_ok=True)
    space, claim = {"lr": {"log_uniform": [1e-4, 1e-1]}}, {"lr": 0.01}
    file = write_search(place, runs=4, fresh_seeds=2, space=space, claim=claim)
    request = Request((str(file),), workers=1, runs=place / "runs", reports=place / "reports", **options)
    return search(request, Console(file=io.StringIO()))


def test_a_search_on_a_cluster_is_that_of_a_local_worker(project: Path, nodes: Cluster) -> None:
    found = hunt(project, executor="ray", address=nodes.address)
    assert found == hunt(project / "local")
    assert found.winners
    assert numbers(project) == numbers(project / "local")


def refused(**options: Any) -> set[Kind]:
    with pytest.raises(RequestError) as refusal:
        train(Path(), "ours", executor="ray", **options)
    assert not refusal.value.after_start
    assert not Path("runs").exists()
    return refusal.value.kinds


def test_a_cluster_that_is_not_there_is_refused(project: Path) -> None:
    assert refused(address=f"127.0.0.1:{free_port()}") == {Kind.MACHINE}
    assert refused(address="10.0.0.1", device="cuda:1") == {Kind.VALUE}


def test_a_token_file_is_enough(project: Path, nodes: Cluster) -> None:
    (project / ".ray").mkdir()
    (project / ".ray" / "auth_token").write_text(nodes.environment["RAY_AUTH_TOKEN"])
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    command = [sys.executable, "-m", "runner", "run", "ours", "--executor", "ray", "--address", nodes.address]
    result = subprocess.run(
        [*command, "--dry-run"], env=environment | {"PYTHONPATH": str(ROOT), "HOME": str(project)},
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


def test_without_the_token_a_command_ends_with_status_2(project: Path, nodes: Cluster) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    command = [sys.executable, "-m", "runner", "run", "ours", "--executor", "ray", "--address", nodes.address]
    result = subprocess.run(
        command, env=environment | {"PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "token", "HOME": str(project)},
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert result.returncode == 2, result.stderr
    assert "auth_token" in result.stderr
    assert "Traceback" not in result.stderr
    assert not Path("runs").exists()


def test_a_gpu_that_no_node_has_is_refused(project: Path, nodes: Cluster) -> None:
    assert refused(address=nodes.address, device="cuda") == {Kind.MACHINE}


def test_a_node_with_other_versions_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from runner.execute.cluster._nodes import refuse_others  # Ray reads its variables when it is imported

    monkeypatch.setattr("runner.execute.cluster._nodes.name_of", lambda node: node)
    here = present_provenance("cpu")
    refuse_others({"a": here.having(processor="another")}, here)
    with pytest.raises(RequestError) as refusal:
        refuse_others({"a": here, "b": here.having(versions=here.versions | {"torch": "1.0"})}, here)
    assert [problem.where for problem in refusal.value.problems] == ["b"]
