"""Logs of other programs become studies: their numbers, what is said of them, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from runner.__main__ import main
from runner.adopt import Adopted, AdoptRequest, adopt
from runner.adopt._measure import At, measured
from runner.adopt._write import Change
from runner.prune import find_removable
from runner.publish import write_report
from runner.spec import Kind, RequestError
from runner.store import RunDir, read_study
from runner.verdicts import SUPPORTED, Exploratory, gather, judge
from tests.foreign import write
from tests.own import write_steps
from tests.reports import cells
from tests.tab import Tab

LOSS = {"adam": [0.50, 0.52, 0.54], "sgd/big": [0.30, 0.33, 0.33]}  # the last one of each seed


def curves(last: float) -> dict[str, Any]:
    """Four steps: F1 is best at the last, the loss at the second last, a bookkeeping tag."""
    return {
        "val/loss": [last + 0.3, last + 0.1, last - 0.1, last], "val/f1": [0.1, 0.2, 0.3, 1 - last],
        "lr": {0: 0.1, 2: 0.01},
    }  # fmt: skip


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for variant, own in LOSS.items():
        for seed, last in enumerate(own):
            write(tmp_path / "logs" / variant / f"seed{seed}", curves(last), new_style=seed == 1)
    return tmp_path / "logs"


@pytest.fixture
def take(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Adopted]:
    """Adopts the logs with the baseline adam."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.fsync", lambda _: None)
    return lambda **more: adopt(AdoptRequest(logs, **({"baseline": "adam"} | more)))


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder: its time and content."""
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def refused(call: Callable[[], object]) -> list[Kind]:
    with pytest.raises(RequestError) as error:
        call()
    return [problem.kind for problem in error.value.problems]


def study(text: str, name: str = "ask.py") -> Path:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'"""Which optimizer?"""\nSTUDY = {text}\n')
    return path


def test_every_number_of_a_study_of_event_files(logs: Path, take: Callable[..., Adopted]) -> None:
    before = state(logs)
    found = take()
    assert (found.name, found.counts) == ("logs", {Change.NEW: 6})
    assert state(logs) == before
    data = gather(Path("runs/logs"))
    assert data.study.metrics == {"val/f1": "more", "val/loss": "less"}
    assert data.variants == ["baseline", "sgd_big"]
    assert data.study.variants["sgd_big"].settings == {"variant": "sgd/big"}
    assert data.values("sgd_big", "val/loss").tolist() == pytest.approx(LOSS["sgd/big"])
    run = RunDir(next(Path("runs/logs").glob("sgd_big-*/seed1")))
    known, result = run.run_json(), run.result()
    assert known
    assert result
    assert known.model_extra == {"adopted": "sgd/big/seed1"}
    assert result.numbers == pytest.approx({"val/loss": 0.33, "val/f1": 0.67, "lr": 0.01})
    rows = [line.split(",") for line in (run.folder / "metrics.csv").read_text().splitlines()]
    assert rows[0] == ["step", "val/loss", "val/f1", "lr"]
    assert [row[3] for row in rows[1:]] == [str(np.float32(0.1).item()), "", str(np.float32(0.01).item()), ""]
    board = EventAccumulator(str(run.folder)).Reload()
    assert [point.value for point in board.Scalars("val/f1")] == pytest.approx([0.1, 0.2, 0.3, 0.67])
    assert [point.step for point in board.Scalars("lr")] == [0, 2]


def test_verdicts_are_exploratory_and_their_numbers_are_those_by_hand(take: Callable[..., Adopted]) -> None:
    text = """{"metrics": {"val/loss": "less"}, "questions": [
        {"ask": "Is SGD better?", "compare": ["sgd/big", "adam"], "expect": "less"}]}"""
    take(questions=study(text))
    (verdict,) = judge(gather(Path("runs/logs")))
    differences = np.array(LOSS["sgd/big"]) - LOSS["adam"]
    half = stats.t.ppf(0.975, 2) * differences.std(ddof=1) / np.sqrt(3)
    interval = verdict.comparisons[0].effect.interval
    assert (interval.estimate, interval.high) == pytest.approx((differences.mean(), differences.mean() + half))
    assert (verdict.answer, verdict.exploratory) == (SUPPORTED, (Exploratory.LATE,))
    assert verdict.comparisons[0].effect.p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, rel=1e-4)


def test_the_report_and_the_tab_show_adopted_runs(take: Callable[..., Adopted]) -> None:
    take()
    effects = write_report(Path("runs/logs"), Path("reports/logs"))
    f1 = [1 - loss for loss in LOSS["sgd/big"]]
    assert effects.row("sgd_big", "val/f1").mean.estimate == pytest.approx(np.mean(f1))
    assert cells(Path("reports/logs/summary.md").read_text(), "sgd_big")[1].startswith("0.680")
    found = Tab(Path("runs")).every("logs")
    assert found["progress"]["counts"] == {"finished": 6}
    assert found["curves"]["curves"]["val/f1"]["sgd_big"]["epoch"] == [0, 1, 2, 3]
    assert found["overview"]["order"] == ["sgd_big", "baseline"]


@pytest.mark.parametrize(
    ("at", "loss", "f1"), [("last", 0.3, 0.7), ("best:val/loss", 0.2, 0.3), ("best:val/f1", 0.3, 0.7), ("1", 0.4, 0.2)]
)
def test_metrics_are_taken_at_a_step(take: Callable[..., Adopted], at: str, loss: float, f1: float) -> None:
    take(at=at)
    data = gather(Path("runs/logs"))
    assert data.values("sgd_big", "val/loss")[0] == pytest.approx(loss)
    assert data.values("sgd_big", "val/f1")[0] == pytest.approx(f1)


def test_what_a_metric_is_between_before_and_after_its_steps() -> None:
    scalars = {"a": {10: 1.0, 20: 2.0}, "b": {20: 5.0, 30: float("nan")}}
    assert measured(scalars, At(step=15)) == {"a": 1.0}
    assert measured(scalars, At(step=99))["a"] == 2.0
    assert measured(scalars, At(best="b"), less=True) == {"a": 2.0, "b": 5.0}
    assert measured(scalars, At(best="c")) == {}
    assert np.isnan(measured({"b": {1: float("nan")}}, At(best="b"))["b"])


def test_repeating_takes_new_and_changed_runs_alone(logs: Path, take: Callable[..., Adopted]) -> None:
    take()
    before = state(Path("runs/logs"))
    assert take().counts == {Change.NONE: 6}
    assert {path for path, each in state(Path("runs/logs")).items() if before[path] != each} == {"runs/logs/study.json"}
    write(logs / "adam" / "seed3", curves(0.6))
    write(logs / "new" / "seed0", curves(0.1))
    shutil.rmtree(logs / "adam" / "seed1")
    shutil.rmtree(logs / "sgd" / "big" / "seed2")
    write(logs / "sgd" / "big" / "seed2", curves(0.2))
    assert adopt(AdoptRequest(logs)).counts == {Change.NEW: 2, Change.REFRESHED: 1, Change.NONE: 5}
    data = gather(Path("runs/logs"))
    assert data.values("baseline", "val/loss").tolist() == pytest.approx([0.5, 0.52, 0.54, 0.6])  # seed 1 stays
    assert data.values("sgd_big", "val/loss")[2] == pytest.approx(0.2)
    assert data.values("new", "val/loss").tolist() == pytest.approx([0.1])


def test_a_corrupt_copy_is_written_again_and_another_step_refreshes_all(take: Callable[..., Adopted]) -> None:
    take()
    next(Path("runs/logs").glob("sgd_big-*/seed1/metrics.csv")).write_text("step\n")
    assert take().counts == {Change.REFRESHED: 1, Change.NONE: 5}
    shutil.rmtree(Path("logs/adam/seed2"))
    assert take(at="1").counts == {Change.REFRESHED: 6}  # also one that is no longer in the logs
    assert gather(Path("runs/logs")).values("baseline", "val/loss").tolist() == pytest.approx([0.6, 0.62, 0.64])
    assert take().counts == {Change.NONE: 6}  # at the step of before


def test_a_question_keeps_the_time_of_its_declaration(take: Callable[..., Adopted]) -> None:
    path = study('{"questions": [{"ask": "?", "compare": ["sgd/big", "baseline"]}]}', "ablations/logs.py")
    take()
    file = Path("runs/logs/study.json")
    content = json.loads(file.read_text())
    assert content["doc"] == "Which optimizer?"
    content["questions"][0]["declared"] = "2020-01-01T00:00:00+00:00"
    file.write_text(json.dumps(content))
    path.write_text(path.read_text().replace("?", "Better?"))
    take()
    known = read_study(Path("runs/logs"))
    assert known
    assert known.questions[0]["declared"] == "2020-01-01T00:00:00+00:00"
    assert known.questions[0]["ask"] == "Better?"


def test_resumed_runs_several_files_and_torn_ends(logs: Path, take: Callable[..., Adopted]) -> None:
    folder = logs / "adam" / "seed0"
    with SummaryWriter(str(folder), purge_step=2, filename_suffix=".resumed") as writer:
        writer.add_scalar("val/loss", 0.9, 2)
    torn = next((logs / "adam" / "seed1").iterdir())
    torn.write_bytes(torn.read_bytes()[:-5])
    found = take()
    data = gather(Path("runs/logs"))
    assert data.values("baseline", "val/loss")[0] == pytest.approx(0.9)  # steps 2 and 3 of before are gone
    assert data.values("baseline", "val/f1")[0] == pytest.approx(0.2)
    assert len(found.remarks) >= 5  # several files, doubled steps, a torn end, a name, unequal steps


def test_a_run_whose_metric_is_not_finite_has_failed(logs: Path, take: Callable[..., Adopted]) -> None:
    write(logs / "adam" / "seed3", {"val/loss": [1.0, float("nan")], "val/f1": [0.5, float("nan")]})
    write(logs / "adam" / "seed4", {"other": [1.0]})
    take()
    data = gather(Path("runs/logs"))
    assert [(lost.seed, lost.machines) for lost in data.lost(["baseline"])] == [(3, False)]
    assert len(data.finished("baseline")) == 3
    assert take().counts == {Change.NONE: 7}


def test_parts_of_a_run_become_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for seed in range(2):
        write(tmp_path / "tb" / f"baseline-s{seed}" / "train", {"loss": [1.0, 0.5]})
        write(tmp_path / "tb" / f"baseline-s{seed}" / "val", {"loss": [1.0, 0.7]})
    adopt(AdoptRequest(tmp_path / "tb", variants="{variant}-s{seed}", name="parts"))
    data = gather(Path("runs/parts"))
    assert data.values("baseline", "val/loss").tolist() == pytest.approx([0.7, 0.7])
    assert data.values("baseline", "train/loss").tolist() == [0.5, 0.5]


def test_missing_seeds_and_unequal_steps_are_on_the_page(logs: Path, take: Callable[..., Adopted]) -> None:
    write(logs / "adam" / "seed7", {"val/f1": [0.5, 0.6]})
    found = take()
    write_report(Path("runs/logs"), Path("reports/logs"))
    page = Path("reports/logs/summary.md").read_text()
    assert "1 to 3" in page
    assert len(found.remarks) == 3  # a missing seed, a name, unequal steps
    assert cells(page, "baseline")[0] == "4"
    assert gather(Path("runs/logs")).effect("sgd_big", "val/f1").interval.n == 3


def test_a_table_of_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [
        {"variant": name, "seed": seed, "acc": value + seed / 10, "note": "x"}
        for name, value in (("baseline", 0.5), ("b", 0.6)) for seed in range(3)
    ]  # fmt: skip
    write_steps(tmp_path / "results.csv", rows)
    found = adopt(AdoptRequest(Path("results.csv")))
    data = gather(Path("runs/results"))
    assert (found.counts, data.study.metrics) == ({Change.NEW: 6}, {"acc": "more"})
    assert data.values("b", "acc").tolist() == pytest.approx([0.6, 0.7, 0.8])
    assert Tab(Path("runs")).get("curves", "results")["curves"] == {}
    assert refused(lambda: adopt(AdoptRequest(Path("results.csv"), at="3"))) == [Kind.CONFLICT]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", [Kind.MISSING]), ("variant,acc\na,1\n", [Kind.MISSING]), ("variant,seed\na,1\n", [Kind.MISSING]),
        ("variant,seed,acc\na,x,1\n,1,1\n", [Kind.VALUE] * 2), ("variant,seed,acc\na,1,1\na,01,2\n", [Kind.DUPLICATE]),
        ("variant,seed,acc\na,1,1\n", [Kind.MISSING]),
    ],
)  # fmt: skip
def test_a_wrong_table_is_refused(tmp_path: Path, text: str, kinds: list[Kind]) -> None:
    (tmp_path / "results.csv").write_text(text)
    request = AdoptRequest(tmp_path / "results.csv", runs=tmp_path / "runs")
    assert refused(lambda: adopt(request)) == kinds
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"baseline": ""}, Kind.MISSING), ({"baseline": "adm"}, Kind.UNKNOWN),
        ({"variants": "{variant}"}, Kind.MISSING),
        ({"variants": "{variants}/{seed}"}, Kind.UNKNOWN), ({"variants": "x{variant}/seed{seed}"}, Kind.UNKNOWN),
        ({"at": "best"}, Kind.VALUE), ({"at": "best:f2"}, Kind.UNKNOWN), ({"at": "-1"}, Kind.VALUE),
        ({"runs": Path("logs")}, Kind.CONFLICT), ({"runs": Path("logs/runs")}, Kind.CONFLICT),
    ],
)  # fmt: skip
def test_a_wrong_request_writes_nothing(take: Callable[..., Adopted], more: dict[str, Any], kind: Kind) -> None:
    before = state(Path())
    assert refused(lambda: take(**more)) == [kind]
    assert state(Path()) == before


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("[]", [Kind.VALUE]), ('{"metrics": {"val/f1": "up"}, "questions": {}}', [Kind.VALUE] * 2),
        ('{"metrics": {"f2": "more"}, "monitor": "x"}', [Kind.UNKNOWN] * 2),
        ('{"metrics": {"seed": "more"}}', [Kind.CONFLICT]),
        ('{"questions": [{"ask": "?", "compare": ["x", "adam"]}, {"ask": "?"}]}', [Kind.UNKNOWN, Kind.CONFLICT]),
        ('{"questions": [{"ask": "?", "trend": "lr"}]}', [Kind.CONFLICT]),
        ('{"questions": [{"ask": "?", "value": ["adam", 1], "images": "new"}]}', [Kind.CONFLICT]),
        ('{"questions": [{"ask": "?", "compare": ["sgd/big", "adam"], "metric": "lr"}]}', [Kind.UNKNOWN]),
    ],
)  # fmt: skip
def test_wrong_questions_are_refused(take: Callable[..., Adopted], text: str, kinds: list[Kind]) -> None:
    path = study(text)
    assert refused(lambda: take(questions=path)) == kinds
    assert not Path("runs").exists()


def test_other_runs_are_not_overwritten_and_prune_offers_no_adopted_one(take: Callable[..., Adopted]) -> None:
    take()
    assert refused(lambda: take(baseline="sgd/big")) == [Kind.CONFLICT]
    file = Path("runs/logs/study.json")
    content = json.loads(file.read_text())
    del content["variants"]["sgd_big"]
    file.write_text(json.dumps(content))
    assert find_removable(Path("runs")).items == find_removable(Path("runs"), ["logs"], checkpoints=True).items == []
    del content["adopted"]
    file.write_text(json.dumps(content))
    found = find_removable(Path("runs")).items  # runs that are not adopted, and that no study names
    assert [item.folder.name for item in found] == ["seed0", "seed1", "seed2", "mean"]
    assert refused(take) == [Kind.CONFLICT]


def test_the_command(take: Callable[..., Adopted], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(["adopt", "logs"])
    assert error.value.code == 2
    assert "sgd/big (3 seeds)" in capsys.readouterr().err
    with pytest.raises(SystemExit) as error:
        main(["adopt", "logs", "--baseline", "adam", "--as", "opt", "--at", "best:val/loss", "--reports", "out"])
    assert error.value.code == 0
    assert (Path("out/opt/summary.md").exists(), Path("out/summary.md").exists()) == (True, True)
    assert "6 new" in capsys.readouterr().out
