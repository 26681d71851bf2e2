"""Searches for real: workers, pruning, SIGKILL, fresh seeds, the report, TensorBoard, what the winners become."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from runner.__main__ import main
from runner.execute import prepare_data
from runner.expand import Overrides, resolve
from runner.files import lock, read_json, write_json
from runner.publish import write_all
from runner.report.search import read_search
from runner.report.search._page import best_within
from runner.report.search._settings import at_bounds
from runner.report.search.write import write_search_report
from runner.search.records import find_record, read_record, winner_name, write_ablation, write_comparison
from runner.spec import BASELINE, Kind, Problem, RequestError, read_file
from runner.store import FINISHED, PRUNED, RunDir, read_rows
from tests.boards import SESSIONS, tensorboard
from tests.commands import ROOT, numbers, wait_for
from tests.conftest import BASE
from tests.problems import refused
from tests.searches import make, write_search
from tests.studies import amend


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search by one worker, its winners and its reports."""
    place = tmp_path_factory.mktemp("made")
    outcome, _ = make(place)
    assert (outcome.name, outcome.winners, outcome.failed) == ("hunt-digits", "hunt_winners-digits", 0)
    assert outcome.winners
    write_all(place / "runs", [outcome.winners, outcome.name], place / "reports", Console(quiet=True))
    return place


def test_hopeless_runs_are_stopped_and_say_so(made: Path) -> None:
    record = find_record(made / "runs", "hunt")
    assert [run.variant.name for run in record.tried] == [f"{number:04d}" for number in range(9)]
    assert Counter(tried.state for tried in record.tried.values()).keys() == {FINISHED, PRUNED}
    for run, tried in record.tried.items():
        folder = made / "runs" / run.folder
        known, names = RunDir(folder).run_json(), {path.name for path in folder.iterdir()}
        assert known
        if tried.state == PRUNED:
            assert f"after epoch {len(tried.losses)} its lowest validation loss" in known.cause
            assert not names & {"result.json", "checkpoint.pt", "best.pt", "predictions.npz"}
            assert len(tried.losses) < 5
        else:
            result = RunDir(folder).result()
            assert result
            assert result.numbers["val/loss"] == pytest.approx(tried.loss)
            assert len(tried.losses) == 5


def test_the_same_command_does_nothing_again(made: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in made.glob("runs/*/*/seed*/*")}
    outcome, text = make(made)
    assert outcome.failed == 0
    assert " to do" not in text
    assert {path: path.stat().st_mtime_ns for path in made.glob("runs/*/*/seed*/*")} == before


@pytest.mark.slow
def test_killed_at_any_moment_the_same_command_goes_on_to_the_same_search(made: Path, tmp_path: Path) -> None:
    write_search(tmp_path)
    command = [sys.executable, "-m", "runner", "search", "hunt", "--workers", "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    def epochs() -> int:
        return sum(len(read_rows(path)) for path in tmp_path.glob("runs/hunt-digits/*/seed*/metrics.csv"))

    finished: dict[Path, int] = {}
    for moment in (1, 20):  # epochs after which it dies: in the midst of a run, whichever that is
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        wait_for(lambda moment=moment: epochs() >= moment, process)  # type: ignore[misc]
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert {path: path.stat().st_mtime_ns for path in finished} == finished  # nothing is done twice
        finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/*/seed*/result.json")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert numbers(tmp_path) == numbers(made)  # none lost, the same settings asked for, the same bits
    variants = [read_json(place / "runs" / "hunt-digits" / "study.json") for place in (made, tmp_path)]
    assert variants[0]
    assert variants[1]
    assert variants[0]["variants"] == variants[1]["variants"]
    assert "Best of 9 runs" in done.stdout


def test_several_workers_and_the_random_search_beside(tmp_path: Path) -> None:
    space = {"lr": [1e-3, 1e-2, 1e-1], "model": ["mlp", "tests.fakes:raising"]}
    changes = {"baseline": BASE | {"epochs": 1, "hidden": []}, "space": space, "runs": 5, "random_on": ["digits"]}
    outcome, text = make(tmp_path, workers=3, **changes)
    assert outcome.failed == 0
    for name in ("hunt-digits", "hunt-digits+sampler=random"):
        record = read_record(tmp_path / "runs" / name)
        assert record.left == 0
        assert len(record.tried) == len({repr(tried.values) for tried in record.tried.values()}) == 5
        failed = [run for run, tried in record.tried.items() if tried.state == "failed"]
        assert {run.variant.ours.model for run in failed} == {"tests.fakes:raising"}
    assert "FAILED: RuntimeError: no such model today" in text
    write_all(tmp_path / "runs", [outcome.name], tmp_path / "reports", Console(quiet=True))
    page = (tmp_path / "reports" / "hunt-digits" / "summary.md").read_text()
    assert "A random search of 5 runs" in page
    assert "no such model today" in page


def test_a_model_that_fails_refuses_its_search_before_anything_is_written(tmp_path: Path) -> None:
    own = {key: value for key, value in BASE.items() if key != "hidden"} | {"model": "tests.fakes:frozen"}
    with pytest.raises(RequestError, match="requires_grad"):
        make(tmp_path, baseline=own, space={"lr": [1e-3, 1e-2]}, claim={})
    assert not (tmp_path / "runs").exists()


def test_where_the_start_is_best_it_is_the_winner(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"baseline": BASE | {"epochs": 2}, "space": {"lr": [1e-3, 1e-7]}, "runs": 2, "claim": {}}
    outcome, _ = make(tmp_path, **changes)
    assert (outcome.winners, outcome.failed) == ("hunt_winners-digits", 0)
    write_all(tmp_path / "runs", ["hunt_winners-digits", "hunt-digits"], tmp_path / "reports", Console(quiet=True))
    page = (tmp_path / "reports" / "hunt-digits" / "summary.md").read_text()
    assert "on 2 fresh seeds validation" in page
    assert "**Is the winner better than the runner-up?**" in page
    assert "those the search began with?" not in page
    with refused(Kind.STATE, "hunt-digits"):
        write_ablation(find_record(tmp_path / "runs", "hunt"), tmp_path)


def test_how_long_to_train_and_on_how_many_images_may_be_searched(tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "space": {"epochs": {"integer": [1, 3]}, "images_per_class": {"integer": [20, 60]}},
        "runs": 4,
        "random_on": ["digits"],
    }
    outcome, _ = make(tmp_path, **changes)
    write_all(tmp_path / "runs", [outcome.name], tmp_path / "reports", Console(quiet=True))
    table = pd.read_csv(tmp_path / "reports" / "hunt-digits" / "runs.csv")
    assert (table["epochs had"] <= table["epochs"]).all()
    assert table["images_per_class"].between(21, 59).any()


def test_a_search_that_was_stopped_has_a_report_too(made: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    shutil.copytree(made / "runs" / "hunt-digits", runs / "hunt-digits")
    for path in sorted(runs.glob("hunt-digits/0*/seed*"))[5:]:
        shutil.rmtree(path)
    write_all(runs, ["hunt-digits"], tmp_path / "reports", Console(quiet=True))
    page = (tmp_path / "reports" / "hunt-digits" / "summary.md").read_text()
    assert "**Best of 5 runs:**" in page
    assert "(n = 9" not in page
    for path in runs.glob("hunt-digits/0*/seed*"):
        shutil.rmtree(path)
    write_all(runs, ["hunt-digits"], tmp_path / "reports", Console(quiet=True))
    assert "No run has finished yet" in (tmp_path / "reports" / "hunt-digits" / "summary.md").read_text()


def test_a_random_search_of_another_space_is_no_comparison(tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "baseline": BASE | {"epochs": 1},
        "space": {"lr": [1e-3, 1e-2]},
        "runs": 2,
        "random_on": ["digits"],
    }
    make(tmp_path, **changes)
    outcome, _ = make(tmp_path, **changes | {"space": {"lr": [1e-3, 2e-2]}, "random_on": []})
    write_all(tmp_path / "runs", [outcome.name], tmp_path / "reports", Console(quiet=True))
    assert "A random search" not in (tmp_path / "reports" / "hunt-digits" / "summary.md").read_text()


def test_a_run_whose_worker_died_is_tried_once_more_by_the_next_command(tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "baseline": BASE | {"model_args": {"what": "die"}}, "space": {"model": ["mlp", "tests.fakes:late"]}, "runs": 2
    }  # fmt: skip
    said = [make(tmp_path, **changes)[1] for _ in range(3)]
    assert [text.count("FAILED: the worker process ended by signal SIGKILL") for text in said] == [1, 1, 0]
    assert "1 of 2 runs to do" in said[1]
    assert " to do" not in said[2]
    (folder,) = (path for path in tmp_path.glob("runs/hunt-digits/*/seed*") if RunDir(path).status() == "failed")
    study = read_json(tmp_path / "runs" / "hunt-digits" / "study.json")
    assert study
    assert [entry.get("again") for entry in study["variants"].values()].count(True) == 1
    amend(RunDir(folder), cause="RuntimeError: its own doing", machines=False)
    study["variants"][folder.parent.name.rpartition("-")[0]].pop("again")
    write_json(tmp_path / "runs" / "hunt-digits" / "study.json", study)
    assert " to do" not in make(tmp_path, **changes)[1]  # what a run did itself is final


@pytest.mark.parametrize("where", ["execute._opened.others_note", "search._winners.winners_study"])
def test_what_goes_wrong_after_training_began_says_so(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(*given: Any) -> Any:
        if list(tmp_path.glob("runs/hunt-digits/study.json")):
            raise RequestError([Problem(Kind.PATH, "pets", "there is no such folder or zip file.")])
        return prepare_data(*given)

    monkeypatch.setattr(f"runner.{where}", gone)
    monkeypatch.chdir(tmp_path)
    space = {"baseline": BASE | {"epochs": 1}, "space": {"lr": [1e-3, 1e-2]}, "runs": 2}
    with pytest.raises(SystemExit) as end:
        main(["search", str(write_search(tmp_path, **space)), "--workers", "1"])
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert said.startswith("1 problem, after the work had begun. Finished runs stay finished;"), said
    assert "nothing was trained" not in said


def test_a_second_runner_of_the_same_search_is_refused(tmp_path: Path) -> None:
    with lock(tmp_path / "runs" / "hunt-digits"), refused(Kind.BUSY, "hunt-digits"):
        make(tmp_path)
    assert not list(tmp_path.glob("runs/*/*/seed*"))


def test_fresh_seeds_say_how_much_of_the_choice_was_luck(made: Path) -> None:
    record = find_record(made / "runs", "hunt")
    (winner, tried), (runner_up, _) = record.ranked()[:2]
    study = read_json(made / "runs" / "hunt_winners-digits" / "study.json")
    assert study
    assert study["variants"]["winner"]["settings"] == winner.variant.settings.plain()
    assert study["variants"]["runner_up"]["settings"] == runner_up.variant.settings.plain()
    folders = sorted((made / "runs" / "hunt_winners-digits" / study["variants"]["winner"]["directory"]).glob("seed*"))
    assert [path.name for path in folders] == ["seed4", "seed5"]  # the search's own was 3
    results = [RunDir(path).result() for path in folders]
    fresh = np.mean([result.numbers["val/loss"] for result in results if result])
    page = (made / "reports" / "hunt-digits" / "summary.md").read_text()
    (row,) = (line for line in page.splitlines() if line.startswith("| winner | 2 |"))
    assert f"| {tried.loss:.4f} | {fresh:.4f} ±" in row
    assert f"| {fresh - tried.loss:+.4f} ±" in row
    assert f"the best of {len(record.tried)} runs" in page


def test_what_is_claimed_elsewhere_is_trained_beside_the_winner(made: Path) -> None:
    study = read_json(made / "runs" / "hunt_winners-digits" / "study.json")
    assert study
    assert study["variants"]["claimed"]["changes"] == {"lr": 0.01}  # 64 is what the search began with
    folder = made / "runs" / "hunt_winners-digits" / study["variants"]["claimed"]["directory"]
    results = [RunDir(path).result() for path in sorted(folder.glob("seed*"))]
    fresh = np.mean([result.numbers["val/loss"] for result in results if result])
    page = (made / "reports" / "hunt-digits" / "summary.md").read_text()
    assert f"| 2 | - | {fresh:.4f} ±" in page
    assert ["winner", "claimed"] in [question["compare"] for question in study["questions"]]


def test_the_report_has_settings_progress_importance_and_what_is_claimed_elsewhere(made: Path) -> None:
    folder = made / "reports" / "hunt-digits"
    page, record = (folder / "summary.md").read_text(), find_record(made / "runs", "hunt")
    assert page.startswith("# Which settings suit the digits?\n\n**Best of 9 runs:**")
    best = record.ranked()[0][0].variant.ours
    (row,) = (line for line in page.splitlines() if line.startswith("| lr | 0.0001 to 0.1, log | 0.001 |"))
    assert f"| {best.lr:.3g} |" in row
    assert row.endswith("| 0.01 |")
    for words in ("figures/progress.png", "figures/settings.png", "figures/importance.png", "n = 2"):
        assert words in page
    assert not record.counted()[1]  # image sizes are settings, not other data
    assert read_search(made / "runs" / "hunt-digits").apart == ()
    table = pd.read_csv(folder / "runs.csv", dtype={"run": str})
    assert list(table["status"]) == [tried.state for tried in record.tried.values()]
    assert table["val/loss"].to_list() == pytest.approx([tried.loss for tried in record.tried.values()])
    front = (made / "reports" / "summary.md").read_text()
    assert "(hunt-digits/figures/progress.png)](hunt-digits/summary.md)" in front
    assert "(hunt_winners-digits/summary.md)" in front


def test_a_random_search_is_compared_at_the_same_cost() -> None:
    runs = pd.DataFrame({"epochs had": [5, 2, 5], "status": [FINISHED, PRUNED, FINISHED], "val/loss": [0.4, 0.3, 0.2]})
    assert [best_within(runs, epochs) for epochs in (5, 11, 12)] == [0.4, 0.4, 0.2]
    assert math.isnan(best_within(runs, 4))


def test_winners_that_other_code_made_are_skipped_and_named(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "runs", tmp_path / "runs")
    for path in tmp_path.glob("runs/hunt_winners-digits/*/seed*"):
        known = RunDir(path).run_json()
        assert known
        amend(RunDir(path), provenance=known.provenance.having(code="older"))
    data = write_search_report(tmp_path / "runs" / "hunt-digits", tmp_path / "reports" / "hunt-digits")
    assert data.winners is None
    page = (tmp_path / "reports" / "hunt-digits" / "summary.md").read_text()
    assert len(data.apart) == 1
    assert data.apart[0] in page
    assert "winners-digits" not in page


def test_a_failed_run_of_another_state_takes_nothing_from_the_table(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "runs", tmp_path / "runs")
    for study, variant in (("hunt-digits", "0008"), ("hunt_winners-digits", "baseline")):
        path = sorted(tmp_path.glob(f"runs/{study}/{variant}*/seed*"))[-1]
        known = RunDir(path).run_json()
        assert known
        (path / "result.json").unlink(missing_ok=True)
        amend(RunDir(path), status="failed", cause="ValueError", provenance=known.provenance.having(code="older"))
    data = read_search(tmp_path / "runs" / "hunt-digits")
    assert data.apart == ()
    assert data.winners


def test_what_chose_a_winner_is_the_run_that_finished(made: Path) -> None:
    data = read_search(made / "runs" / "hunt-digits")
    pruned = data.runs.assign(status=PRUNED, **{"val/loss": 9.0})
    both = replace(data, runs=pruned, twin=replace(data, twin=None))
    name = winner_name(data.record.ranked()[0][0])
    assert both.shrinkage(name, "val/loss")[0] == data.shrinkage(name, "val/loss")[0] < 9.0


def test_a_setting_that_the_model_does_not_read_has_no_value(tmp_path: Path) -> None:
    space = {"model": ["mlp", "perceptron"], "activation": ["relu", "gelu"], "dropout": {"uniform": [0.0, 0.5]}}
    outcome, _ = make(tmp_path, baseline=BASE | {"epochs": 1}, space=space, runs=6, claim={})
    write_search_report(tmp_path / "runs" / outcome.name, tmp_path / "reports" / outcome.name)
    table = pd.read_csv(tmp_path / "reports" / outcome.name / "runs.csv")
    assert (table["activation"].isna() == (table["model"] == "perceptron")).all()
    assert table["activation"].isna().sum() == 1  # that model reads nothing else that is searched


def test_a_winner_at_the_end_of_its_space_is_said_to_be_there(made: Path) -> None:
    data = read_search(made / "runs" / "hunt-digits")
    search, tried = data.record.search, data.record.ranked()[0][1]
    for lr, said in ((0.0999, "- lr = 0.0999 is at the end of its space (0.1)"), (1.1e-4, "(0.0001)"), (1e-2, "")):
        tried.values["lr"] = lr
        assert said in (words := at_bounds(data))
        assert bool(words) == bool(said)
    assert search.space["lr"].kind == "log_uniform"


def test_tensorboard_has_a_session_a_run_with_columns_ranges_and_what_was_pruned(made: Path) -> None:
    record = find_record(made / "runs", "hunt")
    with tensorboard(made / "runs", runs=9 + 8 + 4 + 1) as get:  # the search, fresh seeds, their means, the root
        experiment = get("plugin/hparams/experiment", {})
        groups = get("plugin/hparams/session_groups", SESSIONS)["sessionGroups"]
    columns = {info["name"]: info for info in experiment["hparamInfos"]}
    assert (columns["lr"]["domainInterval"]["minValue"], columns["lr"]["domainInterval"]["maxValue"]) == (1e-4, 1e-1)
    assert set(columns["image_size"]["domainDiscrete"]) == {"6", "native"}
    assert "z_final/pruned" in {info["name"]["tag"] for info in experiment["metricInfos"]}
    sessions = {group["name"]: group for group in groups if group["name"].endswith("(hunt-digits)")}
    assert len(sessions) == 9
    for run, tried in record.tried.items():
        group = sessions[f"{run.folder.parts[1]} (hunt-digits)"]
        assert group["hparams"]["lr"] == pytest.approx(tried.values["lr"])
        assert set(group["hparams"]) == set(columns)
        metrics = {value["name"]["tag"]: value["value"] for value in group["metricValues"]}
        assert metrics["z_final/pruned"] == (tried.state == PRUNED)
        assert metrics["z_final/val_loss"] == pytest.approx(tried.loss, rel=1e-5)
        assert ("z_final/test_accuracy" in metrics) == (tried.state == FINISHED)
        (session,) = group["sessions"]
        assert session["status"] == ("STATUS_UNKNOWN" if tried.state == PRUNED else "STATUS_SUCCESS")


def test_the_winner_becomes_a_study_that_undoes_one_choice_each(made: Path, tmp_path: Path) -> None:
    record = find_record(made / "runs", "hunt")
    file = write_ablation(record, tmp_path)
    assert file == tmp_path / "hunt_digits_winner.py"
    study = resolve(*read_file(str(file)), Overrides())
    start, winner = record.search.baseline, record.ranked()[0][0].variant
    assert study.variants[0].settings == winner.settings
    assert study.seeds.seeds == (4, 5)
    assert "\nRun:      make ablations STUDY=hunt_digits_winner\n" in study.doc  # as every study says it
    assert len(study.questions) == len(study.variants) - 1 == len(winner.changes)
    for variant, key in zip(study.variants[1:], winner.changes, strict=True):
        assert variant.changes == {key: start.plain()[key]}
    assert write_ablation(record, tmp_path) == file  # the same again is no harm
    file.write_text(file.read_text() + "# mine\n")
    with refused(Kind.PATH, str(file)):
        write_ablation(record, tmp_path)
    assert file.read_text().endswith("# mine\n")


def test_two_winners_meet_in_one_study(made: Path, tmp_path: Path) -> None:
    first = find_record(made / "runs", "hunt")
    (best, _), (next_best, _) = first.ranked()[:2]
    data = json.loads((made / "runs" / "hunt-digits" / "study.json").read_text())
    other = tmp_path / "runs" / "quest-digits"  # the same search, had its winner not been there
    other.mkdir(parents=True)
    (other / "study.json").write_text(json.dumps(data | {"name": "quest-digits", "file": "ablations/quest.py"}))
    for path in (made / "runs" / "hunt-digits").glob("0*"):
        if path.name != best.variant.directory:
            (other / path.name).symlink_to(path)
    study = resolve(*read_file(str(write_comparison(first, read_record(other), tmp_path))), Overrides())
    settings = {variant.name: variant.settings for variant in study.variants}
    assert settings == {
        BASELINE: first.search.baseline, "hunt": best.variant.settings, "quest": next_best.variant.settings
    }  # fmt: skip
    asked = [(question.metric, set(question.best_of or ())) for question in study.questions]
    assert asked == [("test/accuracy", {"hunt", "quest"})]  # the answer names the better one
    assert first.search.seed not in study.seeds.seeds
    with refused(Kind.CONFLICT, "hunt-digits and hunt-digits"):
        write_comparison(first, first, tmp_path)
