"""A folder and a zip of it are one data set, and what is no image in them is named, never lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from runner.data import Dataset, load, prepare
from runner.data._trees import open_tree
from runner.spec import Kind, Settings
from tests.commands import ROOT
from tests.pictures import load_folder, picture, write_pictures
from tests.problems import refused
from tests.studies import BASE


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """A tree as people have it: validation's other name, nested folders, strays, and what systems leave."""
    root = write_pictures(tmp_path / "pets", ("cat", "dog"))
    (root / "valid").mkdir()
    for name in ("cat", "dog"):
        shutil.move(root / "test" / name, root / "valid" / name)
        (root / "train" / name / "day2" / "x").mkdir(parents=True)
        for number in range(5):
            picture(len(name) * ord(name[0]) + number).save(root / "train" / name / "day2" / "x" / f"{number}.png")
        (root / "train" / ".ipynb_checkpoints").mkdir(exist_ok=True)
        picture(1).save(root / "train" / ".ipynb_checkpoints" / f"{name}.png")
        (root / "train" / name / "Thumbs.db").write_bytes(b"x")
    (root / "train" / "notes.txt").write_text("no image")
    picture(7).save(root / "train" / "stray.png")
    shutil.copy(root / "train" / "dog" / "0.png", root / "train" / "dog" / "no ending")
    return root


def packed(root: Path, prefix: str = "") -> Path:
    """The tree as a zip, without entries for folders."""
    with zipfile.ZipFile(root.with_suffix(".zip"), "w") as archive:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                archive.write(path, prefix + path.relative_to(root).as_posix())
    return root.with_suffix(".zip")


def counts(dataset: Dataset) -> list[int]:
    return [len(part) for part in (dataset.train, dataset.val, dataset.test)]


@pytest.mark.parametrize("prefix", ["", "pets/", "a/b/"])
def test_a_zip_and_a_folder_of_one_tree_give_the_same_data_and_notes(pets: Path, cache: Path, prefix: str) -> None:
    folder, zipped = load_folder(pets, cache), load_folder(packed(pets, prefix), cache)
    assert folder.fingerprint == zipped.fingerprint
    assert folder.classes == zipped.classes == ("cat", "dog")
    assert sum(counts(folder)) == 2 * 25 + 1 + 8  # nested images, and the one without an ending
    assert len(folder.val) == 8
    assert [note.replace(prefix, "") for note in zipped.notes] == list(folder.notes)
    ignored, skipped = folder.notes
    for value in ("4 files", "train/.ipynb_checkpoints/", "Thumbs.db"):
        assert value in ignored
    for value in ("1 image", "train/stray.png"):
        assert value in skipped


def test_a_zip_with_backslashes_is_read_as_one_with_slashes(tmp_path: Path, cache: Path) -> None:
    root = write_pictures(tmp_path / "pets", ("cat", "dog"))
    with zipfile.ZipFile(tmp_path / "back.zip", "w") as archive:
        for path in sorted(root.rglob("*.png")):
            info = zipfile.ZipInfo("x")
            info.filename = str(path.relative_to(root)).replace("/", "\\")  # as some programs for Windows write it
            archive.writestr(info, path.read_bytes())
    assert load_folder(tmp_path / "back.zip", cache).fingerprint == load_folder(root, cache).fingerprint


def test_a_tree_of_images_alone_has_no_notes(tmp_path: Path, cache: Path) -> None:
    assert load_folder(write_pictures(tmp_path / "pets", ("cat", "dog")), cache).notes == ()


def test_class_folders_alone_are_train_and_the_rest_is_carved(tmp_path: Path, cache: Path) -> None:
    root = write_pictures(tmp_path / "pets", ("cat", "dog")) / "train"
    found = [load_folder(path, cache) for path in (root, packed(root), packed(root, "x/"))]
    assert {dataset.fingerprint for dataset in found} == {found[0].fingerprint}
    assert counts(found[0]) == [30, 4, 6]


def test_a_changed_or_further_ignored_file_is_noticed_by_its_name_alone(pets: Path) -> None:
    before = open_tree(pets).signature
    (pets / "train" / "cat" / "Thumbs.db").write_bytes(b"longer")
    assert open_tree(pets).signature == before
    (pets / "train" / "cat" / ".DS_Store").write_bytes(b"")
    assert open_tree(pets).signature != before


def test_a_name_that_is_twice_in_a_zip_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        archive.writestr("train/cat/1.png", b"x")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("train/cat/1.png", b"y")
    with refused(Kind.DATA, "pets.zip: train/cat/1.png"):
        open_tree(tmp_path / "pets.zip")


def test_a_device_is_not_read(tmp_path: Path) -> None:
    """It has no end, so another process looks; in little memory, should it read."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_DATA, (2**31, 2**31))\n"
        "from pathlib import Path; from runner.data._trees import open_tree\n"
        "from runner.spec import Kind, RequestError\n"
        "try: open_tree(Path('/dev/zero'))\n"
        "except RequestError as error: print(*error.kinds, *(problem.where for problem in error.problems))"
    )
    command, environment = [sys.executable, "-c", code], os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert done.stdout.split() == [Kind.PATH, "/dev/zero"], done.stderr


def test_a_tilde_is_the_home_directory(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pictures(tmp_path / "pets", ("cat", "dog"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    chosen = Settings.model_validate(BASE | {"dataset": "folder:~/pets"})
    assert load(prepare(chosen, Path("data"), cache)).classes == ("cat", "dog")


def test_our_cache_beside_the_images_is_no_data(tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "pets", ("cat", "dog"))
    first = load(prepare(Settings.model_validate(BASE | {"dataset": f"folder:{root}"}), root, root / "cache"))
    assert (root / "cache" / "CACHEDIR.TAG").is_file()
    assert load_folder(root, tmp_path / "other").notes == first.notes == ()
