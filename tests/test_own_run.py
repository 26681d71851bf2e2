"""Studies that train their runs themselves: what a user's function may do, and what is left of it."""

from __future__ import annotations

import copy
import csv
from pathlib import Path
from typing import Any

import pytest

from runner.evaluate import evaluate
from runner.execute import _own_run
from runner.execute._job import train_job
from runner.execute._messages import Command, Job, Message
from runner.execute._own_run import OwnRun
from runner.expand import Overrides, Run, resolve
from runner.logs import OwnLog, at_best
from runner.spec import Kind, RequestError
from runner.store import FAILED, FINISHED, Provenance, RunDir, read_study
from runner.train import Interrupted
from tests.commands import run
from tests.own_training import STUDY
from tests.problems import refused


def study(**changes: Any) -> dict[str, Any]:
    """The study with other keys; `baseline` is added to its own."""
    made = copy.deepcopy(STUDY) | changes
    return made | {"baseline": STUDY["baseline"] | changes.get("baseline", {})}


def runs_of(given: dict[str, Any]) -> list[Run]:
    return resolve(Path("own.py"), given, "", Overrides()).runs()


def train(given: dict[str, Any], place: Path, stop: Any = lambda: False) -> list[Message]:
    """Trains in this process; the messages."""
    said: list[Message] = []
    for each in runs_of(given):
        train_job(Job((each,), Path()), Command(place / "runs", "cpu", Provenance()), said.append, stop)
    return said


def table(folder: Path) -> list[dict[str, str]]:
    with open(folder / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_leaves_its_metrics_at_the_best_step(tmp_path: Path) -> None:
    said = train(study(), tmp_path)
    assert [message.kind for message in said if message.kind != "logged"] == ["began", FINISHED] * 6
    folder = tmp_path / "runs" / runs_of(study())[0].folder
    rows = table(folder)
    best = max(rows, key=lambda row: float(row["val/f1"]))
    result = RunDir(folder).result()
    assert result
    assert result.metrics == {"val/f1": float(best["val/f1"]), "val/loss": float(best["val/loss"])}
    assert RunDir(folder).status() == FINISHED
    known = RunDir(folder).run_json()
    assert known
    assert known.settings == study()["baseline"]


def test_the_runner_hears_of_logged_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_own_run, "_TELL_SECONDS", 0)
    said = train(study(seeds=1, variants={}, questions=[]), tmp_path)
    (folder,) = tmp_path.glob("runs/own/*/seed0")
    rows = [{name: float(text) for name, text in row.items()} for row in table(folder)]
    assert [message.metrics for message in said if message.kind == "logged"] == rows
    monkeypatch.setattr(_own_run, "_TELL_SECONDS", 1000)
    assert [message.kind for message in train(study(), tmp_path / "slow")] == ["began", "logged", FINISHED] * 6


def test_the_command_writes_what_reports_read(tmp_path: Path) -> None:
    outcome, _ = run(study(), tmp_path, name="own")
    assert (outcome.names, outcome.failed) == (("own",), 0)
    written = read_study(tmp_path / "runs" / "own")
    assert written
    assert (written.metrics, written.monitor) == (STUDY["metrics"], "val/f1")
    assert written.measures.main == "val/f1"
    assert "done already" in run(study(), tmp_path, name="own")[1]
    again = read_study(tmp_path / "runs" / "own")
    assert again
    assert [item["declared"] for item in again.questions] == [item["declared"] for item in written.questions]


def test_a_killed_run_resumes_from_its_own_checkpoint_to_the_same_numbers(tmp_path: Path) -> None:
    killed, whole = (study(seeds=1, variants={}, questions=[], baseline={"die_at": at}) for at in (3, -1))
    for given, place in ((killed, tmp_path / "killed"), (whole, tmp_path / "whole")):
        assert run(given, place, name="own")[0].failed == 0
    tables = [table(next((tmp_path / place).glob("runs/*/*/seed0"))) for place in ("killed", "whole")]
    assert tables[0] == tables[1]
    assert len(tables[0]) == 6


def test_a_run_that_is_told_to_stop_is_called_again(tmp_path: Path) -> None:
    one = study(seeds=1, variants={}, questions=[])
    with pytest.raises(Interrupted):
        train(one, tmp_path, stop=lambda: True)
    folder = tmp_path / "runs" / runs_of(one)[0].folder
    assert len(table(folder)) == 1
    assert not (folder / "result.json").exists()
    train(one, tmp_path)
    assert [row["step"] for row in table(folder)] == [str(step) for step in range(6)]
    assert RunDir(folder).status() == FINISHED


def test_retraining_and_other_code_begin_anew(tmp_path: Path) -> None:
    one = study(seeds=1, variants={}, questions=[])
    run(one, tmp_path, name="own")
    (folder,) = tmp_path.glob("runs/own/*/seed0")
    before = table(folder)
    (folder / "own" / "mine").touch()
    assert run(one, tmp_path, name="own", retrain=True)[0].failed == 0
    assert table(folder) == before
    assert not (folder / "own" / "mine").exists()
    with pytest.raises(Interrupted):
        train(one, tmp_path / "other", stop=lambda: True)
    (stopped,) = tmp_path.glob("other/runs/own/*/seed0")
    known = RunDir(stopped).run_json()
    assert known
    older = known.model_copy(update={"provenance": known.provenance.having(model="older")})
    RunDir(stopped).write_run_json(older)
    (stopped / "own" / "mine").touch()
    train(one, tmp_path / "other")
    assert not (stopped / "own" / "mine").exists()
    assert table(stopped) == before


def test_what_a_function_prints_is_in_its_directory(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    given = study(train="tests.own_training:talkative", seeds=1)
    (first, *_) = runs_of(given)
    assert train(given, tmp_path)[-1].kind == FINISHED
    assert capfd.readouterr() == ("", "")
    folder = tmp_path / "runs" / first.folder
    assert (folder / "output.txt").read_text().splitlines() == ["one step", "a warning"]
    with refused(Kind.STATE, str(folder), "your own training"):
        evaluate(folder, Path("data"), tmp_path)


def test_a_failure_is_the_runs_own(tmp_path: Path) -> None:
    outcome, text = run(study(variants={"bad": {"fail": True}}, seeds=2, questions=[]), tmp_path, name="own")
    assert outcome.failed == 2
    assert "ValueError: as asked" in text
    states = sorted(RunDir(path).status() for path in tmp_path.glob("runs/own/*/seed*"))
    assert states == [FAILED, FAILED, FINISHED, FINISHED]


def test_a_metric_that_is_never_logged_stops_the_study(tmp_path: Path) -> None:
    outcome, text = run(study(train="tests.own_training:other"), tmp_path, name="own", workers=1)
    assert outcome.failed == 1
    assert "val/f1" in text
    assert "accuracy" in text
    assert len(list(tmp_path.glob("runs/own/*/seed*/run.json"))) == 1


def test_random_numbers_are_the_seeds(tmp_path: Path) -> None:
    one = study(train="tests.own_training:seeded", variants={}, questions=[], seeds=2)
    for place in ("a", "b"):
        train(one, tmp_path / place)
    found = [[table(path) for path in sorted((tmp_path / place).glob("runs/*/*/seed*"))] for place in ("a", "b")]
    assert found[0] == found[1]
    assert found[0][0] != found[0][1]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"train": "tests.own_training:missing"}, Kind.CODE),
        ({"train": "no_such_module:main"}, Kind.CODE),
        ({"train": "tests.own_training:alone"}, Kind.CODE),
        ({"train": "no reference"}, Kind.VALUE),
        ({"command": ["python"]}, Kind.CONFLICT),
        ({"metrics": {}}, Kind.MISSING),
        ({"metrics": {"val/f1": "bigger"}}, Kind.VALUE),
        ({"monitor": "val/accuracy"}, Kind.UNKNOWN),
        ({"time_limit": 5.0}, Kind.CONFLICT),
        ({"metrics": {"seed": "more"}, "monitor": "", "questions": []}, Kind.CONFLICT),
        (
            {
                "metrics": {"val/accuracy": "more"},
                "monitor": "",
                "questions": [{"ask": "?", "compare": ["trick", "baseline"], "images": "new"}],
            },
            Kind.CONFLICT,
        ),
        ({"variants": {"typo": {"gian": 1}}}, Kind.UNKNOWN),
        ({"factors": {"gian": [1]}}, Kind.UNKNOWN),
        ({"variants": {"same": {"gain": 0.0}}}, Kind.DUPLICATE),
        ({"baseline": {"seed": 1}}, Kind.CONFLICT),
        ({"questions": [{"ask": "?", "compare": ["trick", "baseline"], "metric": "val/accuracy"}]}, Kind.UNKNOWN),
    ],
)
def test_a_wrong_request_trains_nothing(tmp_path: Path, changes: dict[str, Any], kind: Kind) -> None:
    with pytest.raises(RequestError) as error:
        run(study(**changes), tmp_path, name="own")
    assert kind in {problem.kind for problem in error.value.problems}
    assert not list(tmp_path.glob("runs/*/*"))


def test_metrics_of_own_training_need_own_training() -> None:
    with pytest.raises(RequestError):
        resolve(Path("own.py"), study(train=""), "", Overrides())
    with pytest.raises(RequestError):
        resolve(Path("own.py"), study(), "", Overrides(dataset="digits"))


def test_settings_and_what_trains_decide_the_directory() -> None:
    def directory(given: dict[str, Any], **settings: Any) -> str:
        return resolve(Path("own.py"), given, "", Overrides(settings=settings)).variants[0].directory

    first = directory(study())
    assert directory(study(seeds=9, questions=[])) == first
    others = [study(train="tests.own_training:other"), study(monitor=""), study(baseline={"gain": 0.2})]
    assert len({first, *map(directory, others), directory(study(), steps=7)}) == 5


@pytest.mark.parametrize("wrong", [{"f1": "high"}, {"f1": None}, {"f1": [1]}])
def test_only_numbers_are_logged(tmp_path: Path, wrong: dict[str, Any]) -> None:
    own = OwnRun(0, tmp_path, OwnLog(tmp_path), lambda: False, lambda step: None)
    for step, metrics in ((0, wrong), (-1, {"f1": 1.0}), (0.5, {"f1": 1.0})):
        with pytest.raises(TypeError):
            own.log(step, metrics)  # type: ignore[arg-type]


def test_the_best_step_is_the_monitors() -> None:
    rows = {0: {"f1": 0.5, "loss": 2.0}, 1: {"f1": 0.7, "loss": 1.0}, 2: {"f1": 0.6}}
    names = {"f1": 1, "loss": -1}
    assert at_best(rows, names, "f1") == {"f1": 0.7, "loss": 1.0}
    assert at_best(rows, names, "loss") == {"f1": 0.7, "loss": 1.0}
    assert at_best(rows, names, "") == {"f1": 0.6, "loss": 1.0}
    assert at_best({}, names, "f1") == {}


def test_columns_that_come_later_keep_the_earlier_steps(tmp_path: Path) -> None:
    log = OwnLog(tmp_path)
    log.log(0, {"a": 1.0})
    log.log(1, {"a": 2.0, "b": 3.0})
    log.log(1, {"c": 4.0})
    log.close()
    assert table(tmp_path) == [
        {"step": "0", "a": "1.0", "b": "", "c": ""},
        {"step": "1", "a": "2.0", "b": "3.0", "c": "4.0"},
    ]
    assert OwnLog(tmp_path).rows == {0: {"a": 1.0}, 1: {"a": 2.0, "b": 3.0, "c": 4.0}}
