"""Studies whose seeds draw their own train and validation images."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.publish import write_report
from runner.stats import paired_effect, resampled_effect
from runner.store import RunDir
from runner.verdicts import effects_table, gather, judge
from tests.commands import run
from tests.studies import BASE


def test_each_seed_validates_on_images_of_its_own_and_the_report_says_what_that_means(tmp_path: Path) -> None:
    questions = [
        {"ask": "Is it better?", "compare": ["wide", "baseline"]},
        {"ask": "Is it better on test?", "compare": ["wide", "baseline"], "metric": "test/accuracy"},
    ]
    base = BASE | {"epochs": 1, "split": "seed"}
    study = {"baseline": base, "variants": {"wide": {"hidden": [64]}}, "seeds": 3, "questions": questions}
    outcome, text = run(study, tmp_path)
    assert outcome.failed == 0, text
    labels = {}
    for path in sorted(tmp_path.glob("runs/*/*/seed*")):
        archive, known = RunDir(path).load_predictions(), RunDir(path).run_json()
        assert archive
        assert known
        labels[path.parent.name, path.name] = (archive["val_labels"].tobytes(), archive["test_labels"].tobytes())
        assert known.train_images == 1197
    variants = {name for name, _ in labels}
    for seed in ("seed0", "seed1", "seed2"):
        assert len({labels[name, seed] for name in variants}) == 1  # law 3: the same for every variant
    assert len({own[0] for own in labels.values()}) > 1
    assert len({own[1] for own in labels.values()}) == 1
    folder = tmp_path / "runs" / "study-digits"
    data = gather(folder)
    plain = paired_effect(data.values("wide", "val/accuracy"), data.values("baseline", "val/accuracy"))
    expected = resampled_effect(plain, 200 / 1197)
    validation, test = judge(data)
    assert validation.comparisons[0].effect.interval.low == pytest.approx(expected.interval.low)
    assert effects_table(data).row("wide", "val/accuracy").effect.low == pytest.approx(expected.interval.low)
    assert test.comparisons[0].effect == test.comparisons[0].new_images
    write_report(folder, tmp_path / "reports" / folder.name)
    page = (tmp_path / "reports" / folder.name / "summary.md").read_text()
    assert "validation and train redrawn with the seed" in page
    assert "Nadeau and Bengio" in page
