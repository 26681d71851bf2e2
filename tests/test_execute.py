"""From a request to finished runs: real worker processes, real failures, real interrupts."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from runner import checkpoints
from runner.execute import Request, execute
from runner.execute._schedule import Costs, finish_seconds, split_jobs
from runner.expand import Overrides, Run, cohorts, resolve
from runner.files import read_json
from runner.logs import RUN_PICTURES
from runner.spec import Kind, RequestError
from runner.store import (
    EPOCH_SCALARS,
    RESULT_TAGS,
    RunDir,
    mean_tag,
    present_provenance,
    read_rows,
    same_provenance,
)
from runner.store._provenance import deciding_files
from runner.store._syntax import meaning
from tests.commands import numbers, run, start, wait_for
from tests.conftest import BASE
from tests.problems import refused

AUGMENT = [{"Affine": {"rotate": [-10, 10]}}]
STUDY: dict[str, Any] = {
    "baseline": BASE,
    "variants": {
        "both": {"batch_norm": True, "dropout": 0.5},
        "augmented": {"augment": AUGMENT},
        "short": {"epochs": 2},
    },
    "seeds": 2,
}


@pytest.fixture(scope="module")
def one_worker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("one")
    assert run(STUDY, place, workers=1)[0].failed == 0
    return place


@pytest.mark.slow
def test_law_1_any_number_of_workers_gives_the_same_bits(one_worker: Path, tmp_path: Path) -> None:
    run(STUDY, tmp_path, workers=3)
    assert len(numbers(tmp_path)) == 8
    assert numbers(tmp_path) == numbers(one_worker)


def test_a_finished_run_leaves_the_whole_directory(one_worker: Path) -> None:
    for path in one_worker.glob("runs/*/*/seed*"):
        names = {p.name for p in path.iterdir() if not p.name.startswith("events")}
        names -= {state.name for state in RunDir(path).final_states()}
        assert names == {".lock", "run.json", "metrics.csv", "best.pt", "predictions.npz", "correct.npz", "result.json"}
        known = RunDir(path).run_json()
        assert known
        assert known.status == "finished"
        assert known.provenance.versions["torch"]
        assert known.provenance.data
        predictions = RunDir(path).load_predictions()
        assert predictions
        accuracy = (predictions["test_logits"].argmax(1) == predictions["test_labels"]).mean()
        result = RunDir(path).result()
        assert result
        assert result.metrics["test/accuracy"] == pytest.approx(accuracy)
    assert len(list(one_worker.glob("runs/*/*/mean/events*"))) == 4


def test_law_4_what_is_finished_is_not_trained_again(one_worker: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in one_worker.glob("runs/*/*/seed*/*")}
    outcome, text = run(STUDY, one_worker)
    assert "all 8 runs are done already" in text
    assert outcome.failed == 0
    assert {path: path.stat().st_mtime_ns for path in one_worker.glob("runs/*/*/seed*/*")} == before


def test_only_what_is_missing_is_trained(one_worker: Path, tmp_path: Path) -> None:
    small = STUDY | {"seeds": [0]}
    run(small, tmp_path)
    _, text = run(STUDY, tmp_path)
    assert "4 of 8 runs to do" in text
    assert numbers(tmp_path) == numbers(one_worker)
    _, text = run(small, tmp_path, retrain=True)
    assert "4 of 4 runs to do" in text
    assert numbers(tmp_path) == numbers(one_worker)


def test_a_dry_run_shows_the_plan_and_writes_nothing(tmp_path: Path) -> None:
    _, text = run(STUDY, tmp_path, dry_run=True)
    assert not (tmp_path / "runs").exists()
    assert text.count("to do ") == 8
    for words in ("augment=", "seed1", "8 of 8 runs to do: about", "MB. Nothing was trained."):
        assert words in text


@pytest.mark.parametrize(
    ("model", "arguments", "cause"),
    [
        ("tests.fakes:failing", {}, "RuntimeError: out of ideas"),
        ("tests.fakes:late", {"what": "raise"}, "RuntimeError: out of ideas"),
        ("tests.fakes:late", {"what": "nan"}, "NonFiniteLoss"),
        ("tests.fakes:late", {"what": "die"}, "the worker process ended by signal SIGKILL"),
    ],
)
def test_law_5_one_runs_failure_is_its_own(
    one_worker: Path, tmp_path: Path, model: str, arguments: dict[str, Any], cause: str
) -> None:
    bad = {"bad": {"model": model, "model_args": arguments}}
    outcome, text = run(STUDY | {"variants": STUDY["variants"] | bad, "seeds": [0]}, tmp_path, workers=2)
    assert outcome.failed == 1
    assert f"FAILED: {cause}" in text
    found = numbers(tmp_path)
    (failed,) = [name for name in found if name.startswith("bad-")]
    assert found.pop(failed)[0] is None
    assert found == {name: value for name, value in numbers(one_worker).items() if name.endswith("seed0")}
    (folder,) = tmp_path.glob("runs/*/bad-*/seed0")
    known = RunDir(folder).run_json()
    assert known
    assert cause in known.cause
    assert RunDir(folder).status() == "failed"


@pytest.mark.slow
def test_a_model_that_ends_every_process_does_not_end_the_runner(tmp_path: Path) -> None:
    """Not while its cost is measured either, before anything is trained."""
    variants: dict[str, Any] = {"dies": {"model": "tests.fakes:deadly"}, "fine": {"model": "tests.fakes:small"}}
    process = start(tmp_path, "--workers", "1", study={"baseline": BASE, "variants": variants, "seeds": 1})
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1, output
    status = {path.parent.name.split("-")[0]: RunDir(path).status() for path in tmp_path.glob("runs/*/*/seed0")}
    assert status == {"baseline": "finished", "dies": "failed", "fine": "finished"}


@pytest.mark.parametrize("times", [1, 2])
def test_a_run_whose_worker_is_killed_once_while_it_is_alone_is_no_culprit(tmp_path: Path, times: int) -> None:
    """A death in company says nothing of which run it was."""
    counter = tmp_path / "deaths"
    killed = {"model": "tests.fakes:late", "model_args": {"what": "die", "counter": str(counter), "times": times}}
    alone, in_company = {"baseline": BASE | {"hidden": []} | killed}, {"baseline": BASE, "variants": {"bad": killed}}
    outcome, text = run((alone if times == 1 else in_company) | {"seeds": 1}, tmp_path, workers=1)
    assert counter.stat().st_size > times
    assert outcome.failed == 0, text


@pytest.mark.slow
def test_no_worker_holds_a_lock_that_its_death_would_leave_held(tmp_path: Path) -> None:
    """While it trains, that is: looking whether to stop took one before every batch."""
    deadly = {"bad": {"model": "tests.fakes:late", "model_args": {"what": "lock"}}}
    process = start(tmp_path, "--workers", "2", study={"baseline": BASE, "variants": deadly, "seeds": 1})
    try:
        output, _ = process.communicate(timeout=60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, output


def test_a_seed_that_failed_is_no_part_of_its_variants_mean(tmp_path: Path) -> None:
    once = {"what": "nan", "counter": str(tmp_path / "counter")}
    study = {"baseline": BASE | {"hidden": [], "model": "tests.fakes:late", "model_args": once}, "seeds": 2}
    outcome, text = run(study, tmp_path, workers=1)
    assert outcome.failed == 1, text
    (result,) = tmp_path.glob("runs/*/*/seed*/result.json")
    (mean,) = tmp_path.glob("runs/*/*/mean")
    losses = [row["val/loss"] for row in read_rows(result.with_name("metrics.csv"))]
    shown = [point.value for point in EventAccumulator(str(mean)).Reload().Scalars(mean_tag("val/loss"))]
    assert shown == pytest.approx(losses)


def test_the_next_command_retries_what_failed_and_only_that(tmp_path: Path) -> None:
    study = STUDY | {"variants": {"bad": {"model": "tests.fakes:failing"}}, "seeds": [0]}
    run(study, tmp_path)
    outcome, text = run(study, tmp_path)
    assert "1 of 2 runs to do" in text
    assert outcome.failed == 1


@pytest.mark.slow
@pytest.mark.parametrize("notice", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_at_once_and_the_same_command_goes_on(tmp_path: Path, notice: signal.Signals) -> None:
    study = STUDY | {"baseline": BASE | {"epochs": 60}, "variants": {"both": STUDY["variants"]["both"]}, "seeds": 1}
    process = start(tmp_path, "--workers", "2", study=study)

    def tables() -> list[list[dict[str, float]]]:
        return [read_rows(path) for path in tmp_path.glob("runs/*/*/seed0/metrics.csv")]

    wait_for(lambda: len(tables()) == 2 and all(len(rows) > 3 for rows in tables()), process)
    os.killpg(process.pid, notice)  # as a terminal or a cluster does: the whole group
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "the same command resumes" in output
    statuses = [RunDir(path).status() for path in tmp_path.glob("runs/*/*/seed0")]
    assert set(statuses) <= {"started", "finished"}
    assert "started" in statuses
    assert list(tmp_path.glob("runs/*/*/seed0/checkpoint.pt"))
    run(study, tmp_path)
    elsewhere = tmp_path / "whole"
    run(study, elsewhere)
    assert numbers(tmp_path) == numbers(elsewhere)


@pytest.mark.slow
def test_a_clusters_notice_waits_for_a_checkpoint_that_takes_its_time(tmp_path: Path) -> None:
    """The server that workers are forked from must live on too: without it they seem dead, and nobody waits."""
    wide = {"baseline": BASE | {"epochs": 500, "hidden": [3000, 1500]}, "seeds": 1}
    process = start(tmp_path, "--workers", "1", study=wide)
    wait_for(lambda: any(map(read_rows, tmp_path.glob("runs/*/*/seed0/metrics.csv"))), process)
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=60)
    (folder,) = tmp_path.glob("runs/*/*/seed0")
    assert checkpoints.load(RunDir(folder).checkpoint)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["one Ctrl-C", "a second Ctrl-C", "a third Ctrl-C", "a killed runner"])
def test_no_process_outlives_its_runner(tmp_path: Path, end: str) -> None:
    process = start(tmp_path, "--workers", "2", study={"baseline": BASE | {"epochs": 500}, "seeds": 2})
    wait_for(lambda: len(list(tmp_path.glob("runs/*/*/seed*/metrics.csv"))) == 2, process)
    if end == "a killed runner":
        process.kill()
    else:
        for _ in range(["one Ctrl-C", "a second Ctrl-C", "a third Ctrl-C"].index(end) + 1):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.05)
    process.communicate(timeout=20)
    wait_for(lambda: not group(process.pid))


def group(leader: int) -> list[str]:
    """The processes of a group that are still alive."""
    listing = subprocess.run(["ps", "-axo", "pgid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listing.splitlines()]
    return [" ".join(row) for row in rows if int(row[0]) == leader and not row[1].startswith("Z")]


def test_a_wrong_request_writes_nothing(tmp_path: Path) -> None:
    for options, words in (
        ({"device": "tpu"}, "expected one of auto, cpu, cuda, mps"),
        ({"workers": 0}, "expected a number from 1"),
    ):
        with pytest.raises(RequestError, match=words):
            run(STUDY, tmp_path, **options)
    with pytest.raises(RequestError, match="keep size and type"):
        run(STUDY | {"variants": {"tiny": {"augment": [{"Resize": {"height": 4, "width": 4}}]}}}, tmp_path)
    with refused(Kind.MACHINE, 'variant "rounded"', "tf32", "cpu"):
        run(STUDY | {"variants": {"rounded": {"precision": "tf32"}}}, tmp_path, device="cpu")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("")
    with refused(Kind.PATH, "file", "can't write"):
        execute(Request((STUDY,), runs=tmp_path / "file" / "runs"), Console(quiet=True))


def test_the_time_of_a_questions_first_declaration_is_kept(tmp_path: Path) -> None:
    question = {"ask": "?", "compare": ["short", "baseline"]}
    study = {
        "baseline": BASE | {"epochs": 1},
        "variants": {"short": {"dropout": 0.1}},
        "seeds": 1,
        "questions": [question],
    }
    run(study, tmp_path)
    (path,) = tmp_path.glob("runs/*/study.json")
    first = read_json(path)
    assert first
    time.sleep(1.1)
    run(study | {"questions": [question, {"ask": "new", "best_of": ["short", "baseline"]}]}, tmp_path)
    second = read_json(path)
    assert second
    assert second["questions"][0]["declared"] == first["questions"][0]["declared"]
    assert second["questions"][1]["declared"] > first["questions"][0]["declared"]
    asked = question["ask"]
    told = question | {"ask": f" {asked}\n", "claim": "it is", "claim_for": ["digits"]}  # what is quoted asks nothing
    run(study | {"questions": [told]}, tmp_path)
    third = read_json(path)
    assert third
    assert third["questions"][0]["declared"] == first["questions"][0]["declared"]
    assert (third["questions"][0]["ask"], third["questions"][0]["claim_for"]) == (asked, ["digits"])


def fake_costs(runs: list[Run], run_seconds: float, stream_seconds: float) -> Costs:
    return Costs(
        {r.variant.digest: run_seconds for r in runs},
        {r.data_key[:-1]: stream_seconds for r in runs},
        {r.variant.digest: 0 for r in runs},
    )


@pytest.mark.parametrize(
    ("seeds", "stream", "expected"),
    [(1, 0.1, 2), (2, 0.1, 2), (3, 0.1, 4), (2, 100.0, 2), (4, 100.0, 4)],  # as many cohorts as seeds
)
def test_a_cohort_is_split_where_that_shortens_the_finish(seeds: int, stream: float, expected: int) -> None:
    study = {"baseline": BASE, "factors": {"dropout": [0.1, 0.2, 0.3]}, "seeds": seeds}
    runs = resolve(Path("x.py"), study, "", Overrides()).runs()
    costs = fake_costs(runs, 1.0, stream)
    parts = split_jobs(runs, costs, workers=2)
    assert len(parts) == expected
    assert sorted(r.variant.name for part in parts for r in part) == sorted(r.variant.name for r in runs)
    assert finish_seconds(parts, costs, 2) <= finish_seconds(cohorts(runs), costs, 2)


def test_predictions_are_plain_arrays(one_worker: Path) -> None:
    path = next(one_worker.glob("runs/*/*/seed0/predictions.npz"))
    with np.load(path, allow_pickle=False) as archive:
        assert archive["val_logits"].dtype == np.float32
        assert archive["test_labels"].shape == (400,)


def test_tensorboard_has_the_scalars_and_pictures_of_the_tables(one_worker: Path) -> None:
    pictures: set[str] = set()
    for folder in one_worker.glob("runs/*/*/seed0"):
        accumulator = EventAccumulator(str(folder))
        accumulator.Reload()
        assert set(accumulator.Tags()["scalars"]) == {*EPOCH_SCALARS, *RESULT_TAGS.values()}
        pictures |= set(accumulator.Tags()["images"])
    assert pictures == {entry.tag for entry in RUN_PICTURES}


def test_another_processor_or_commit_is_no_other_maker_and_other_code_is() -> None:
    made = present_provenance("cpu")
    assert made.processor
    assert same_provenance(made, made.having(processor="another", commit="another"))
    assert not same_provenance(made, made.having(code="another"))


def test_comments_and_docstrings_are_no_other_code_and_everything_else_is() -> None:
    code = 'def f(x):\n    """Doubles."""\n    return 2 * x\n'
    assert meaning(code) == meaning("# why\ndef f(x):\n    return 2*x  # twice")
    assert meaning(code) != meaning(code.replace("2 *", "3 *"))
    assert meaning('TEXT = "a"') != meaning('TEXT = "b"')
    entry = 'Entry(name="a", meaning="doubles")'
    assert meaning(entry, ("meaning",)) == meaning(entry.replace("doubles", "times 2"), ("meaning",))
    assert meaning(entry, ("meaning",)) != meaning(entry.replace("a", "b"), ("meaning",))
    assert meaning(entry) != meaning(entry.replace("doubles", "times 2"))


def test_code_is_exactly_what_decides_numbers() -> None:
    """A new data set or picture, or where images come from, makes no other code: data have a fingerprint."""
    root = Path(__file__).parents[1] / "runner"
    assert {file.relative_to(root).as_posix() for file in deciding_files()} == {
        "confusion.py", "data/_dataset.py", "data/_split.py", "data/_stream.py", "models.py", "randomness.py",
        "torchvision.py",
        *(f"train/{name}.py" for name in (
            "__init__", "_arithmetic", "_lane", "_learner", "_lockstep", "_loss", "_mixing", "_optimizer", "_rate",
            "_recorded", "_tally",
        )),
        *(f"catalog/_{name}.py" for name in (
            "activations", "initializations", "losses", "models", "monitors", "rates", "schedules",
        )),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["logs/_writer.py", "logs/_pictures.py", "catalog/_datasets.py", "data/_sources.py"])
def test_a_new_data_set_or_picture_is_no_other_code(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert _code_with(monkeypatch, name) == _code_with(monkeypatch, "")


@pytest.mark.parametrize("name", ["catalog/_initializations.py", "train/_arithmetic.py", "randomness.py"])
def test_another_initialization_or_other_arithmetic_is_other_code(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert _code_with(monkeypatch, name) != _code_with(monkeypatch, "")


def _code_with(monkeypatch: pytest.MonkeyPatch, edited: str) -> str:
    """The hash of the code, one file of which has another line."""
    read = Path.read_text

    def text(self: Path, *args: Any, **options: Any) -> str:
        added = "\nANOTHER_LINE = 1\n" if edited and self.as_posix().endswith(f"runner/{edited}") else ""
        return read(self, *args, **options) + added

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", text)
        present_provenance.cache_clear()
        code = str(present_provenance("cpu").code)
    present_provenance.cache_clear()
    return code
