"""The tab's routes: what they answer to wrong requests and to studies of any kind, always as strict JSON."""

from __future__ import annotations

import json
import logging
import shutil
import urllib.parse
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.test import Client

from runner.board import Loader, _plugin
from runner.board.vendor import STATIC
from tests import tab
from tests.commands import ROOT
from tests.reports import change
from tests.tab import ROUTES, Tab

NAMES = [
    "nothing", "../study", "study/../study", "/etc/passwd", ".", "..", "study\0", "STUDY", "study/better-0",
    "<script>alert(1)</script>", "\u202e", "\U0001f600", "x" * 5000, "%2e%2e%2f", 'a"b\n',
]  # fmt: skip
STUDIES: list[dict[str, Any]] = [
    {"variants": {"baseline": {"directory": "baseline-0", "changes": {}, "settings": {}}}},
    {"variants": {"baseline": {"directory": "nowhere", "changes": {}, "settings": {"epochs": 2}}}},
    {"questions": [{"ask": 5}, {}, {"ask": "?", "compare": [1, 2]}, {"ask": "?", "metric": "x"}]},
    {"questions": [{"ask": "?", "trend": "epochs"}, {"ask": "?", "compare": ["no", "baseline"]}]},
    {"seeds": "many"}, {"seeds": {"looks": [1]}}, {"seeds": [-1]}, {"seeds": []}, {"selected": []}, {"doc": ""},
    {"earlier_seeds": [{"seeds": 7, "until": "x", "ended": {"baseline-0": [1]}}]}, {"data_notes": ["<b>"]},
]  # fmt: skip


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("routes") / "runs"
    tab.plant(runs / "study", 3)
    return runs


@pytest.fixture
def runs(planted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(planted, tmp_path / "runs"))


@pytest.mark.parametrize("route", ROUTES)
def test_an_unknown_study_is_404(planted: Path, route: str) -> None:
    for name in NAMES:
        status, content = Tab(planted).ask(route, urllib.parse.urlencode({"study": name}))
        assert (status, list(content)) == (404, ["error"])
    for query in ("study=%2e%2e%2fstudy", "study=..%2Fruns%2Fstudy", "study=%ff%fe", "study=study%00"):
        assert Tab(planted).ask(route, query)[0] == 404


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("query", ["", "study", "study=", "name=study", "&&==", "%ff"])
def test_a_missing_parameter_is_400(planted: Path, route: str, query: str) -> None:
    status, content = Tab(planted).ask(route, query)
    assert (status, list(content)) == (400, ["error"])


@pytest.mark.parametrize("changes", STUDIES)
def test_a_study_json_edited_by_hand_gets_an_answer(runs: Path, changes: dict[str, Any]) -> None:
    change(runs / "study", **changes)
    shown = Tab(runs).every("study")
    assert shown["overview"]["name"] == "study"


@pytest.mark.parametrize("key", ["dropout", "lr", "epochs", "dataset"])
def test_variants_may_lack_settings(runs: Path, key: str) -> None:
    """Also those that other variants change, or that a question's metric counts with."""
    file = runs / "study" / "study.json"
    content = json.loads(file.read_text())
    for entry in content["variants"].values():
        entry["settings"].pop(key, None)
    asked = {"ask": "?", "compare": ["better", "baseline"], "metric": "epochs_to", "accuracy": 0.7}
    file.write_text(json.dumps(content | {"questions": [asked]}))
    assert len(Tab(runs).every("study")["overview"]["questions"]) == 1


@pytest.mark.parametrize("value", [None, 7, [], "x", {"baseline": 1}])
@pytest.mark.parametrize("key", ["name", "variants", "questions", "doc"])
def test_wrong_types_make_no_study(runs: Path, key: str, value: Any) -> None:
    change(runs / "study", **{key: value})
    for route in ROUTES:
        status, content = Tab(runs).ask(route, "study=study")
        assert status in ((200, 404) if isinstance(value, type({"doc": "", "questions": []}.get(key))) else (404,))
        assert status == 200 or "error" in content


def test_an_older_studys_runs_are_shown() -> None:
    shown = Tab(ROOT / "tests" / "older" / "runs").every("older-digits")
    assert {row["variant"]: row["n"] for row in shown["effects"]} == {"baseline": 2, "batchnorm": 2, "diverged": 0}
    assert shown["progress"]["counts"] == {"finished": 4, "failed": 2}
    assert set(shown["curves"]["curves"]["val/loss"]) == {"baseline", "batchnorm"}


def test_searches_are_no_studies() -> None:
    status, names = Tab(ROOT / "tests" / "older" / "runs").ask("studies")
    assert (status, names) == (200, ["older-digits"])


def test_a_route_that_fails_answers_json(
    planted: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> Any:
        raise KeyError("a")

    for name in ("overview", "effects", "curves", "run_states"):
        monkeypatch.setattr(_plugin, name, fail)
    with caplog.at_level(logging.WARNING):
        for route in ROUTES:
            status, content = Tab(planted).ask(route, "study=study")
            assert (status, list(content)) == (500, ["error"])
    assert len(caplog.records) == len(ROUTES)


def test_no_verdict_before_all_planned_seeds_have_ended(tmp_path: Path) -> None:
    tab.plant(tmp_path / "runs" / "study", 8, 7)
    before = Tab(tmp_path / "runs").every("study")
    assert {question["answer"] for question in before["overview"]["questions"]} == {"undecided"}
    assert {each["n"] for question in before["overview"]["questions"] for each in question["comparisons"]} == {7, 4}
    assert {row["n"] for row in before["effects"]} == {7, 4}
    tab.plant(tmp_path / "runs" / "study", 8, 8)
    after = Tab(tmp_path / "runs").get("overview", "study")["questions"]
    assert [question["answer"] for question in after[:2]] == ["supported", "practically equivalent"]


@pytest.mark.parametrize("there", [True, False])
def test_a_log_directory_without_studies(tmp_path: Path, there: bool) -> None:
    if there:
        (tmp_path / "runs").mkdir()
    assert Tab(tmp_path / "runs").ask("studies") == (200, [])


def test_the_plugin_is_always_offered_and_needs_a_log_directory(tmp_path: Path) -> None:
    plugin = Tab(tmp_path).plugin
    assert plugin.is_active()
    assert plugin.plugin_name == "ablations"
    module = plugin.frontend_metadata().es_module_path
    assert (STATIC / module.removeprefix("/static/")).is_file()
    assert Loader().load(SimpleNamespace(logdir=None, data_provider=None)) is None
    assert Loader().load(SimpleNamespace(logdir="", data_provider=None)) is None


def test_a_tab_that_cannot_be_made_does_not_stop_tensorboard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with caplog.at_level(logging.WARNING):
        Loader().load(SimpleNamespace(logdir=str(tmp_path / "a"), data_provider=None))
        monkeypatch.setattr(_plugin, "Library", None)
        assert Loader().load(SimpleNamespace(logdir=str(tmp_path), data_provider=None)) is None
    assert caplog.records


def test_the_static_route_serves_its_own_files_alone(tmp_path: Path) -> None:
    serve = Client(Tab(tmp_path).plugin.get_plugin_apps()["/static/*"])
    for path in STATIC.iterdir():
        response = serve.get(f"/data/plugin/ablations/static/{path.name}")
        assert (response.status_code, response.get_data()) == (200, path.read_bytes())
        assert (response.mimetype == "text/javascript") == (path.suffix == ".js")
    for name in ("../_plugin.py", "..%2f_plugin.py", "%2e%2e/_plugin.py", "..", ".", "", "/etc/passwd", "index.js%00"):
        assert serve.get(f"/data/plugin/ablations/static/{name}").status_code == 404
