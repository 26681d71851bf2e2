"""A finished run, evaluated: numbers that agree with the run's own, files and tags that are there, errors in words."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from filelock import Timeout
from PIL import Image
from sklearn.metrics import precision_recall_fscore_support
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from typer.testing import CliRunner

from runner import checkpoints
from runner.__main__ import app
from runner.data import load, prepare
from runner.evaluate import Classified, Evaluation, classify, evaluate, show, show_classes
from runner.evaluate import _figures as figures
from runner.evaluate._metrics import PER_CLASS, confused_pairs, part_metrics
from runner.evaluate._results import Mistake
from runner.evaluate._store import mistakes
from runner.evaluate._tables import class_table, overall_table
from runner.execute import Job
from runner.execute._job import train_job
from runner.execute._messages import Command
from runner.expand import Overrides, resolve
from runner.files import lock, read_json, write_json
from runner.models import build
from runner.sheets import read_sheet, write_sheet
from runner.spec import Kind, RequestError, Settings
from runner.store import Provenance, RunDir
from runner.text import plain_console, table
from tests.commands import runner
from tests.conftest import BASE
from tests.problems import refused

DATA = Path("data")
SIDE = 12
STUDY: dict[str, Any] = {
    "baseline": BASE | {"batch_norm": True, "dropout": 0.5, "epochs": 4},
    "variants": {"late": {"model": "tests.fakes:late", "model_args": {"what": "raise"}}},
    "seeds": [3],
}
FIGURES = (
    "loss_plot", "metrics", "train_confusion_matrix", "val_confusion_matrix", "test_confusion_matrix",
    "confused_pairs",
)  # fmt: skip


def train(study: dict[str, Any], place: Path) -> Path:
    """Trains a study, in this process; the directory of its baseline's first seed."""
    runs = resolve(Path("study.py"), study, "", Overrides()).runs()
    data = prepare(runs[0].variant.ours, DATA)
    train_job(Job(tuple(runs), data), Command(place / "runs", "cpu", Provenance()), lambda _: None)
    return place / "runs" / runs[0].folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(STUDY, tmp_path_factory.mktemp("trained"))


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A finished run of one's own, to spoil."""
    return Path(shutil.copytree(trained, tmp_path / "runs" / "study-digits" / "baseline-0" / "seed3"))


@pytest.fixture(scope="module")
def evaluated(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """The run, evaluated."""
    place = tmp_path_factory.mktemp("evaluated")
    run = Path(shutil.copytree(trained, place / "runs" / "seed3"))
    return evaluate(run, DATA, place / "reports")


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_numbers_agree_with_the_runs_own(evaluated: Evaluation, trained: Path) -> None:
    own = RunDir(trained).result()
    assert own
    for part, name in (("test", "test/"), ("val", "val/")):
        for key in ("loss", "accuracy"):
            assert evaluated.parts[part].overall[key] == pytest.approx(own.numbers[name + key], abs=1e-6)
    predictions = RunDir(trained).load_predictions()
    assert predictions
    assert np.array_equal(evaluated.parts["test"].guesses, predictions["test_logits"].argmax(1))
    images = {name: part.overall["images"] for name, part in evaluated.parts.items()}
    assert images == {"train": 1197, "val": 200, "test": 400}
    assert not [note for note in evaluated.notes if "when the run ended" in note]


def test_everything_is_stored_under_its_name(evaluated: Evaluation) -> None:
    folder = evaluated.folder
    assert folder.parts[-4:] == ("reports", "study-digits", "baseline", "seed3")
    for name in FIGURES:
        with Image.open(folder / f"{name}.png") as picture:
            assert picture.width > 600
    record = json.loads((folder / "metrics.json").read_text())
    per_class = pd.read_csv(folder / "per_class.csv", dtype={"class": str})
    assert list(per_class.columns) == ["part", "class", "images", *PER_CLASS]
    for name, part in evaluated.parts.items():
        assert record[name]["accuracy"] == part.overall["accuracy"]
        assert record["hash"] == evaluated.run.settings.digest()
        assert [row["class"] for row in record[name]["per_class"]] == list("0123456789")
        counts = pd.read_csv(folder / f"{name}_confusion_matrix.csv", index_col=0).to_numpy()
        shares = pd.read_csv(folder / f"{name}_confusion_matrix_normalized.csv", index_col=0).to_numpy()
        assert counts.sum() == part.overall["images"]
        assert np.trace(counts) / counts.sum() == pytest.approx(part.overall["accuracy"])
        assert shares.sum(axis=1) == pytest.approx(1)
        mine = per_class[per_class["part"] == name]
        assert np.diag(shares) == pytest.approx(mine["recall"].to_numpy())
    pairs = pd.read_csv(folder / "confused_pairs.csv")
    matrix = evaluated.parts["test"].confusion
    assert pairs["images"].sum() == matrix.sum() - np.trace(matrix)
    assert pairs["images"].is_monotonic_decreasing


def test_tensorboard_has_figures_and_tables_beside_the_runs_own_tags(evaluated: Evaluation, trained: Path) -> None:
    before, after = (EventAccumulator(str(folder), {"tensors": 0}) for folder in (trained, evaluated.run.folder))
    before.Reload()
    after.Reload()
    assert {tag for tag in after.Tags()["images"] if "evaluate" in tag} == {f"evaluate/{name}" for name in FIGURES}
    for name in FIGURES:
        (event,) = after.Images(f"evaluate/{name}")
        assert event.encoded_image_string == (evaluated.folder / f"{name}.png").read_bytes()
    for name in ("metrics", "test_per_class", "test_confused_pairs"):
        (text,) = after.Tensors(f"evaluate/{name}/text_summary")
        assert b"| --- | --: |" in text.tensor_proto.string_val[0]
    assert [event.value for event in after.Scalars("val/loss")] == [e.value for e in before.Scalars("val/loss")]
    assert {path.parent for path in evaluated.run.folder.rglob("events*")} == {evaluated.run.folder}  # no run more


def test_the_most_confused_pair_is_shown_by_its_surest_mistakes(evaluated: Evaluation) -> None:
    pair = evaluated.pairs.iloc[0]
    shown = mistakes(evaluated, pair)
    assert len(shown) == min(pair["images"], figures.EXAMPLES)
    assert {frozenset((m.true, m.guess)) for m in shown} == {frozenset((pair["first"], pair["second"]))}
    assert [m.sureness for m in shown] == sorted((m.sureness for m in shown), reverse=True)
    test = evaluated.run.dataset.test
    for mistake in shown:
        (index,) = np.flatnonzero((test.images == mistake.image).all(axis=(1, 2, 3)))
        assert str(test.labels[index]) == mistake.true
        assert str(evaluated.parts["test"].guesses[index]) == mistake.guess


def by_hand(labels: Any, logits: torch.Tensor, number: int) -> dict[str, float]:
    """A class's metrics from their definitions, one image after the other."""
    shares = logits.double().softmax(1)[:, number].tolist()
    guesses = logits.argmax(1).tolist()
    mine, taken = [label == number for label in labels], [guess == number for guess in guesses]
    tp = sum(m and t for m, t in zip(mine, taken, strict=True))
    fp, fn = sum(taken) - tp, sum(mine) - tp
    tn = len(mine) - tp - fp - fn
    yes = [share for share, m in zip(shares, mine, strict=True) if m]
    no = [share for share, m in zip(shares, mine, strict=True) if not m]
    ranked = [m for _, m in sorted(zip(shares, mine, strict=True), reverse=True)]
    hits = [sum(ranked[: k + 1]) / (k + 1) for k, m in enumerate(ranked) if m]
    return {
        "images": len(yes), "precision": tp / (tp + fp), "recall": tp / (tp + fn), "f1": 2 * tp / (2 * tp + fp + fn),
        "specificity": tn / (tn + fp), "false_positive_rate": fp / (tn + fp),
        "roc_auc": sum((y > n) + 0.5 * (y == n) for y in yes for n in no) / (len(yes) * len(no)),
        "average_precision": sum(hits) / len(hits),
    }  # fmt: skip


def test_metrics_are_what_their_definitions_say() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(12), 25)
    scale = rng.choice([0.3, 3.0], size=(300, 1))  # not sure enough, and too sure: every bin is off in its own way
    logits = torch.from_numpy(scale * (rng.normal(size=(300, 12)) + 1.5 * np.eye(12)[labels])).float()
    found = part_metrics(logits, labels, [f"class {k}" for k in range(12)])
    for number in range(12):
        assert found.classes.loc[f"class {number}"].to_dict() == pytest.approx(by_hand(labels, logits, number))
    right = found.guesses == labels
    best = np.argsort(-logits.numpy(), axis=1)[:, :5]
    assert found.overall["accuracy"] == right.mean()
    assert found.overall["balanced_accuracy"] == pytest.approx(found.classes["recall"].mean())
    assert found.overall["top5_accuracy"] == pytest.approx((best == labels[:, None]).any(axis=1).mean())
    assert found.overall["macro_f1"] == pytest.approx(found.classes["f1"].mean())
    assert found.overall["accuracy_low"] < right.mean() < found.overall["accuracy_high"]
    error = 0.0
    for number in range(15):
        inside = (found.sureness > number / 15) & (found.sureness <= (number + 1) / 15)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - found.sureness[inside].mean())
    assert found.overall["calibration_error"] == pytest.approx(error)


def test_top5_only_where_there_are_more_than_10_classes() -> None:
    for count, there in ((10, False), (11, True)):
        found = part_metrics(torch.eye(count), np.arange(count), [str(k) for k in range(count)])
        assert ("top5_accuracy" in found.overall) == there


def degenerate(kind: str) -> tuple[torch.Tensor, Any]:
    labels = np.repeat(np.arange(11), 4)
    logits = torch.randn(44, 11, generator=torch.Generator().manual_seed(0))
    if kind == "absent":
        labels[labels == 2] = 1
    if kind == "one class there":
        labels[:] = 5
    if kind == "constant":
        logits = torch.tensor([[0.0] * 10 + [1.0]]).expand(44, 11)
    if kind == "all the same":
        logits = torch.zeros(44, 11)
    if kind in ("nan", "inf"):
        logits[7, 3] = float(kind)
    if kind == "-inf":
        logits[7, 3] = -math.inf
    return logits, labels


@pytest.mark.parametrize("kind", ["absent", "one class there", "constant", "all the same", "nan", "inf", "-inf"])
def test_what_has_no_value_is_nan_and_said_so(kind: str, tmp_path: Path) -> None:
    logits, labels = degenerate(kind)
    names = ["a", "b", "c", "$x_{$", "a\nb", "猫", "f" * 90, "h|i", "[red]", "<b>", "é"]
    found = part_metrics(logits, labels, names)
    parts = {"train": found, "val": found, "test": found}
    assert found.overall["accuracy"] == (found.guesses == labels).mean()
    assert found.confusion.sum() == 44
    values = found.classes.loc["c"]
    there = np.unique(labels)
    precision, _, f1, _ = precision_recall_fscore_support(
        labels, found.guesses, labels=there, average="macro", zero_division=0
    )
    assert [found.overall["macro_precision"], found.overall["macro_f1"]] == pytest.approx([precision, f1])
    if kind in ("absent", "one class there"):
        assert values["images"] == 0
        assert values[["recall", "roc_auc", "average_precision"]].isna().all()
        assert values["specificity"] >= 0
        assert any("no images of" in note and " c" in note for note in found.notes)
    if kind in ("constant", "all the same"):
        assert values["recall"] == values["f1"] == 0
        assert values["roc_auc"] == 0.5
        assert any("nothing was predicted as" in note for note in found.notes)
    if kind in ("nan", "inf"):
        assert math.isnan(found.overall["calibration_error"])
        assert math.isnan(found.overall["top5_accuracy"])
        assert found.classes["roc_auc"].isna().all()
        assert found.classes["precision"].notna().any()
        assert "1 images have outputs that are not finite" in found.notes[-1]
    if kind == "-inf":
        assert found.classes["roc_auc"].notna().all()
    figures.overview(parts, tmp_path / "a.png")
    figures.confusion(found.confusion, names, "test", tmp_path / "b.png")
    for head, *rows in (overall_table(parts), class_table(found)):
        assert len(table(head, rows).splitlines()) == len(rows) + 2


def test_pairs_are_counted_in_both_directions() -> None:
    matrix = np.array([[8, 1, 1], [3, 6, 1], [0, 0, 10]])
    pairs = confused_pairs(matrix, ["cat", "dog", "frog"])
    assert pairs.iloc[0].to_dict() == {
        "first": "dog", "second": "cat", "images": 4, "first_as_second": 3, "second_as_first": 1, "share": 0.2,
    }  # fmt: skip
    assert len(pairs) == 3
    assert confused_pairs(np.eye(3, dtype=np.int64), ["a", "b", "c"]).empty


@pytest.mark.parametrize("count", [2, 100])
def test_figures_stay_readable_for_few_and_for_many_classes(count: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(count)
    labels = np.repeat(np.arange(count), 6)
    logits = torch.from_numpy(rng.normal(size=(len(labels), count)) + 2 * np.eye(count)[labels]).float()
    names = [f"class number {k}" for k in range(count)]
    found = part_metrics(logits, labels, names)
    pairs = confused_pairs(found.confusion, names).head(3)
    image = np.zeros((8, 8, 3 if count == 2 else 1), dtype=np.uint8)
    examples = [[Mistake(image, "class number 1", "class number 0", 0.9)] * 3 for _ in range(len(pairs))]
    figures.overview({"train": found, "val": found, "test": found}, tmp_path / "overview.png")
    figures.confusion(found.confusion, names, "test", tmp_path / "confusion.png")
    figures.confused(pairs, examples, names, tmp_path / "confused.png")
    figures.losses(
        [{"epoch": 1, "train/loss": 2, "train_eval/loss": 1, "val/loss": 1}], 1, 0.1, tmp_path / "losses.png"
    )
    for path in tmp_path.glob("*.png"):
        with Image.open(path) as picture:
            assert 80 <= min(picture.size) <= max(picture.size) < 5000


def test_the_command_prints_tables_paths_and_what_does_not_fit(run: Path, tmp_path: Path) -> None:
    result = RunDir(run).result()
    assert result
    changed = result.metrics | {"test/accuracy": result.numbers["test/accuracy"] - 0.01}
    RunDir(run).write_result(result.model_copy(update={"metrics": changed}))
    shown = CliRunner().invoke(app, ["evaluate", str(run), "--reports", str(tmp_path / "reports")])
    assert shown.exit_code == 0, shown.output
    assert re.search(r"training +validation +test", shown.output)
    assert re.search(r"\naccuracy +0\.\d{4} +0\.\d{4} +0\.\d{4}", shown.output)
    assert "95% interval over images" in shown.output
    assert re.search(r"class +images +precision +recall +F1 +specificity +false positive rate", shown.output)
    assert re.search(r"classes +confused", shown.output)
    assert re.search(r"test: accuracy is 0\.\d+, but was 0\.\d+ when the run ended", shown.output)
    assert str(tmp_path / "reports" / "study-digits" / "baseline" / "seed3") in shown.output.replace("\n", "")
    two = CliRunner().invoke(app, ["evaluate", str(run), str(run)])
    assert two.exit_code == 2
    assert "expected one run" in two.output


def damage(run: Path, how: str) -> None:
    """Makes a finished run something that can't be evaluated."""
    identity, result = read_json(run / "run.json"), RunDir(run).result()
    assert identity
    assert result
    others = {
        "unfinished": {"status": "running"},
        "failed": {"status": "failed", "cause": "ValueError: boom"},
        "pruned": {"status": "pruned", "cause": "after epoch 2"},
        "foreign": {"settings": "something else"},
        "settings": {"settings": identity["settings"] | {"dropuot": 1}},
        "data": {"provenance": identity["provenance"] | {"data": "0123456789abcdef"}},
        "../..": {"variant": "../.."},
        "..": {"variant": ".."},
    }
    if how in others:
        write_json(run / "run.json", identity | others[how])
    if how == "weights":
        other = build(Settings.model_validate(BASE | {"hidden": [7]}), (1, 8, 8), 10, 0)
        checkpoints.save(RunDir(run).best, other.state_dict())
    if how == "code":
        torch.save({"weight": Path}, run / "best.pt")
    if how == "other table":
        (run / "metrics.csv").write_text("epoch,loss\n1,2\n")
    if how.startswith("no "):
        (run / how.removeprefix("no ")).unlink()
    given = result.model_copy(update={"metrics": {}}) if how == "empty result" else result
    RunDir(run).write_result(given)  # it vouches for what is there
    if how == "corrupt":
        (run / "best.pt").write_bytes((run / "best.pt").read_bytes()[:-1])
    if how in ("unfinished", "failed", "pruned"):
        (run / "result.json").unlink()


@pytest.mark.parametrize(
    ("how", "kind", "where", "values"),
    [
        ("unfinished", Kind.STATE, "seed3", ("not finished", "seed4")),
        ("pruned", Kind.STATE, "seed3", ("after epoch 2", "seed4")),
        ("failed", Kind.STATE, "seed3", ("ValueError: boom", "seed4")),
        ("corrupt", Kind.STATE, "seed3", ("best.pt", "seed4")),
        ("foreign", Kind.STATE, "seed3", ("run.json", "seed4")),
        ("empty result", Kind.STATE, "seed3", ("KeyError: 'best_epoch'", "seed4")),
        ("other table", Kind.PATH, "metrics.csv", ()),
        ("no run.json", Kind.STATE, "seed3", ("run.json", "seed4")),
        ("../..", Kind.STATE, "seed3", ("study and variant", "seed4")),
        ("..", Kind.STATE, "seed3", ("study and variant", "seed4")),
        ("settings", Kind.UNKNOWN, "run.json: dropuot", ('"dropout"',)),
        ("data", Kind.DATA, "seed3", ("digits", "--data", "0123456789abcdef")),
        ("weights", Kind.CODE, "best.pt", ("Missing key",)),
        ("code", Kind.PATH, "best.pt", ()),
        ("no metrics.csv", Kind.PATH, "metrics.csv", ()),
    ],
)
def test_what_cannot_be_evaluated_is_refused(
    run: Path, how: str, kind: Kind, where: str, values: tuple[str, ...], tmp_path: Path
) -> None:
    shutil.copytree(run, run.parent / "seed4")
    damage(run, how)
    before = tree(tmp_path)
    with refused(kind, where, *values):
        evaluate(run, DATA, tmp_path / "reports")
    assert tree(tmp_path) == before  # nothing was written


def test_a_missing_directory_is_answered_with_the_nearest_finished_run(run: Path, tmp_path: Path) -> None:
    for wrong in (run.parent.parent / "baseline" / "seed3", run.parent / "seed33"):
        with pytest.raises(RequestError, match=f'there is no such directory. Did you mean "{run}"'):
            evaluate(wrong, DATA, tmp_path / "reports")
    with pytest.raises(RequestError, match=f"Finished runs in {tmp_path}/runs: {run}"):
        evaluate(tmp_path / "runs", DATA, tmp_path / "reports")


def test_a_run_in_training_is_not_evaluated_and_one_that_is_evaluated_is_not_trained(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lock(run), refused(Kind.BUSY, str(run)):
        evaluate(run, DATA, tmp_path / "reports")
    assert not (tmp_path / "reports").exists()
    held = []

    def look(_: Evaluation) -> None:
        with pytest.raises(Timeout):
            lock(run).acquire(blocking=False)
        held.append(True)

    monkeypatch.setattr("runner.evaluate._evaluation.write", look)
    evaluate(run, DATA, tmp_path / "reports")
    assert held
    with lock(run).acquire(blocking=False):
        pass


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An image folder with files of many sizes, and the directory of a run on it."""
    place = tmp_path_factory.mktemp("pets")
    rng = np.random.default_rng(0)
    for part, count in (("train", 30), ("test", 6)):
        for number, name in enumerate(("cat", "dog")):
            (place / "pets" / part / name).mkdir(parents=True)
            for k in range(count):
                pixels = rng.integers(0, 120, (rng.integers(8, 40), rng.integers(8, 40), 3), dtype=np.uint8)
                pixels[..., number] += 100
                ending = ("png", "jpg", "webp")[k % 3]
                Image.fromarray(pixels).save(place / "pets" / part / name / f"{k}.{ending}")
    baseline = BASE | {"dataset": f"folder:{place / 'pets'}", "image_size": SIDE, "epochs": 1}
    return place / "pets", train({"baseline": baseline, "seeds": 1}, place)


def test_own_images_become_what_the_data_sets_own_became(pets: tuple[Path, Path]) -> None:
    folder, run = pets
    files = sorted(folder.glob("test/*/*"))
    found = [shares["cat"] for shares in classify(run, files, DATA).shares]
    predictions = RunDir(run).load_predictions()
    assert predictions
    shares = torch.from_numpy(predictions["test_logits"]).double().softmax(1)[:, 0]
    assert sorted(found) == pytest.approx(sorted(shares.tolist()), abs=1e-6)
    assert len(set(found)) == 12
    assert all(series.sum() == pytest.approx(1) and series.iloc[0] >= series.iloc[1] for series in classify(
        run, files[:2], DATA
    ).shares)  # fmt: skip


def test_own_images_take_the_size_and_channels_of_the_data_set(run: Path, tmp_path: Path) -> None:
    identity = read_json(run / "run.json")
    assert identity
    dataset = load(prepare(Settings.model_validate(identity["settings"]), DATA))
    large = np.kron(np.array(dataset.test.images[0, ..., 0]), np.ones((5, 5), dtype=np.uint8))
    Image.fromarray(large).convert("RGB").save(tmp_path / "digit.png")
    (found,) = classify(run, [tmp_path / "digit.png"], DATA).shares
    predictions = RunDir(run).load_predictions()
    assert predictions
    expected = torch.from_numpy(predictions["test_logits"][0]).double().softmax(0)
    assert found[list("0123456789")].to_numpy() == pytest.approx(expected.numpy(), abs=1e-6)


def test_the_command_names_own_images_and_the_ones_it_cannot_read(pets: tuple[Path, Path], tmp_path: Path) -> None:
    folder, run = pets
    good = sorted(map(str, folder.glob("test/cat/*")))[:2]
    shown = CliRunner().invoke(app, ["evaluate", str(run), "--image", *good])
    assert shown.exit_code == 0, shown.output
    assert len(re.findall(r"(?:cat|dog) +[01]\.\d{4}", shown.output)) == 4
    (tmp_path / "notes.txt").write_text("no image")
    bad = [str(tmp_path / "notes.txt"), good[0], str(tmp_path / "none.png")]
    result = runner("evaluate", str(run), "--image", *bad)
    assert result.returncode == 1  # one bad file refuses no other
    assert len(re.findall(r"(?:cat|dog) +[01]\.\d{4}", result.stdout)) == 2
    assert "notes.txt: can't be read as an image (its format is unknown)" in result.stdout
    assert "none.png: can't be read as an image (No such file or directory)" in result.stdout
    nothing = CliRunner().invoke(app, ["evaluate", str(run), "--image", bad[0], bad[2]])
    assert isinstance(nothing.exception, RequestError)  # exit status 2
    assert len(nothing.exception.problems) == 2
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("reports*"))


def test_a_folder_of_own_images_is_taken_with_what_is_below_it(pets: tuple[Path, Path], tmp_path: Path) -> None:
    folder, run = pets
    shutil.copytree(folder / "test", tmp_path / "mine")
    (tmp_path / "mine" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "mine" / "cat" / "cut.png").write_bytes(b"")
    shown = CliRunner().invoke(app, ["evaluate", str(run), "--image", str(tmp_path / "mine")])
    assert shown.exit_code == 1, shown.output  # because of cut.png
    assert len(re.findall(r"(?:cat|dog) +[01]\.\d{4}", shown.output)) == 24
    assert "Thumbs.db" in shown.output
    assert "cut.png" in shown.output
    (tmp_path / "mine" / "cat" / "cut.png").unlink()
    found = classify(run, [tmp_path / "mine"], DATA)
    single = classify(run, sorted(folder.glob("test/*/*")), DATA)
    assert found.problems == []
    assert [file.relative_to(tmp_path / "mine") for file in found.files] == [
        file.relative_to(folder / "test") for file in single.files
    ]
    for one, other in zip(found.shares, single.shares, strict=True):
        assert one["cat"] == pytest.approx(other["cat"], abs=1e-6)
    (tmp_path / "empty").mkdir()
    with refused(Kind.DATA, str(tmp_path / "empty")):
        classify(run, [tmp_path / "empty"], DATA)


def test_of_many_classes_the_first_five_are_shown_and_what_the_others_have(capsys: pytest.CaptureFixture[str]) -> None:
    for count, rows in ((10, 10), (11, 6)):
        shares = pd.Series(np.full(count, 1 / count), index=[f"class {number}" for number in range(count)])
        show_classes(Classified([Path("x.png")], [shares]), plain_console())
        lines = capsys.readouterr().out.splitlines()[2:]
        assert len(lines) == rows
        assert sum(float(line.split()[-1]) for line in lines) == pytest.approx(1, abs=1e-3)
    assert lines[-1].split() == ["6", "others", "0.5455"]


def test_own_images_that_are_no_files_or_too_large_are_named(pets: tuple[Path, Path], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")  # its writer never comes
    (tmp_path / "large.png").touch()
    os.truncate(tmp_path / "large.png", 2**33)
    with pytest.raises(RequestError) as caught:
        classify(pets[1], sorted(tmp_path.glob("*.png")), DATA)
    said = str(caught.value)
    assert "pipe.png: can't be read as an image (it is not a regular file)" in said
    assert "large.png: can't be read as an image (it has 8,590 MB; expected at most" in said


def test_a_failed_run_of_the_runners_own_is_answered_with_its_cause(trained: Path, tmp_path: Path) -> None:
    late = next(trained.parents[1].glob("late-*/seed3"))
    with pytest.raises(RequestError, match="out of ideas"):
        evaluate(late, DATA, tmp_path)


@pytest.mark.parametrize(
    ("here", "way", "said"),
    [
        (".", "runs", ""),
        (".", "runs/../runs", ""),
        ("elsewhere", "../runs", " --runs {}/runs"),
        ("runs", ".", " --runs ."),
    ],
)
def test_the_hint_names_the_runs_whatever_way_leads_there(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    here: str, way: str, said: str,
) -> None:  # fmt: skip
    run = trained.relative_to(trained.parents[2])
    shutil.copytree(trained, tmp_path / "runs" / run)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / here)
    show(evaluate(Path(way) / run, Path("data"), Path("reports")), plain_console(300))
    assert f"runner report study-digits{said.format(tmp_path)} adds" in capsys.readouterr().out


def test_class_names_that_begin_like_formulas_read_back(tmp_path: Path) -> None:
    names = ["=1+1", "cat"]
    matrix = np.array([[3, 1], [2, 4]])
    write_sheet(tmp_path / "confused_pairs.csv", confused_pairs(matrix, names))
    assert (tmp_path / "confused_pairs.csv").read_text().splitlines()[1].startswith("cat,'=1+1,")
    assert read_sheet(tmp_path / "confused_pairs.csv", text=("first", "second"))["second"].tolist() == ["=1+1"]
