"""Settings are checked in words, all at once, and their identity is stable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.catalog import MODELS
from runner.spec import RequestError, Settings, neutral_values
from runner.spec.names import problems_of
from runner.spec.problems import suggest
from runner.spec.settings import dataset_label
from runner.spec.study import check_name, check_seeds, parse_settings, read_file
from tests.conftest import BASE

Make = Callable[..., Settings]


def problems(**changes: Any) -> list[str]:
    return [str(problem) for problem in parse_settings(BASE | changes, "here")[1]]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dropuot": 0.5}, ["dropuot", "unknown", 'Did you mean "dropout"?']),
        ({"dropout": 1.0}, ["dropout", "got 1.0", "from 0 to below 1"]),
        ({"dropout": float("nan")}, ["dropout", "nan"]),
        ({"lr": "fast"}, ["lr", "got 'fast'", "above 0"]),
        ({"lr": -1}, ["lr", "got -1"]),
        ({"lr": 10**400}, ["lr"]),
        ({"epochs": True}, ["epochs", "got True", "whole number"]),
        ({"epochs": 2.5}, ["epochs", "2.5"]),
        ({"batch_norm": 1}, ["batch_norm", "True or False"]),
        ({"hidden": 512}, ["hidden", "[512, 256]"]),
        ({"hidden": [512, 0]}, ["hidden"]),
        ({"activation": "rleu"}, ["activation", "relu, gelu, tanh, sigmoid"]),
        ({"activation": 5}, ["activation", "got 5", "relu, gelu, tanh, sigmoid"]),
        ({"schedule": "cosin"}, ["schedule", "constant, cosine, one_cycle", 'Did you mean "cosine"?']),
        ({"model": "mpl"}, ['got "mpl"', 'Did you mean "mlp"?']),
        ({"dataset": "cifar"}, ["dataset", 'Did you mean "cifar10"?']),
        ({"dataset": "folder:"}, ["dataset"]),
        ({"init": "kaiming"}, ["init", "Did you mean"]),
        ({"augment": "HorizontalFlip"}, ["augment", "expected a list of Albumentations transforms"]),
        ({"augment": [{"A": {}, "B": {}}]}, ["augment", "expected a transform's name"]),
        ({"augment": [{"Affine": {"rotate": float("inf")}}]}, ["augment", "only numbers"]),
        ({"model_args": {"x": object()}}, ["model_args", "only numbers"]),
        ({"image_size": "big"}, ["image_size", "from 4 to 1024"]),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_right(changes: dict[str, Any], words: list[str]) -> None:
    found = problems(**changes)
    assert len(found) == 1
    for word in words:
        assert word in found[0]


def test_missing_settings_are_all_named() -> None:
    _, found = parse_settings({"dataset": "digits", "model": "mlp"}, "here")
    assert [str(p).split(":")[1].strip() for p in found] == ["batch_size", "optimizer", "lr", "epochs"]


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"optimizer": "Adm"}, "optimizer", 'Did you mean "Adam"?'),
        ({"optimizer": "LBFGS"}, "optimizer", "Valid"),
        ({"optimizer": "SGD", "optimizer_args": {"momentm": 0.9}}, "optimizer_args", 'Did you mean "momentum"?'),
        ({"optimizer": "SGD", "optimizer_args": {"lr": 0.9}}, "optimizer_args", "setting of its own"),
        ({"optimizer": "SGD", "optimizer_args": {"momentum": -1}}, "optimizer_args", "refuses"),
        ({"augment": ["HorizontlFlip"]}, "augment", 'Did you mean "HorizontalFlip"?'),
        ({"augment": [{"Affine": {"rotat": 10}}]}, "augment", 'Did you mean "rotate"?'),
        ({"augment": [{"HorizontalFlip": {"p": 3}}]}, "augment", "refuses"),
        ({"init": "constant"}, "init_args", '{"val": 0.01}'),
        ({"init": "uniform", "init_args": {"low": 0}}, "init_args", "no argument"),
        ({"optimizer_args": {"fused": "yes"}}, "optimizer_args", "True or False"),
        ({"optimizer_args": {"amsgrad": 1}}, "optimizer_args", "True or False"),
        ({"optimizer_args": {"capturable": True}}, "optimizer_args", "no effect"),
        ({"optimizer": "Rprop", "weight_decay": 0.1}, "weight_decay", "Rprop"),
        ({"batch_size": 1, "batch_norm": True}, "batch_size", "from 2"),
        ({"model": "tests.fakes:nothing"}, "model", "can't load"),
        ({"model": "os:system"}, "model", "(shape, classes, **model_args)"),
        ({"model": "tests.fakes:small", "model_args": {"widht": 5}}, "model", "widht"),
        ({"model": "__main__:net"}, "model", "mymodels.py"),
        ({"dataset": "no.such.module:f"}, "dataset", "No module named"),
    ],
)
def test_the_libraries_own_names_and_signatures_are_asked(
    settings: Make, changes: dict[str, Any], key: str, words: str
) -> None:
    found = problems_of(settings(**changes))
    assert list(found) == [key]
    assert words in found[key]


def test_good_names_pass(settings: Make) -> None:
    augment = ["VerticalFlip", {"Affine": {"rotate": [-10, 10]}}]
    assert not problems_of(settings(augment=augment, optimizer="SGD", optimizer_args={"momentum": 0.9}))
    assert not problems_of(settings(model="tests.fakes:small", dataset="tests.fakes:stripes"))
    assert not problems_of(settings(optimizer="Rprop", weight_decay=0.0, optimizer_args={"foreach": False}))
    assert not problems_of(settings(optimizer="Adadelta", init="constant", init_args={"val": 0.1}))


def test_identity_ignores_neutral_values_and_where_the_data_lies(settings: Make) -> None:
    plain = settings()
    assert settings(**neutral_values() | {"hidden": [32, 16], "normalize": "train"}).identity() == plain.identity()
    assert settings(dropout=0.1).identity() != plain.identity()
    assert settings(dataset="folder:/a/pets").identity() == settings(dataset="folder:/b/pets/").identity()
    assert settings(dataset="folder:/a/pets").identity() != settings(dataset="folder:/a/cars").identity()


def test_identities_and_neutral_values_are_those_of_the_first_release(settings: Make) -> None:
    """A change here makes every user's finished runs strangers: it must never be needed."""
    assert settings().identity() == "2613a06f"
    assert neutral_values() == {
        "image_size": "native", "channels": "native", "normalize": "none", "augment": [], "model_args": {},
        "hidden": [], "filters": [32, 64, 128], "activation": "relu", "batch_norm": False, "dropout": 0.0,
        "init": "default", "init_args": {}, "optimizer_args": {}, "weight_decay": 0.0, "patience": 0,
        "images_per_class": 0, "stream": 0, "convs": 1, "schedule": "constant", "label_smoothing": 0.0,
        "weight_average": 0.0, "precision": "float32", "background": "white",
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


@pytest.mark.parametrize("name", ["../x", "a/b", "", "mean", "MEAN", "a\nb", "x" * 81, ".hidden", "-flag", "naïve"])
def test_names_that_cannot_be_directories(name: str) -> None:
    assert check_name(name)


@pytest.mark.parametrize("seeds", [[], [0, 0], [-1], [2**32], 0, 5, True, "5"])
def test_bad_seeds(seeds: Any) -> None:
    with pytest.raises(ValueError, match=r"expected|once"):
        check_seeds(range(seeds) if seeds == 0 and not isinstance(seeds, bool) else seeds)


@pytest.mark.parametrize(
    ("dataset", "label"),
    [("folder:/data/my pets/", "my pets"), ("folder:C:\\x\\y", "y"), ("a.b:load", "load"), ("mnist5k", "mnist5k")],
)
def test_labels(dataset: str, label: str) -> None:
    assert dataset_label(dataset) == label


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise ValueError('oh')", ["x.py:1", "ValueError: oh"]),
        ("import sys; sys.exit(3)", ["SystemExit"]),
        ("STUDY = {", ["x.py:1", "SyntaxError"]),
        ("OTHER = 1", ["assigns no STUDY"]),
    ],
)
def test_a_file_that_cannot_be_read_as_a_study(tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "x.py").write_text(text)
    with pytest.raises(RequestError) as caught:
        read_file("x", tmp_path)
    for word in words:
        assert word in str(caught.value)


def test_a_missing_study_is_answered_with_a_near_name() -> None:
    with pytest.raises(RequestError, match='Did you mean "mlp"'):
        read_file("mpl")
