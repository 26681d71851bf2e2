"""The command `board` as a real process: its tab is the first one, on this machine only, and Ctrl-C ends it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

import pytest

from runner.board.vendor import LIBRARIES, STATIC
from tests import tab
from tests.commands import ROOT
from tests.tab import strict

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


class Served:
    """A process, its address, and what it printed."""

    def __init__(self, logdir: Path, place: Path, *arguments: str) -> None:
        self.log = place / "log.txt"
        command = [sys.executable, "-m", "runner", "board", "--logdir", str(logdir), "--port", "0", *arguments]
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                command, cwd=place, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 90
        while not (found := re.search(r"(http://[\w.:\[\]-]+:\d+)/", self.log.read_text())):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        self.url = found[1]

    def get(self, path: str) -> tuple[int, str, bytes]:
        """The status, the media type and the content of an answer."""
        try:
            with urllib.request.urlopen(f"{self.url}/data/{path}", timeout=30) as response:
                return response.status, response.headers.get_content_type(), response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers.get_content_type(), error.read()

    def stop(self) -> tuple[int, str]:
        """The exit status after Ctrl-C, and everything that was printed."""
        os.killpg(self.process.pid, signal.SIGINT)
        status = self.process.wait(timeout=30)
        return status, self.log.read_text()


@contextmanager
def served(logdir: Path, place: Path) -> Iterator[Served]:
    found = Served(logdir, place)
    try:
        yield found
    finally:
        found.process.kill()
        found.process.wait()


@pytest.mark.parametrize("kind", ["studies", "empty", "missing"])
def test_the_tab_is_first_and_active_and_ctrl_c_ends_it(tmp_path: Path, kind: str) -> None:
    logdir = tmp_path / "runs"
    if kind == "studies":
        tab.plant(logdir / "study", 2)
    elif kind == "empty":
        logdir.mkdir()
    with served(logdir, tmp_path) as board:
        assert re.match(r"http://(127\.0\.0\.1|localhost):", board.url)
        plugins = strict(board.get("plugins_listing")[2])
        assert next(iter(plugins)) == "ablations"
        assert plugins["ablations"]["enabled"]
        assert plugins["ablations"]["tab_name"] == "Ablations"
        assert len(plugins) > 5
        names = strict(board.get("plugin/ablations/studies")[2])
        assert names == (["study"] if kind == "studies" else [])
        for query, code in (("", 400), ("?study=x", 404), ("?study=%2e%2e%2fx", 404)):
            status, media, content = board.get(f"plugin/ablations/overview{query}")
            assert (status, media, list(strict(content))) == (code, "application/json", ["error"])
        for path in ("static/../_plugin.py", "static/%2e%2e/_plugin.py", "static/..%2f_plugin.py"):
            assert b"AblationsPlugin" not in board.get(f"plugin/ablations/{path}")[2]
        assert board.get("plugin/ablations/static/index.js")[:2] == (200, "text/javascript")
        status, said = board.stop()
        assert status in (0, 130), said
        assert "Traceback" not in said
        assert "Error" not in said


PLAIN = """
import sys
from tensorboard import default
(found,) = [each for each in default.get_dynamic_plugins() if each.__name__ == "Loader"]
print(found.__module__)
"""


def test_the_entry_point_is_the_loader(tmp_path: Path) -> None:
    """A plain `tensorboard` finds the tab by the entry point of the installed package; here it is planted."""
    points = PROJECT["project"]["entry-points"]["tensorboard_plugins"]
    info = tmp_path / "ablations-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ablations\nVersion: 1\n")
    lines = [f"{name} = {target}\n" for name, target in points.items()]
    (info / "entry_points.txt").write_text("[tensorboard_plugins]\n" + "".join(lines))
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", PLAIN],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "runner.board._loader\n"), done.stderr


def test_the_package_has_the_tabs_files() -> None:
    settings = PROJECT["tool"]["setuptools"]
    patterns = settings["package-data"]["runner.board"]
    for path in STATIC.iterdir():
        assert any(fnmatch(str(path.relative_to(STATIC.parent)), pattern) for pattern in patterns)


def test_the_libraries_are_their_authors_builds() -> None:
    built = {path.name for path in STATIC.glob("*.min.js")}
    assert built == {library.file for library in LIBRARIES}
    for library in LIBRARIES:
        assert hashlib.sha256((STATIC / library.file).read_bytes()).hexdigest() == library.sha256
        assert (STATIC / f"LICENSE.{library.name}.txt").read_text().strip()


def test_answers_need_neither_torch_nor_matplotlib(tmp_path: Path) -> None:
    tab.plant(tmp_path / "runs" / "fixed", 2)
    tab.plant_looks(tmp_path / "runs" / "looks")
    done = subprocess.run(
        [sys.executable, "-c", WALLED, str(tmp_path / "runs")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [200] * 9


WALLED = """
import importlib, json, pkgutil, sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name in ("torch", "matplotlib", "torchvision", "albumentations", "optuna", "tensorflow"):
            raise AssertionError(f"{name} is imported")
sys.meta_path.insert(0, Wall())
import runner.board
for module in pkgutil.walk_packages(runner.board.__path__, "runner.board."):
    importlib.import_module(module.name)
from types import SimpleNamespace
from werkzeug.test import Client
apps = runner.board.Loader().load(SimpleNamespace(logdir=sys.argv[1], data_provider=None)).get_plugin_apps()
asked = [Client(apps["/studies"]).get("/studies")]
for name in ("fixed", "looks"):
    asked += [Client(apps[f"/{route}"]).get(f"/{route}?study={name}") for route in
              ("progress", "overview", "effects", "curves")]
print(json.dumps([response.status_code for response in asked]))
"""
