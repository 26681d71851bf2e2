"""The Ablations tab in a real browser: the numbers that it draws, a study that trains meanwhile, hostile names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pandas as pd
import pytest

from runner.store import StudyFile
from tests.browser import board, browser, complaints, hosts, tab, texts, until
from tests.foreign import write
from tests.own import plant_own
from tests.planted import Images, Planted, entry, plant_study

STUDY = '''"""Does a wide layer help?"""
STUDY = {
    "baseline": {"dataset": "digits", "model": "mlp", "hidden": [8], "optimizer": "Adam", "lr": 1e-2, "batch_size": 64,
                 "epochs": 4},
    "variants": {"wide": {"hidden": [64]}, "slow": {"lr": 1e-5}},
    "seeds": 3,
    "questions": [{"ask": "Does a wide layer help?", "compare": ["wide", "baseline"], "expect": "more"}],
}
'''
HOSTILE = '<img src=x onerror="window.top.hacked=1"><script>window.top.hacked=1'


def numbers(row: Any) -> str:
    """What the effect plot says of a row of summary.csv."""
    effect, low, high = (100 * row[key] for key in ("effect", "effect low", "effect high"))
    return f"{effect:+.2f} [{low:+.2f}, {high:+.2f}], n = {row['effect n']}"


@pytest.mark.slow
def test_a_study_appears_trains_and_ends_with_the_numbers_of_the_report(tmp_path: Path) -> None:
    (tmp_path / "ablations").mkdir()
    (tmp_path / "ablations" / "wide.py").write_text(STUDY)
    (tmp_path / "runs").mkdir()
    with board(tmp_path / "runs") as address, browser() as opened:
        tab(opened, address)
        assert texts(opened, "h1") == ["No study yet"]
        with (tmp_path / "train.txt").open("w") as log:
            command = [sys.executable, "-m", "runner", "run", "wide", "--workers", "1"]
            training = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT)
        until(lambda: texts(opened, "h1") == ["Does a wide layer help?"])
        assert training.wait(300) == 0
        until(lambda: texts(opened, ".progress") == [" 9 finished of 9 runs"])
        table = pd.read_csv(tmp_path / "reports/wide-digits/summary.csv")
        rows = table[(table["metric"] == "val/accuracy") & (table["effect n"] > 0)]
        drawn = [text.strip("◀▶ ") for text in texts(opened, "#effects .numbers text, #effects .off-scale text")]
        assert len(drawn) == len(rows) == 2
        assert all(any(numbers(row).startswith(text) for text in drawn) for _, row in rows.iterrows())
        assert texts(opened, ".badge") != ["Waiting"]
        assert len(texts(opened, "#curves figure svg")) == 4
        assert complaints(opened) == []
        assert hosts(opened) == {urlparse(address).netloc}


def test_a_variant_is_linked_to_with_its_changes_and_its_runs(tmp_path: Path) -> None:
    plant(tmp_path / "runs" / "s", "wide")
    with board(tmp_path / "runs") as address, browser() as opened:
        tab(opened, address, study="s", variant="wide", metric="test/accuracy")
        assert texts(opened, "#variant tbody tr")[0] == "hidden[8][64]"
        assert texts(opened, "#effects h2") == ["Effects on test accuracy"]
        links = opened.find_elements("css selector", "#variant .links a")
        assert "#timeseries" in str(links[0].get_attribute("href"))
        opened.find_element("css selector", "#variant .close").click()
        assert texts(opened, "#variant") == []
        assert complaints(opened) == []


def test_names_with_html_and_scripts_are_inert(tmp_path: Path) -> None:
    plant(tmp_path / "runs" / "s", HOSTILE)
    with board(tmp_path / "runs") as address, browser() as opened:
        tab(opened, address)
        opened.execute_script("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert HOSTILE in texts(opened, "h1")[0]
        assert HOSTILE in texts(opened, ".ask b")[0]
        assert texts(opened, "main img, main script") == []
        opened.switch_to.default_content()
        assert opened.execute_script("return window.hacked") is None
        assert complaints(opened) == []


def test_a_study_is_drawn_by_its_own_metrics(tmp_path: Path) -> None:
    plant_own(tmp_path / "runs" / "own")
    with board(tmp_path / "runs") as address, browser() as opened:
        tab(opened, address, study="own")
        drawn = until(lambda: texts(opened, "#effects .numbers text"), 30)
        assert drawn[0].startswith("+0.100 [+0.087")
        assert texts(opened, "#curves figcaption") == ["val/f1", "val/loss, log scale (off the scale: wide)"]
        assert texts(opened, "#levels h2") == ["val/f1 over levels"]
        assert len(texts(opened, "#curves figure svg")) == 2
        assert "step" in " ".join(texts(opened, "#curves svg text"))
        assert complaints(opened) == []


def plant(folder: Path, name: str) -> None:
    """A study of a baseline and one variant, three seeds each."""
    settings = {"dataset": "digits", "model": "mlp", "hidden": [8], "epochs": 5}
    variants = {"baseline": entry("baseline", settings, {}), name: entry(name, settings, {"hidden": [64]})}
    question = {"ask": name, "compare": [name, "baseline"], "claim": name, "declared": "2023-01-01T00:00:00"}
    study = StudyFile(name=folder.name, file="s.py", doc=name, command="run", variants=variants, questions=[question])
    runs = {
        "baseline": {seed: Planted(0.80 + seed / 100) for seed in range(3)},
        name: {seed: Planted(0.85 + seed / 90) for seed in range(3)},
    }
    plant_study(folder, study, runs, Images(["a", name], [30, 30]))


def test_logs_of_another_program_are_compared(tmp_path: Path) -> None:
    for variant, gain in (("baseline", 0.0), ("adamw", 0.1)):
        for seed in range(3):
            values = [0.5 + gain + seed / 100 + step / 1000 * (1 + gain * seed) for step in range(5)]
            write(tmp_path / "runs" / variant / f"seed{seed}", {"val/acc": values})
    with board(tmp_path / "runs") as address, browser() as opened:
        tab(opened, address)
        opened.find_element("css selector", ".empty button").click()
        drawn = until(lambda: texts(opened, "[data-tag='val/acc'] .numbers text"), 30)
        assert len(drawn) == 1
        assert drawn[0].startswith("+0.100 [+0.0")
        pattern = opened.find_element("css selector", "[aria-label=Pattern]")
        assert pattern.get_attribute("value") == "{variant}/seed{seed}"
        assert complaints(opened) == []
