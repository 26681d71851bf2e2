"""Settings are checked, all problems at once, and their digest is stable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.catalog import ACTIVATIONS, MODELS, SCHEDULES
from runner.spec import (
    Kind,
    RequestError,
    Settings,
    check_name,
    dataset_label,
    neutral_values,
    parse_settings,
    problems_of,
    read_file,
    suggest,
)
from tests.problems import one, refused
from tests.studies import BASE

Make = Callable[..., Settings]


@pytest.mark.parametrize(
    ("changes", "kind", "where", "values"),
    [
        ({"dropuot": 0.5}, Kind.UNKNOWN, "dropuot", ['"dropout"']),
        ({"dropout": 1.0}, Kind.VALUE, "dropout", ["1.0", "from 0 to below 1"]),
        ({"dropout": float("nan")}, Kind.VALUE, "dropout", ["nan"]),
        ({"lr": "fast"}, Kind.VALUE, "lr", ["'fast'", "above 0"]),
        ({"lr": -1}, Kind.VALUE, "lr", ["-1"]),
        ({"lr": 10**400}, Kind.VALUE, "lr", ["100000"]),
        ({"epochs": True}, Kind.VALUE, "epochs", ["True"]),
        ({"epochs": 2.5}, Kind.VALUE, "epochs", ["2.5"]),
        ({"batch_norm": 1}, Kind.VALUE, "batch_norm", ["True", "False"]),
        ({"hidden": 512}, Kind.VALUE, "hidden", ["512", "[512, 256]"]),
        ({"hidden": [512, 0]}, Kind.VALUE, "hidden", ["0"]),
        ({"activation": "rleu"}, Kind.UNKNOWN, "activation", ['"relu"', *ACTIVATIONS]),
        ({"activation": 5}, Kind.VALUE, "activation", ["5", *ACTIVATIONS]),
        ({"schedule": "cosin"}, Kind.UNKNOWN, "schedule", [*SCHEDULES, '"cosine"']),
        ({"model": "mpl"}, Kind.UNKNOWN, "model", ['"mpl"', '"mlp"']),
        ({"dataset": "cifar"}, Kind.UNKNOWN, "dataset", ['"cifar10"']),
        ({"dataset": "folder:"}, Kind.UNKNOWN, "dataset", ['"folder:PATH"']),
        ({"init": "kaiming"}, Kind.UNKNOWN, "init", ['"kaiming_']),
        ({"augment": "HorizontalFlip"}, Kind.VALUE, "augment", ["'HorizontalFlip'", "list"]),
        ({"augment": [{"A": {}, "B": {}}]}, Kind.VALUE, "augment", ["{'A': {}, 'B': {}}"]),
        ({"augment": [{"Affine": {"rotate": float("inf")}}]}, Kind.VALUE, "augment", ["inf"]),
        ({"model_args": {"x": object()}}, Kind.VALUE, "model_args", ["object"]),
        ({"image_size": "big"}, Kind.VALUE, "image_size", ["'big'", "4", "1024"]),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_right(
    changes: dict[str, Any], kind: Kind, where: str, values: list[str]
) -> None:
    _, found = parse_settings(BASE | changes, "here")
    problem = one(found, kind, f"here: {where}", *values)
    assert found == [problem]


def test_missing_settings_are_all_named() -> None:
    _, found = parse_settings({"dataset": "digits", "model": "mlp"}, "here")
    assert [problem.where for problem in found] == ["here: batch_size", "here: optimizer", "here: lr", "here: epochs"]
    assert {problem.kind for problem in found} == {Kind.MISSING}


@pytest.mark.parametrize(
    ("changes", "key", "kind", "values"),
    [
        ({"optimizer": "Adm"}, "optimizer", Kind.UNKNOWN, ['"Adam"']),
        ({"optimizer": "LBFGS"}, "optimizer", Kind.UNKNOWN, ['"LBFGS"', "Adagrad", "SGD"]),
        ({"optimizer": "SGD", "optimizer_args": {"momentm": 0.9}}, "optimizer_args", Kind.UNKNOWN, ['"momentum"']),
        ({"optimizer": "SGD", "optimizer_args": {"lr": 0.9}}, "optimizer_args", Kind.CONFLICT, ['"lr"']),
        ({"optimizer": "SGD", "optimizer_args": {"momentum": -1}}, "optimizer_args", Kind.VALUE, ["SGD", "-1"]),
        ({"augment": ["HorizontlFlip"]}, "augment", Kind.UNKNOWN, ['"HorizontalFlip"']),
        ({"augment": [{"Affine": {"rotat": 10}}]}, "augment", Kind.UNKNOWN, ["Affine", '"rotate"']),
        ({"augment": [{"HorizontalFlip": {"p": 3}}]}, "augment", Kind.VALUE, ["HorizontalFlip", "1"]),
        ({"init": "constant"}, "init_args", Kind.MISSING, ['{"val": 0.01}']),
        ({"init": "uniform", "init_args": {"low": 0}}, "init_args", Kind.UNKNOWN, ["uniform", '"low"']),
        ({"init_args": {"val": 1}}, "init_args", Kind.IGNORED, ['"default"']),
        ({"optimizer_args": {"fused": "yes"}}, "optimizer_args", Kind.VALUE, ['"fused"', "'yes'", "True", "False"]),
        ({"optimizer_args": {"amsgrad": 1}}, "optimizer_args", Kind.VALUE, ['"amsgrad"', "True", "False"]),
        ({"optimizer_args": {"capturable": True}}, "optimizer_args", Kind.IGNORED, ['"capturable"']),
        ({"optimizer": "Rprop", "weight_decay": 0.1}, "weight_decay", Kind.IGNORED, ["Rprop", "0.1"]),
        ({"batch_size": 1, "batch_norm": True}, "batch_size", Kind.CONFLICT, ["BatchNorm", "2"]),
        ({"model": "tests.fakes:nothing"}, "model", Kind.CODE, ['"tests.fakes:nothing"', 'no "nothing"']),
        ({"model": "os:system"}, "model", Kind.CODE, ['"os:system"', "(shape, classes, **model_args)"]),
        ({"model": "tests.fakes:small", "model_args": {"widht": 5}}, "model", Kind.CODE, ["widht"]),
        ({"model": "__main__:net"}, "model", Kind.CODE, ['"__main__:net"', "mymodels.py"]),
        ({"dataset": "no.such.module:f"}, "dataset", Kind.CODE, ["ModuleNotFoundError", "'no'"]),
    ],
)
def test_the_libraries_own_names_and_signatures_are_asked(
    settings: Make, changes: dict[str, Any], key: str, kind: Kind, values: list[str]
) -> None:
    found = problems_of(settings(**changes))
    assert list(found) == [key]
    one([found[key].at("here")], kind, "here", *values)


def test_good_names_pass(settings: Make) -> None:
    augment = ["VerticalFlip", {"Affine": {"rotate": [-10, 10]}}]
    assert not problems_of(settings(augment=augment, optimizer="SGD", optimizer_args={"momentum": 0.9}))
    assert not problems_of(settings(model="tests.fakes:small", dataset="tests.fakes:stripes"))
    assert not problems_of(settings(optimizer="Rprop", weight_decay=0.0, optimizer_args={"foreach": False}))
    assert not problems_of(settings(optimizer="Adadelta", init="constant", init_args={"val": 0.1}))


def test_the_digest_ignores_neutral_values_and_where_the_data_are(settings: Make) -> None:
    plain = settings()
    assert settings(**neutral_values() | {"hidden": [32, 16], "normalize": "train"}).digest() == plain.digest()
    assert settings(dropout=0.1).digest() != plain.digest()
    assert settings(dataset="folder:/a/pets").digest() == settings(dataset="folder:/b/pets/").digest()
    assert settings(dataset="folder:/a/pets").digest() != settings(dataset="folder:/a/cars").digest()


def test_identities_and_neutral_values_are_those_of_the_first_release(settings: Make) -> None:
    """A change here makes every user's finished runs strangers: it must never be needed."""
    assert settings().digest() == "2613a06f"
    assert neutral_values() == {
        "image_size": "native", "channels": "native", "normalize": "none", "augment": [], "model_args": {},
        "hidden": [], "filters": [32, 64, 128], "activation": "relu", "batch_norm": False, "dropout": 0.0,
        "init": "default", "init_args": {}, "optimizer_args": {}, "weight_decay": 0.0, "patience": 0,
        "images_per_class": 0, "stream": 0, "convs": 1, "schedule": "constant", "label_smoothing": 0.0,
        "weight_average": 0.0, "precision": "float32", "background": "white", "split": "fixed",
        "sampler": "shuffle", "schedule_args": {}, "warmup": 0.0, "grad_clip": 0.0, "loss": "CrossEntropyLoss",
        "loss_args": {}, "class_weights": "none", "mixup": 0.0, "cutmix": 0.0, "monitor": "val/loss",
        "dataset_args": {}, "groups": "none", "resize": "squeeze", "weights": "none", "freeze": [],
        "decay_norms": True, "lr_of": {},
    }  # fmt: skip


def test_settings_are_frozen(settings: Make) -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings().lr = 1.0


@given(st.text())
def test_suggest_always_answers(given_name: str) -> None:
    assert any(model in suggest(given_name, MODELS) for model in MODELS)


@given(st.text())
def test_a_name_that_passes_can_be_a_directory(name: str) -> None:
    if check_name(name) is None:
        assert name == Path(name).name
        assert name not in ("", ".", "..")
        assert name.isascii()
        assert name.isprintable()


@pytest.mark.parametrize("name", ["../x", "a/b", "", "a\nb", "x" * 81, ".hidden", "-flag", "naïve"])
def test_names_that_cannot_be_directories(name: str) -> None:
    found = check_name(name)
    assert found
    assert found.kind is Kind.VALUE


@pytest.mark.parametrize("name", ["mean", "MEAN"])
def test_names_of_the_runners_own_directories(name: str) -> None:
    found = check_name(name)
    assert found
    assert found.kind is Kind.CONFLICT


@pytest.mark.parametrize(
    ("dataset", "label"),
    [("folder:/data/my pets/", "my pets"), ("folder:C:\\x\\y", "y"), ("a.b:load", "load"), ("mnist5k", "mnist5k")],
)
def test_labels(dataset: str, label: str) -> None:
    assert dataset_label(dataset) == label


@pytest.mark.parametrize(
    ("text", "kind", "where", "values"),
    [
        ("raise ValueError('oh')", Kind.CODE, "x.py:1", ["ValueError", "oh"]),
        ("import sys; sys.exit(3)", Kind.CODE, "x.py:1", ["SystemExit", "3"]),
        ("STUDY = {", Kind.CODE, "x.py:1", ["SyntaxError"]),
        ("OTHER = 1", Kind.MISSING, "x.py", ["STUDY"]),
    ],
)
def test_a_file_that_cannot_be_read_as_a_study(
    tmp_path: Path, text: str, kind: Kind, where: str, values: list[str]
) -> None:
    (tmp_path / "x.py").write_text(text)
    with refused(kind, where, *values):
        read_file("x", tmp_path)


def test_a_missing_study_is_answered_with_a_near_name() -> None:
    with refused(Kind.UNKNOWN, "mpl.py", '"mlp"'):
        read_file("mpl")


def test_pydantics_errors_have_kinds() -> None:
    _, found = parse_settings({key: BASE[key] for key in ("dataset", "optimizer", "lr", "batch_size", "epochs")} | {
        "activation": "rleu", "dropout": 2, "dropuot": 1}, "here")  # fmt: skip
    assert {problem.where.removeprefix("here: "): problem.kind for problem in found} == {
        "model": Kind.MISSING, "activation": Kind.UNKNOWN, "dropout": Kind.VALUE, "dropuot": Kind.UNKNOWN,
    }  # fmt: skip
    assert RequestError(found).kinds == {Kind.MISSING, Kind.UNKNOWN, Kind.VALUE}
