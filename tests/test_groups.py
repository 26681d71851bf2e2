"""Images of one group (a patient, a scene) are never in two parts, and in the arguments of your own data set."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from runner.data import Dataset, draw_split, load, prepare
from runner.expand import Overrides, Run, Variant, cohorts, resolve
from runner.expand._files import with_files
from runner.spec import Kind, Settings, problems_of
from tests.commands import run
from tests.pictures import load_folder, picture
from tests.problems import refused
from tests.studies import BASE

Make = Callable[..., Settings]
PATIENTS = 30


def of_function(cache: Path, **changes: Any) -> Dataset:
    """The data set of tests.fakes:patients; each image's first pixel is its patient's number."""
    chosen = {"dataset": "tests.fakes:patients", **changes}
    return load(prepare(Settings.model_validate(BASE | chosen), Path("data"), cache))


def patients(dataset: Dataset) -> list[set[int]]:
    """The patients of each part."""
    parts = (dataset.train, dataset.val, dataset.test)
    return [set(map(int, np.asarray(part.images)[:, 0, 0, 0])) for part in parts]


def assert_apart(parts: list[set[int]]) -> None:
    assert all(parts)
    assert len(set.union(*parts)) == sum(map(len, parts))


def test_a_functions_groups_are_in_one_part_each(tmp_path: Path) -> None:
    dataset = of_function(tmp_path)
    assert_apart(patients(dataset))
    count = len(dataset.train) + len(dataset.val) + len(dataset.test)
    assert len(dataset.val) / count == pytest.approx(0.10, abs=0.04)
    assert len(dataset.test) / count == pytest.approx(0.15, abs=0.05)
    assert all((np.bincount(part.labels, minlength=2) > 0).all() for part in (dataset.train, dataset.val, dataset.test))


def test_a_redrawn_split_keeps_groups_together(tmp_path: Path) -> None:
    dataset, chosen = of_function(tmp_path), Settings.model_validate(BASE | {"split": "seed"})
    draws = [draw_split(dataset, chosen, seed) for seed in range(4)]
    for drawn in draws:
        assert_apart(patients(drawn))
        assert patients(drawn)[2] == patients(dataset)[2]
    assert len({frozenset(patients(drawn)[1]) for drawn in draws}) > 1


def test_without_groups_a_patient_is_in_several_parts(tmp_path: Path) -> None:
    parts = patients(of_function(tmp_path, dataset_args={"grouped": False}))
    assert len(set.union(*parts)) < sum(map(len, parts))


def write_folder(root: Path) -> Path:
    """Two classes, 30 patients with 5 images each; the CSV file with their groups."""
    rows = []
    for patient in range(PATIENTS):
        for k in range(5):
            name = f"{('ill', 'well')[patient % 2]}/p{patient}-{k}.png"
            image = np.array(picture(10 * patient + k, (8, 8)))
            image[0, 0] = patient
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(root / name)
            rows.append({"image": name, "group": f"patient {patient}", "age": 3})
    table = root.parent / "groups.csv"
    with open(table, "w", newline="") as file:
        writer = csv.DictWriter(file, ["age", "image", "group"])
        writer.writeheader()
        writer.writerows(rows)
    return table


def test_a_csv_file_groups_the_images_of_a_folder(tmp_path: Path) -> None:
    table = write_folder(tmp_path / "scans")
    dataset = load_folder(tmp_path / "scans", tmp_path / "cache", groups=str(table))
    assert_apart(patients(dataset))
    assert dataset.fingerprint != load_folder(tmp_path / "scans", tmp_path / "cache").fingerprint


def test_what_the_csv_file_says_is_part_of_the_run_and_of_the_cache(tmp_path: Path) -> None:
    table = write_folder(tmp_path / "scans")
    changes = {"dataset": f"folder:{tmp_path / 'scans'}", "groups": str(table)}

    def digest() -> str:
        study = resolve(Path("study.py"), {"baseline": BASE | changes, "seeds": 1}, "", Overrides())
        return with_files(study).variants[0].digest

    first, fingerprint = digest(), load_folder(tmp_path / "scans", tmp_path / "cache", groups=str(table)).fingerprint
    table.write_text(table.read_text().replace("patient 2\n", "patient 4\n").replace("patient 2\r\n", "patient 4\r\n"))
    assert digest() != first
    assert load_folder(tmp_path / "scans", tmp_path / "cache", groups=str(table)).fingerprint != fingerprint


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("image,patient\nill/p0-0.png,a\n", ["image, patient"]),
        ("image,group\nill/p0-0.png,a\n", ["149 images"]),
        ("", ["none"]),
        ("image,group\n" + "".join(f"ill/p0-{k}.png,\n" for k in range(5)), ["150 images"]),
    ],
)
def test_a_csv_file_that_does_not_fit_is_refused(tmp_path: Path, text: str, values: list[str]) -> None:
    table = write_folder(tmp_path / "scans")
    table.write_text(text)
    with refused(Kind.DATA, "groups.csv", *values):
        load_folder(tmp_path / "scans", tmp_path / "cache", groups=str(table))


def test_a_group_in_two_given_parts_is_refused(tmp_path: Path) -> None:
    with refused(Kind.DATA, "tests.fakes:patients", '"train"', '"test"'):
        of_function(tmp_path, dataset_args={"leak": True})


def test_too_few_groups_are_refused(tmp_path: Path) -> None:
    with refused(Kind.DATA, "tests.fakes:patients", "groups"):
        of_function(tmp_path, dataset_args={"count": 3})


def test_arguments_of_a_data_set_are_checked_and_counted(settings: Make, tmp_path: Path) -> None:
    wrong = problems_of(settings(dataset="tests.fakes:patients", dataset_args={"nonsense": 1}))["dataset"]
    assert wrong.kind is Kind.CODE
    assert problems_of(settings(dataset_args={"count": 1}))["dataset_args"].kind is Kind.IGNORED
    assert problems_of(settings(groups="groups.csv"))["groups"].kind is Kind.IGNORED
    assert problems_of(settings(dataset="folder:x", groups="no.csv"))["groups"].kind is Kind.PATH
    few, many = (settings(dataset="tests.fakes:patients", dataset_args={"count": n}) for n in (20, 40))
    runs = [Run("study", Variant(str(n), each, {}), 0) for n, each in enumerate((few, many))]
    assert len(cohorts(runs)) == 2
    study = {
        "baseline": BASE | {"dataset": "tests.fakes:patients", "dataset_args": {"count": 20}, "epochs": 1},
        "variants": {"more": {"dataset_args": {"count": 40}}},
        "seeds": 1,
    }
    outcome, text = run(study, tmp_path)
    assert outcome.failed == 0, text
