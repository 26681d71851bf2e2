"""Which paths are which part's and class's images, and which are named as something else."""

from __future__ import annotations

import pytest

from runner.data._layout import Layout, junk, lay_out
from runner.spec import Kind
from tests.problems import one


def laid_out(*images: str, folders: tuple[str, ...] = ()) -> Layout:
    above = {"/".join(image.split("/")[:depth]) for image in images for depth in range(1, image.count("/") + 1)}
    return lay_out("pets", images, above | set(folders))


TWO = ("cat/1.png", "dog/1.png")


@pytest.mark.parametrize("root", ["", "pets/", "some/where/"])
@pytest.mark.parametrize("name", ["val", "valid", "validation", "Valid", "dev", "VAL"])
def test_every_name_of_validation_is_validation_wherever_the_tree_begins(name: str, root: str) -> None:
    images = [f"{root}{part}/{image}" for part in ("train", name) for image in TWO]
    layout = laid_out(*images)
    assert not layout.problems
    assert layout.files == {
        part: {"cat": [f"{root}{folder}/cat/1.png"], "dog": [f"{root}{folder}/dog/1.png"]}
        for part, folder in (("train", "train"), ("val", name))
    }
    assert layout.outside == []


@pytest.mark.parametrize("root", ["", "pets/"])
def test_class_folders_without_parts_are_train(root: str) -> None:
    layout = laid_out(*(root + image for image in TWO), f"{root}dog/day2/outside/2.png", f"{root}x.png")
    assert not layout.problems
    assert layout.files == {
        "train": {"cat": [f"{root}cat/1.png"], "dog": [f"{root}dog/1.png", f"{root}dog/day2/outside/2.png"]}
    }
    assert layout.outside == [f"{root}x.png"]


def test_images_in_no_class_are_named() -> None:
    layout = laid_out(*(f"train/{image}" for image in TWO), "train/x.png", "test1/1.png", "logo.png", "docs/a/b.png")
    assert not layout.problems
    assert sorted(layout.outside) == ["docs/a/b.png", "logo.png", "test1/1.png", "train/x.png"]


@pytest.mark.parametrize(
    ("images", "folders", "where", "value"),
    [
        (("valid/cat/1.png", "Val/cat/1.png"), (), "pets: Val, valid", "val"),  # two folders of one part
        (("eval/cat/1.png",), (), "pets: eval", "val"),  # as a part is, but named as none
        (("train/bird/", "train/cow/1.png"), ("train/bird",), "pets: train/bird", ""),  # an empty class
        (("test/bird/1.png",), (), "pets: test", "'bird'"),  # a class that train has not
        (("train/ca t/1.png", "train/ca  t/1.png"), (), "pets: train", "'ca  t', 'ca t'"),
        # the same word to a reader
        (("train/caf\u00e9/1.png", "train/cafe\u0301/1.png"), (), "pets: train", "2 classes"),
    ],
)
def test_what_is_wrong_is_named(images: tuple[str, ...], folders: tuple[str, ...], where: str, value: str) -> None:
    files = [image for image in images if not image.endswith("/")]
    layout = laid_out(*(f"train/{image}" for image in TWO), *files, folders=folders)
    one(layout.problems, Kind.DATA, where, value)


def test_a_tree_beside_other_folders_is_no_class() -> None:
    layout = laid_out(*(f"pets/train/{image}" for image in TWO), "samples/1.png")
    one(layout.problems, Kind.DATA, "pets: pets", "folder:pets/pets")


@pytest.mark.parametrize("images", [(), ("1.png", "2.png"), ("cat/1.png",), ("cat/a/1.png", "dog.png")])
def test_no_two_classes_are_no_data_set(images: tuple[str, ...]) -> None:
    problems = laid_out(*images).problems
    assert {(problem.kind, problem.where.removesuffix(": train")) for problem in problems} == {(Kind.DATA, "pets")}


def test_a_class_that_has_no_images_is_not_lost_with_its_folder() -> None:
    """Of cat/ with folders of images and dog/ with none, the folders in cat/ are no classes."""
    layout = laid_out("cat/a/1.png", "cat/b/1.png", folders=("dog",))
    one(layout.problems, Kind.DATA, "pets: train/dog")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("train/cat/1.png", None),
        ("train/cat/Thumbs.db", "train/cat/Thumbs.db"),
        ("train/cat/DESKTOP.INI", "train/cat/DESKTOP.INI"),
        ("train/.ipynb_checkpoints/1.png", "train/.ipynb_checkpoints/"),
        ("train/.ipynb_checkpoints/", "train/.ipynb_checkpoints/"),
        ("__MACOSX/train/cat/._1.png", "__MACOSX/"),
        ("train/cat/.DS_Store", "train/cat/.DS_Store"),
    ],
)
def test_hidden_entries_and_what_systems_leave_are_junk(path: str, found: str | None) -> None:
    assert junk(path) == found
