"""Own training that logs as frameworks do: Lightning's folders, Hugging Face's folders, and Lightning itself."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from runner.execute._own_attempts import left_metrics
from runner.store import FAILED, FINISHED, RunDir
from tests.commands import ROOT, run, start
from tests.foreign import write
from tests.test_own_run import table

PROJECT = """
import lightning as L, torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

class Net(L.LightningModule):
    def __init__(self, settings):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, settings["width"]), nn.ReLU(), nn.Linear(settings["width"], 10))
    def training_step(self, batch, _):
        loss = nn.functional.cross_entropy(self.net(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss
    def validation_step(self, batch, _):
        logits = self.net(batch[0])
        self.log("val_loss", nn.functional.cross_entropy(logits, batch[1]))
        self.log("val_acc", (logits.argmax(1) == batch[1]).float().mean())
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 1e-3)

def loaders():
    images, labels = load_digits(return_X_y=True)
    data = TensorDataset(torch.tensor(images, dtype=torch.float32) / 16, torch.tensor(labels))
    train, val = random_split(data, [0.8, 0.2], torch.Generator().manual_seed(0))
    return DataLoader(train, 64, shuffle=True), DataLoader(val, 256)
"""
TRAINER = """
import argparse, json, os, signal
from pathlib import Path
from torch.utils.tensorboard import SummaryWriter
parser = argparse.ArgumentParser()
for name in ("--output_dir", "--learning_rate", "--seed", "--die_at"):
    parser.add_argument(name)
given = parser.parse_args()
out, lr = Path(given.output_dir), float(given.learning_rate)
saved = out / "checkpoint.json"
start = json.loads(saved.read_text()) if saved.exists() else 0
month = "Dec" if start else "Nov"  # names that do not sort by time
writer = SummaryWriter(str(out / "runs" / f"{month}01_10-00-00_host"))
writer.add_text("args", "{}")
for step in range(start + 1, 101):
    if step % 10 == 0:
        for tag, value in (("loss", 3 / step), ("grad_norm", 1.0), ("epoch", step / 50)):
            writer.add_scalar(f"train/{tag}", value, step)
    if step % 25 == 0:
        writer.add_scalar("eval/loss", abs(step - 75) / 100 + lr, step)
        writer.add_scalar("eval/accuracy", step / 200 + int(given.seed) / 100, step)
        saved.write_text(json.dumps(step))
    if step == int(given.die_at) and not start:
        writer.flush()
        os.kill(os.getpid(), signal.SIGKILL)
writer.add_scalar("train/train_runtime", 12.5, 100)
writer.close()
"""


def hugging_face(place: Path, die_at: int = -1) -> dict[str, Any]:
    script = place / "run_classification.py"
    script.write_text(TRAINER)
    arguments = ["--output_dir", "{folder}", "--learning_rate", "{lr}", "--seed", "{seed}", "--die_at", str(die_at)]
    return {
        "command": [sys.executable, str(script), *arguments],
        "metrics": {"eval/accuracy": "more", "eval/loss": "less"},
        "monitor": "eval/loss",
        "baseline": {"lr": 0.1},
        "seeds": 1,
    }


def columns(folder: Path, *names: str) -> dict[str, dict[str, str]]:
    """The steps and values of some metrics, as metrics.csv has them."""
    rows = table(folder)
    return {name: {row["step"]: row[name] for row in rows if row[name]} for name in names}


def test_a_trainer_that_names_its_folder_by_the_clock_is_read_by_its_tags(tmp_path: Path) -> None:
    given = hugging_face(tmp_path) | {"variants": {"high": {"lr": 0.5}}, "seeds": 2}
    assert run(given, tmp_path, name="hf")[0].failed == 0
    for directory, lr in (("baseline", 0.1), ("high", 0.5)):
        for seed in (0, 1):
            (folder,) = tmp_path.glob(f"runs/hf/{directory}-*/seed{seed}")
            result = RunDir(folder).result()
            assert result
            assert result.metrics == {
                "eval/loss": pytest.approx(lr),
                "eval/accuracy": pytest.approx(0.375 + seed / 100),
            }
            found = columns(folder, "eval/loss", "train/loss", "train/train_runtime")
            assert list(found["eval/loss"]) == ["25", "50", "75", "100"]
            assert len(found["train/loss"]) == 10
            assert found["train/train_runtime"] == {"100": "12.5"}


def test_a_trainer_that_was_killed_and_resumed_leaves_one_curve(tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for place in (killed, whole):
        place.mkdir()
    given = hugging_face(killed, die_at=60)
    assert run(given, killed, name="hf")[0].failed == 1
    (folder,) = killed.glob("runs/hf/*/seed0")
    assert RunDir(folder).status() == FAILED
    assert run(given, killed, name="hf")[0].failed == 0
    assert RunDir(folder).status() == FINISHED
    assert len(list((folder / "own" / "runs").iterdir())) == 2
    run(hugging_face(whole), whole, name="hf")
    names = ("eval/loss", "eval/accuracy", "train/loss", "train/epoch")
    assert columns(folder, *names) == columns(next(whole.glob("runs/hf/*/seed0")), *names)


def test_lightnings_versions_are_one_run(tmp_path: Path) -> None:
    """Without Lightning: what its logger and its checkpoints leave, of a run that is killed and of one that is not."""
    found = {}
    for die_at in (2, -1):
        place = tmp_path / str(die_at)
        given = {
            "train": "tests.own_training:like_lightning",
            "metrics": {"val_loss": "less"},
            "baseline": {"die_at": die_at, "epochs": 5},
            "seeds": 1,
        }
        assert run(given, place, name="light")[0].failed == 0
        (folder,) = place.glob("runs/light/*/seed0")
        versions = sorted(path.name for path in (folder / "own" / "lightning_logs").iterdir())
        assert versions == ["version_0", "version_1"][: 1 + (die_at > 0)]
        found[die_at] = columns(folder, "val_loss", "train_loss", "epoch", "hp_metric")
    assert found[2] == found[-1]
    assert list(found[2]["val_loss"]) == ["49", "99", "149", "199", "249"]
    assert list(found[2]["hp_metric"]) == ["0"]


def events(folder: Path, scalars: dict[str, dict[int, float]], begun: int) -> set[Path]:
    """Writes an event file, as if it had been begun at this time."""
    write(folder, scalars)
    (path,) = folder.glob("events.*")
    return {path.rename(path.with_name(re.sub(r"tfevents\.\d+", f"tfevents.{begun}", path.name)))}


def test_writers_side_by_side_keep_their_names(tmp_path: Path) -> None:
    train, val = (events(tmp_path / name, {"acc": {0: 0.1}}, 1000) for name in ("train", "val"))
    both = {"train/acc", "val/acc"}
    assert {*left_metrics(tmp_path, ["acc"], set())[0]} == both
    assert {*left_metrics(tmp_path, ["acc"], train | val)[0]} == both
    assert {*left_metrics(tmp_path, ["val/acc"], train)[0]} == both
    assert {*left_metrics(tmp_path, ["acc"], train)[0]} == {"acc"}


def test_a_later_attempt_replaces_from_its_first_step_on(tmp_path: Path) -> None:
    first = events(tmp_path / "c", {"loss": {0: 1.0, 10: 0.8, 20: 0.5, 30: 0.25}, "hp": {0: -1.0}}, 1000)
    second = events(tmp_path / "b", {"loss": {10: 0.75, 20: 0.0}, "hp": {0: -1.0}}, 2000)
    events(tmp_path / "a", {"loss": {20: 0.125}}, 2000)
    events(tmp_path / "eval", {"acc": {10: 0.5}}, 2000)
    assert left_metrics(tmp_path, ["loss"], first | second) == {
        0: {"loss": 1.0, "hp": -1.0},
        10: {"loss": 0.75, "eval/acc": 0.5},
        20: {"loss": 0.125},
    }


def lightning_study() -> tuple[str, dict[str, Any]]:
    """The training function of docs/your-training.md, and a study for it."""
    text = (ROOT / "docs" / "your-training.md").read_text()
    (code,) = re.findall(r"```python\n(# mylightning\.py\n.*?)```", text, re.S)
    return code, {
        "train": "mylightning:main",
        "metrics": {"val_acc": "more", "val_loss": "less"},
        "monitor": "val_loss",
        "baseline": {"width": 8, "epochs": 3},
        "variants": {"wide": {"width": 64}},
        "seeds": 2,
        "questions": [
            {"ask": "Is wide better?", "compare": ["wide", "baseline"], "metric": "val_loss", "expect": "less"}
        ],
    }


@pytest.mark.slow
@pytest.mark.skipif(find_spec("lightning") is None, reason="needs Lightning")
def test_lightning_itself_from_the_docs_to_a_verdict(tmp_path: Path) -> None:
    code, given = lightning_study()
    (tmp_path / "mylightning.py").write_text(code)
    (tmp_path / "myproject.py").write_text(PROJECT)
    process = start(tmp_path, light=given)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    for folder in tmp_path.glob("runs/light/*/seed*"):
        result = RunDir(folder).result()
        assert result
        best = min(table(folder), key=lambda row: float(row["val_loss"] or "inf"))
        assert result.metrics == {name: float(best[name]) for name in ("val_loss", "val_acc")}
        assert len(columns(folder, "val_loss")["val_loss"]) == 3
    assert not (tmp_path / "lightning_logs").exists()
    assert "Is wide better?" in (tmp_path / "reports" / "light" / "summary.md").read_text()
    dry = [sys.executable, "-m", "runner", "run", "light", "--dry-run"]
    again = subprocess.run(dry, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    assert "0 of 4 runs to do" in again.stdout
