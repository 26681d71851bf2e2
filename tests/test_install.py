"""The package as you install it: the wheel in an environment of its own, used outside of the checkout."""

from __future__ import annotations

import json
import os
import re
import site
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.commands import ROOT
from tests.conftest import BASE

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
STUDY = {"baseline": BASE | {"epochs": 1, "model": "mymodels:net", "hidden": []}, "seeds": 1}
MODEL = """
from torch import nn
def net(shape, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, classes))
"""


def pinned() -> dict[str, str]:
    """Each package of requirements.txt and its version."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = [line.partition("#")[0].strip().split("==") for line in lines if "==" in line.partition("#")[0]]
    return dict(pins)


def test_requirements_and_dependencies_keep_step() -> None:
    bounds = {each.name: each.specifier for each in map(Requirement, PROJECT["project"]["dependencies"])}
    assert bounds.keys() == pinned().keys()
    for name, version in pinned().items():
        assert version in bounds[name], name
        assert [each.operator for each in bounds[name]] == [">="], name  # no bound that would replace your torch


def test_every_package_is_listed() -> None:
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "runner").rglob("*.py")}
    assert {*PROJECT["tool"]["setuptools"]["packages"]} == {*found, "runner.studies"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git would commit."""
    place = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "LICENSE", "runner", "ablations"):
        original = ROOT / name
        files = original.rglob("*") if original.is_dir() else [original]
        for path in (each for each in files if each.is_file() and "__pycache__" not in each.parts):
            copy = place / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return place


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the source, built offline."""
    return built(source, tmp_path_factory.mktemp("wheel"))


def built(source: Path, place: Path) -> Path:
    """Builds the wheel of a source's folder or archive."""
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(place), str(source))
    (wheel,) = place.glob("*.whl")
    return wheel


def pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "-q", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def ablations(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console command of a fresh environment that has the wheel, and sees the packages of this one."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    (packages,) = place.glob("lib/*/site-packages")
    (packages / "below.pth").write_text("\n".join(site.getsitepackages()))
    pip("--python", str(place / "bin" / "python"), "install", "--no-deps", "--no-index", str(wheel))
    return place / "bin" / "ablations"


def call(program: Path, place: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(place), "COLUMNS": "200", **environment}
    command = [str(program), *arguments]
    return subprocess.run(command, cwd=place, env=variables, capture_output=True, text=True, check=False)


def test_the_wheel_has_studies_types_and_the_tab(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    studies = {path.name for path in (ROOT / "ablations").glob("*.py")}
    assert {f"runner/studies/{name}" for name in studies} <= names
    assert {"runner/py.typed", "runner/board/static/index.js"} <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "ablations/"))]
    (points,) = (name for name in names if name.endswith("entry_points.txt"))
    text = zipfile.ZipFile(wheel).read(points).decode()
    assert re.search(r"tensorboard_plugins\]\s+ablations = runner\.board:Loader", text)


@pytest.mark.slow
def test_the_source_archive_installs_the_same_files(source: Path, wheel: Path, tmp_path: Path) -> None:
    """As `python -m build` makes it: of one archive come the studies, the tab's files and the license too."""
    make = "import sys; from setuptools import build_meta; print(build_meta.build_sdist(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", make, str(tmp_path)], cwd=source, check=True, capture_output=True)
    (archive,) = tmp_path.glob("ablations-*.tar.gz")
    found = [zipfile.ZipFile(each).infolist() for each in (built(archive, tmp_path), wheel)]
    from_archive, from_source = ({each.filename: each.CRC for each in files} for files in found)
    assert from_archive == from_source
    assert [name for name in from_archive if name.endswith("licenses/LICENSE")]


def test_list_says_where_each_study_is(ablations: Path, tmp_path: Path) -> None:
    assert call(ablations, tmp_path, "new", "mlp").returncode == 0
    said = call(ablations, tmp_path, "list").stdout
    yours, _, shipped = said.partition("\n\n")
    assert yours.splitlines()[0] == "in ablations/:"
    assert yours.splitlines()[1].split()[0] == "mlp"
    (place,) = re.findall(r"in (/\S+):", shipped.splitlines()[0])
    assert Path(place, "mlp.py").is_file()
    assert re.search(r"^  mlp +\(ablations/ has another\)$", shipped, re.M)


@pytest.mark.slow
def test_a_study_of_your_own_trains_beside_your_own_runner(ablations: Path, tmp_path: Path) -> None:
    (tmp_path / "runner.py").write_text("open('imported', 'w')\ndef net(shape, classes): ...")
    (tmp_path / "mymodels.py").write_text(MODEL)
    (tmp_path / "ablations").mkdir()
    (tmp_path / "ablations" / "own.py").write_text(f"STUDY = {STUDY!r}")
    result = call(ablations, tmp_path, "run", "own", "--workers", "1")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "ablations board" in result.stdout
    assert not (tmp_path / "imported").exists()  # neither here nor in a worker
    study = json.loads((tmp_path / "runs" / "own-digits" / "study.json").read_text())
    assert study["command"] == "ablations run own"
    (run,) = tmp_path.glob("runs/own-digits/*/seed0/run.json")
    assert json.loads(run.read_text())["provenance"]["commit"] is None
    assert call(ablations, tmp_path, "report", "own-digits").returncode == 0
    result = call(ablations, tmp_path, "run", "own", "--set", "model=runner:net")
    assert result.returncode == 2
    assert str(tmp_path / "runner.py") in result.stderr


@pytest.mark.slow
def test_a_bundled_study_runs_anywhere_and_on_an_ascii_terminal(ablations: Path, tmp_path: Path) -> None:
    options = ["--dataset=digits", "--seeds=2", "--variants=batchnorm", "--set=epochs=1", "--workers=1", "--runs=~/r"]
    result = call(ablations, tmp_path, "run", "mlp", *options, PYTHONUTF8="0", LC_ALL="C", TERM="dumb")
    assert result.returncode == 0, result.stderr
    assert "+-" in result.stdout
    assert result.stdout.isascii()
    study = json.loads((tmp_path / "r" / "mlp-digits+epochs=1" / "study.json").read_text())
    assert study["file"] == "runner/studies/mlp.py"
    assert call(ablations, tmp_path, "prune", "--runs=~/r", "--yes").stdout.startswith("there is nothing to remove")


def test_an_editable_installation_has_the_studies_of_the_checkout() -> None:
    from runner.spec import bundled

    assert bundled() == ROOT / "ablations"
    assert "mlp" in {path.stem for path in bundled().glob("*.py")}


@pytest.mark.slow
def test_a_new_study_runs_as_it_is(ablations: Path, tmp_path: Path) -> None:
    assert call(ablations, tmp_path, "new", "mystudy").returncode == 0
    before = (tmp_path / "ablations" / "mystudy.py").read_text()
    assert call(ablations, tmp_path, "new", "mystudy").returncode == 2
    assert (tmp_path / "ablations" / "mystudy.py").read_text() == before
    result = call(ablations, tmp_path, "run", "mystudy", "--seeds=1", "--set=epochs=1", "--workers=1")
    assert result.returncode == 0, result.stderr
    assert len(list(tmp_path.glob("runs/mystudy-mnist5k*/*/seed0/result.json"))) == 4
    assert os.listdir(tmp_path / "ablations") == ["mystudy.py"]  # noqa: PTH208
