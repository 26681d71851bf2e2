"""Trees of images become arrays: from headers first, in little memory, with what is unreadable named or skipped."""

from __future__ import annotations

import io
import tracemalloc
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import runner
from runner.data import _decode as decode
from runner.data import _progress as progress
from runner.data import prepare
from runner.evaluate import evaluate
from runner.files import read_json
from runner.publish import write_report
from runner.spec import Kind, RequestError, Settings
from tests.commands import run
from tests.pictures import load_folder, picture, write_pictures
from tests.problems import one, refused
from tests.studies import BASE


@pytest.fixture
def pets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_pictures(tmp_path / "pets", ("cat", "dog"))


def cut(root: Path) -> Path:
    """A picture whose end is missing."""
    path = root / "train" / "cat" / "cut_*.jpg"
    picture(1, (12, 12)).save(path)
    path.write_bytes(path.read_bytes()[:-60])
    return path


def test_mixed_sizes_are_refused_before_a_pixel_is_decoded(
    pets: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(1, (30, 20)).save(pets / "train" / "cat" / "large.jpg")
    (pets / "train" / "cat" / "empty.png").write_bytes(b"")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("decoded"))
    with pytest.raises(RequestError) as caught:
        load_folder(pets, cache)
    one(caught.value.problems, Kind.DATA, str(pets), "12x12", "30x20", "image_size=64")
    one(caught.value.problems, Kind.DATA, f"{pets}: train/cat/empty.png")


def test_decoding_takes_the_memory_of_the_result_and_a_few_images(tmp_path: Path, cache: Path) -> None:
    for number in range(120):
        folder = tmp_path / "x" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        size = (400, 400 if number % 3 else 300)
        Image.new("RGB", size, (number, 255 - number, 7)).save(folder / f"{number}.png")
    load_folder(tmp_path / "x", cache, image_size=8)  # imports apart
    tracemalloc.start()
    try:
        dataset = load_folder(tmp_path / "x", tmp_path / "cache", image_size=8)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert dataset.shape == (3, 8, 8)
    assert peak < 20e6  # all of them are 53 MB


def test_threads_and_one_core_give_the_same(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_pictures(tmp_path / "pets", ("cat", "dog"))
    one = load_folder(root, cache)
    monkeypatch.setattr(decode, "_LARGE", 0)
    monkeypatch.setattr(decode, "_BATCH", 3)
    monkeypatch.setattr(decode, "cores", lambda: 4)
    assert load_folder(root, tmp_path / "cache").fingerprint == one.fingerprint


def test_progress_is_said_by_time_in_a_pipe(pets: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_FIRST", 0.0)
    said = io.StringIO()
    with redirect_stdout(said):
        load_folder(pets, cache)
    lines = [line for line in said.getvalue().splitlines() if "decoding" in line]
    assert len(lines) == 1  # the next one is due after seconds
    assert "32 of 48" in lines[0]


def test_a_size_that_no_memory_has_is_refused(pets: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: Any, **__: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr("runner.data._decode.np.empty", no_room)
    with refused(Kind.MACHINE, str(pets), "GB", "image_size"):
        load_folder(pets, cache)


def test_too_little_memory_makes_no_image_unreadable(pets: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(decode, "open_image", no_room)
    chosen = Settings.model_validate(BASE | {"dataset": f"folder:{pets}"})
    with pytest.raises(MemoryError):
        prepare(chosen, Path("data"), cache, skip_unreadable=True)


def test_unreadable_images_are_skipped_when_asked_and_named_in_plan_and_report(pets: Path, tmp_path: Path) -> None:
    cut(pets)
    study = {"baseline": BASE | {"dataset": f"folder:{pets}", "epochs": 4}, "seeds": 1}
    with refused(Kind.DATA, f"{pets}: train/cat/cut_*.jpg"):
        load_folder(pets, tmp_path / "data" / "cache")
    _, plan = run(study, tmp_path, dry_run=True, skip_unreadable=True)
    outcome, text = run(study, tmp_path, workers=1, skip_unreadable=True)
    assert outcome.failed == 0, text
    for said in (plan, text):
        assert said.count("cut_*.jpg") == 1
        assert "1 unreadable image" in said
    (folder,) = (tmp_path / "runs").glob("study-pets")
    assert any("cut_*.jpg" in note for note in (read_json(folder / "study.json") or {})["data_notes"])
    write_report(folder, tmp_path / "reports" / "study-pets")
    page = (tmp_path / "reports" / "study-pets" / "summary.md").read_text()
    assert r"cut\_\*.jpg" in page.partition("## Results")[0]  # a name is no Markdown
    (seed,) = folder.glob("baseline-*/seed0")
    assert evaluate(seed, Path("data"), tmp_path / "reports").parts["test"].overall["images"] == 8
    with refused(Kind.DATA, f"{pets}: train/cat/cut_*.jpg"):  # a cache without them is none of a whole data set
        load_folder(pets, tmp_path / "data" / "cache")


def test_skipping_where_nothing_is_unreadable_changes_nothing(pets: Path, tmp_path: Path) -> None:
    study = {"baseline": BASE | {"dataset": f"folder:{pets}"}, "seeds": 1}
    first, second = (run(study, tmp_path, dry_run=True, skip_unreadable=skip)[1] for skip in (True, False))
    assert first.splitlines()[:2] == second.splitlines()[:2]
    assert len(list(Path("data/cache").glob("*/meta.json"))) == 1


def test_a_class_of_which_nothing_is_readable_is_refused_by_name(pets: Path, cache: Path) -> None:
    for path in (pets / "train" / "dog").iterdir():
        path.write_bytes(b"")
    chosen = BASE | {"dataset": f"folder:{pets}"}
    with refused(Kind.DATA, f"{pets}: train", "'dog'"):
        runner.run({"baseline": chosen, "seeds": 1}, skip_unreadable=True)


def test_the_array_is_what_numpy_would_have_saved(pets: Path, tmp_path: Path) -> None:
    dataset = load_folder(pets, tmp_path / "cache")
    (written,) = (tmp_path / "cache").glob("*/train.npy")
    np.save(tmp_path / "train.npy", np.array(dataset.train.images))
    assert written.read_bytes() == (tmp_path / "train.npy").read_bytes()
