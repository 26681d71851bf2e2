"""Hparams of adopted logs become settings, wherever SummaryWriter or Lightning wrote them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from runner.adopt import AdoptRequest, adopt
from runner.adopt._runs import LoggedRun
from runner.adopt._settings import settings_of as settings_of_runs
from runner.adopt._write import Change
from runner.publish import write_report
from runner.spec import Kind, RequestError
from runner.store import mean_tag, read_study
from runner.verdicts import SUPPORTED, gather, judge
from tests.boards import SESSIONS, Get, tensorboard
from tests.foreign import write, write_lightning

RATES = {"base": 0.1, "low": 0.01, "high": 1.0}


def settings_of(name: str) -> dict[str, dict[str, Any]]:
    study = read_study(Path("runs") / name)
    assert study
    return {own: entry.settings for own, entry in study.variants.items()}


def refused(request: AdoptRequest) -> list[Kind]:
    with pytest.raises(RequestError) as error:
        adopt(request)
    return [problem.kind for problem in error.value.problems]


def write_run(folder: Path, rate: float, seed: int, accuracy: float = 0.9, steep: float = 0.1, **more: Any) -> None:
    """A run's curve, then its hparams by add_hparams, which opens a sub-folder named by the clock."""
    write(folder, {"val/acc": [0.1, 0.5 + steep * rate + seed / 100]})
    with SummaryWriter(str(folder)) as writer:
        said = {"lr": rate, "seed": seed, "batch_size": 64, "opt": "adam", "log_dir": str(folder), **more}
        writer.add_hparams(said, {"hparam/acc": accuracy, "val/acc": 0.0})


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.fsync", lambda _: None)
    return tmp_path


@pytest.fixture
def logs(place: Path) -> AdoptRequest:
    for name, rate in RATES.items():
        for seed in range(3):
            write_run(place / "logs" / name / f"seed{seed}", rate, seed, draw=seed * rate)
    return AdoptRequest(Path("logs"), baseline="base")


def test_add_hparams_is_about_the_run_above(logs: AdoptRequest) -> None:
    found = adopt(logs)
    same = {"batch_size": 64, "opt": "adam"}
    assert settings_of("logs") == {
        "baseline": {"lr": 0.1, **same}, "high": {"lr": 1, **same}, "low": {"lr": 0.01, **same}
    }  # fmt: skip
    assert isinstance(settings_of("logs")["high"]["batch_size"], int)
    assert sum("draw" in remark for remark in found.remarks) == 1  # it differs between seeds, so it is no setting
    data = gather(Path("runs/logs"))
    assert data.values("high", "val/acc").tolist() == pytest.approx([0.6, 0.61, 0.62])  # the curve's, not add_hparams's
    assert data.values("high", "hparam/acc").tolist() == pytest.approx([0.9] * 3)
    assert data.levels("lr") == {"low": 0.01, "baseline": 0.1, "high": 1}
    write_report(Path("runs/logs"), Path("reports/logs"))
    page = Path("reports/logs/summary.md").read_text()
    assert "| high | `lr=1` |" in page
    assert "| batch_size | `64` |" in page
    assert Path("reports/logs/figures/levels.png").exists()


def test_a_trend_over_an_hparam_is_judged(place: Path) -> None:
    for name, rate in RATES.items():
        for seed in range(3):  # each seed has a slope of its own: equal ones decide nothing
            write_run(place / "logs" / name / f"seed{seed}", rate, seed, steep=0.1 + 0.001 * seed)
    (place / "ask.py").write_text(
        'STUDY = {"metrics": {"val/acc": "more"}, "questions": [{"ask": "?", "trend": "lr", "expect": "more"}]}'
    )
    request = AdoptRequest(Path("logs"), baseline="base", questions=Path("ask.py"))
    adopt(request)
    (verdict,) = judge(gather(Path("runs/logs")))
    assert (verdict.answer, len(verdict.comparisons)) == (SUPPORTED, 1)
    for trend in ("batch_size", "opt", "dropout"):  # one number, none, none
        (place / "ask.py").write_text(f'STUDY = {{"questions": [{{"ask": "?", "trend": "{trend}"}}]}}')
        assert refused(request) == [Kind.CONFLICT]


def test_hparams_that_come_later_refresh_a_run(place: Path) -> None:
    for seed in range(2):
        write(place / "logs" / "baseline" / f"seed{seed}", {"acc": [0.5]})
        write(place / "logs" / "b" / f"seed{seed}", {"acc": [0.6]})
    request = AdoptRequest(Path("logs"))
    adopt(request)
    assert settings_of("logs") == {"baseline": {"variant": "baseline"}, "b": {"variant": "b"}}
    file = Path("runs/logs/study.json")
    content = json.loads(file.read_text())
    for entry in content["variants"].values():
        del entry["called"]  # as the first version wrote it
    file.write_text(json.dumps(content))
    assert adopt(request).counts == {Change.NONE: 4}
    for name, width in (("baseline", 8), ("b", 9)):
        for seed in range(2):
            with SummaryWriter(f"logs/{name}/seed{seed}") as writer:
                writer.add_hparams({"width": width}, {}, run_name=".")
    assert adopt(request).counts == {Change.REFRESHED: 4}
    assert settings_of("logs") == {"baseline": {"width": 8}, "b": {"width": 9}}
    assert adopt(request).counts == {Change.NONE: 4}


def test_a_seed_is_no_setting_where_each_variant_has_one_run_either() -> None:
    runs = [
        LoggedRun(name, seed, name, {"acc": {0: 1.0}}, {}, {"lr": rate, "model/random_state": float(seed)})
        for seed, (name, rate) in enumerate((("a", 0.1), ("b", 2.0)))
    ]
    assert settings_of_runs(runs, {"a": "baseline", "b": "b"}) == {"baseline": {"lr": 0.1}, "b": {"lr": 2}}


def test_variants_with_equal_hparams_are_told_apart_by_their_names(place: Path) -> None:
    for name in ("baseline", "b"):
        for seed in range(2):
            write_run(place / "logs" / name / f"seed{seed}", 0.1, seed)
    adopt(AdoptRequest(Path("logs")))
    assert settings_of("logs")["b"] == {"lr": 0.1, "batch_size": 64, "opt": "adam", "variant": "b"}
    study = read_study(Path("runs/logs"))
    assert study
    assert study.variants["b"].changes == {"variant": "b"}


def test_add_hparams_called_again_counts_last(place: Path) -> None:
    for seed in range(2):
        folder = place / "logs" / "baseline" / f"seed{seed}"
        write_run(folder, 0.1, seed, accuracy=0.3)
        (first,) = (path for path in folder.iterdir() if path.is_dir())
        write_run(folder, 0.1, seed, accuracy=0.7)
        first.rename(folder / "1795703868.51234")
        (second,) = (path for path in folder.iterdir() if path.is_dir() and path.name != "1795703868.51234")
        second.rename(folder / "1795703868.9")  # later, though its digits are fewer
        write_run(place / "logs" / "b" / f"seed{seed}", 0.2, seed)
    adopt(AdoptRequest(Path("logs")))
    assert gather(Path("runs/logs")).values("baseline", "hparam/acc").tolist() == pytest.approx([0.7, 0.7])


def test_add_hparams_in_a_loop_makes_a_run_of_each_call(place: Path) -> None:
    with SummaryWriter(str(place / "logs" / "run1")) as writer:  # as in its documentation
        for rate in (0.1, 0.2):
            for seed in range(3):
                writer.add_hparams({"lr": rate, "bsize": 32, "seed": seed}, {"hparam/accuracy": rate + seed / 100})
    request = AdoptRequest(Path("logs"), baseline="lr=0.1")
    assert adopt(request).counts == {Change.NEW: 6}
    assert settings_of("logs") == {"baseline": {"lr": 0.1, "bsize": 32}, "lr=0.2": {"lr": 0.2, "bsize": 32}}
    data = gather(Path("runs/logs"))
    assert data.values("lr=0.2", "hparam/accuracy").tolist() == pytest.approx([0.2, 0.21, 0.22])
    assert adopt(AdoptRequest(Path("logs"))).counts == {Change.NONE: 6}  # grouped as before
    patterned = adopt(AdoptRequest(Path("logs"), variants="{variant}{seed}", baseline="run", name="one"))
    assert patterned.counts == {Change.NEW: 1}
    assert any("differ" in remark for remark in patterned.remarks)


def test_lightnings_versions_are_grouped_by_their_hparams(place: Path) -> None:
    for number, (dropout, seed) in enumerate((dropout, seed) for dropout in (0.0, 0.5) for seed in (1, 2, 3)):
        folder = place / "lightning_logs" / f"version_{number}"
        write_lightning(folder, {"dropout": dropout, "seed": seed}, {"val_acc": [0.5, 0.6 + dropout / 10 + seed / 100]})
    adopt(AdoptRequest(Path("lightning_logs"), baseline="dropout=0", name="pl"))
    assert settings_of("pl") == {"baseline": {"dropout": 0}, "dropout=0.5": {"dropout": 0.5}}
    assert gather(Path("runs/pl")).effect("dropout=0.5", "val_acc").interval.estimate == pytest.approx(0.05)


def test_hparams_without_seeds_and_runs_without_hparams_are_refused(place: Path) -> None:
    for number in range(4):
        write_lightning(place / "pl" / f"version_{number}", {"dropout": number // 2}, {"val_acc": [0.5]})
        write(place / "plain" / f"version_{number}", {"val_acc": [0.5]})
    assert refused(AdoptRequest(Path("pl"), baseline="dropout=0")) == [Kind.MISSING]
    assert refused(AdoptRequest(Path("plain"), variants="hparams", baseline="x")) == [Kind.MISSING]
    assert not Path("runs").exists()


def test_a_study_with_other_metrics_rewrites_means_and_final_values(logs: AdoptRequest, place: Path) -> None:
    adopt(logs)
    (place / "ask.py").write_text('STUDY = {"metrics": {"hparam/acc": "more"}}')
    asked = AdoptRequest(logs.source, baseline="base", questions=Path("ask.py"))
    assert adopt(asked).counts == {Change.REFRESHED: 9}
    (mean,) = Path("runs/logs").glob("high-*/mean")
    tags = EventAccumulator(str(mean)).Reload().Tags()["scalars"]
    assert mean_tag("hparam/acc") in tags
    assert mean_tag("val/acc") not in tags
    assert adopt(asked).counts == {Change.NONE: 9}


@pytest.fixture
def board(logs: AdoptRequest, place: Path) -> Iterator[Get]:
    """A TensorBoard over the adopted study alone, which has a run that failed."""
    write_run(place / "logs" / "high" / "seed3", 1.0, 3)
    write(place / "logs" / "high" / "seed3", {"val/acc": {5: float("nan")}})
    adopt(logs)
    with tensorboard(place / "runs" / "logs", runs=13) as get:  # 10 seeds, 3 means
        yield get


def test_tensorboard_shows_the_hparams_and_the_means(board: Get) -> None:
    groups = {each["hparams"]["variant"]: each for each in
              board("plugin/hparams/session_groups", SESSIONS)["sessionGroups"]}  # fmt: skip
    assert {name: group["hparams"]["lr"] for name, group in groups.items()} == {"baseline": 0.1, "low": 0.01, "high": 1}
    assert groups["high"]["hparams"]["opt"] == "adam"
    assert "seed" not in groups["high"]["hparams"]
    statuses = sorted(session["status"] for session in groups["high"]["sessions"])
    assert statuses == ["STATUS_FAILURE", *["STATUS_SUCCESS"] * 3]
    (mean,) = (name for name in board("runs") if name.startswith("high-") and name.endswith("/mean"))
    shown = board("plugin/scalars/scalars", tag=mean_tag("val/acc"), run=mean)
    assert [value for *_, value in shown] == pytest.approx([0.1, 0.61])
    (failed,) = (name for name in board("runs") if name.startswith("high-") and name.endswith("/seed3"))
    assert "val/acc" in board("plugin/text/text", run=failed, tag="failure/text_summary")[0]["text"]
