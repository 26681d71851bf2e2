"""A study's dict becomes exactly the variants and runs that it stands for."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.expand import Overrides, ResolvedStudy, cohorts, parse_set, resolve
from runner.spec import Kind, Problem, RequestError, neutral_values
from tests.problems import one, refused
from tests.studies import BASE


def expand(study: dict[str, Any], **overrides: Any) -> ResolvedStudy:
    return resolve(Path("ablations/toy.py"), {"baseline": BASE, **study}, "", Overrides(**overrides))


def names(study: dict[str, Any], **overrides: Any) -> list[str]:
    return [variant.name for variant in expand(study, **overrides).variants]


def problems(study: dict[str, Any], **overrides: Any) -> list[Problem]:
    with pytest.raises(RequestError) as caught:
        expand(study, **overrides)
    return caught.value.problems


def test_one_at_a_time_leaves_the_baselines_own_level_out() -> None:
    factors = {"dropout": [0.0, 0.1, 0.5], "batch_norm": [True]}
    assert names({"factors": factors}) == ["baseline", "dropout=0.1", "dropout=0.5", "batch_norm=True"]


def test_factorial_is_the_full_product_with_the_baseline_once() -> None:
    found = names({"factors": {"dropout": [0.5], "batch_norm": [True]}, "design": "factorial"})
    assert found == ["baseline", "batch_norm=True", "dropout=0.5", "dropout=0.5,batch_norm=True"]


def test_leave_one_out_puts_settings_back_to_neutral() -> None:
    full = BASE | {"dropout": 0.5, "batch_norm": True}
    resolved = expand({"baseline": full, "factors": ["dropout", "batch_norm"], "design": "leave_one_out"})
    assert [(v.name, v.changes) for v in resolved.variants] == [
        ("baseline", {}),
        ("without_dropout", {"dropout": 0.0}),
        ("without_batch_norm", {"batch_norm": False}),
    ]


def test_an_explicit_variant_and_the_same_cell_of_a_factor_are_one() -> None:
    assert names({"variants": {"drop": {"dropout": 0.5}}, "factors": {"dropout": [0.5]}}) == ["baseline", "drop"]


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["dropout", "weight_decay"]),
        st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5]), min_size=1, max_size=4),
    ),
    st.sampled_from(["one_at_a_time", "leave_one_out", "factorial"]),
)
def test_law_3_baseline_always_in_and_no_cell_twice(factors: dict[str, list[float]], design: str) -> None:
    variants = expand({"factors": factors, "design": design}).variants
    assert variants[0].name == "baseline"
    assert len({v.settings.digest() for v in variants}) == len({v.name for v in variants}) == len(variants)
    for variant in variants:  # and a variant differs only in what it declares
        assert variant.changes == variant.ours.differences(variants[0].ours)
        assert set(variant.changes) <= set(factors)


def test_every_problem_of_a_study_is_reported_at_once() -> None:
    found = problems(
        {
            "baseline": BASE | {"lr": "fast"},
            "variants": {"a": {"dropuot": 1}, "same": {"dropout": 0.0}, "mean": {}, "g": {"dropout": 2}},
            "factors": {"bach_norm": [True]},
            "questions": [{"ask": "?", "compare": ["a", "zz"]}, {"ask": "?"}],
        },
        variants=["nobody"],
        seeds="many",
    )
    for kind, where, value in (
        (Kind.VALUE, "baseline: lr", "'fast'"), (Kind.UNKNOWN, 'variant "a": dropuot', '"dropout"'),
        (Kind.CONFLICT, "toy.py: variants", '"mean"'), (Kind.VALUE, 'variant "g": dropout', "got 2"),
        (Kind.UNKNOWN, "factors: bach_norm", '"batch_norm"'),
        (Kind.UNKNOWN, "question 1", '"zz"'), (Kind.CONFLICT, "question 2", "compare, interaction"),
        (Kind.UNKNOWN, "--variants", '"nobody"'), (Kind.VALUE, "--seeds", '"many"'),
    ):  # fmt: skip
        one(found, kind, where, value)
    assert all(problem.where.startswith(("ablations/toy.py", "--")) for problem in found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("variants", "kind", "where", "value"),
    [
        ({"same": {"dropout": 0.0}}, Kind.DUPLICATE, 'variant "same"', '"baseline"'),
        ({"a": {"dropout": 0.5}, "b": {"dropout": 0.5}}, Kind.DUPLICATE, 'variant "b"', '"a"'),
        ({"A": {"dropout": 0.5}, "a": {"dropout": 0.4}}, Kind.DUPLICATE, 'variant "A"', ""),
        ({"p": {"model": "perceptron", "dropout": 0.5}}, Kind.IGNORED, 'variant "p": dropout', '"perceptron"'),
        ({"m": {"model_args": {"width": 3}}}, Kind.IGNORED, 'variant "m": model_args', '"mlp"'),
    ],
)
def test_variants_that_would_fool_the_reader_are_refused(
    variants: dict[str, Any], kind: Kind, where: str, value: str
) -> None:
    found = problems({"variants": variants})
    one(found, kind, where, value)
    assert {problem.kind for problem in found} == {kind}


def test_a_setting_without_effect_is_refused_in_the_baseline_too() -> None:
    idle = {"baseline": BASE | {"model": "perceptron", "dropout": 0.9}}  # and the hidden layers of the small study
    assert [(problem.kind, problem.where.split(": ")[2]) for problem in problems(idle)] == [
        (Kind.IGNORED, "hidden"),
        (Kind.IGNORED, "dropout"),
    ]
    expand({"baseline": BASE | {"model": "perceptron", "dropout": 0.0, "hidden": []}})  # neutral values say nothing
    heir = {"variants": {"deep": {"model": "mlp"}}, "baseline": BASE | {"model": "perceptron"}}
    assert expand(heir).variants[1].ours.hidden == (32, 16)
    decay = {"factors": {"weight_decay": [0.1]}, "baseline": BASE | {"optimizer": "Rprop"}}
    (problem,) = problems(decay)
    one([problem], Kind.IGNORED, 'variant "weight_decay=0.1": weight_decay', "Rprop", "0.1")


def test_another_model_on_the_command_line_takes_what_it_reads_of_the_baseline() -> None:
    assert expand({}, settings={"model": "perceptron"}).variants[0].ours.model == "perceptron"
    one(
        problems({}, settings={"model": "perceptron", "dropout": 0.5}),
        Kind.IGNORED,
        "baseline: dropout",
        '"perceptron"',
    )


def test_a_model_of_your_own_may_be_initialized() -> None:
    study = {"baseline": BASE | {"model": "tests.fakes:small", "hidden": []}, "variants": {"he": {"init": "uniform"}}}
    assert expand(study).variants[1].ours.init == "uniform"


@pytest.mark.parametrize(
    ("key", "levels", "kind", "values"),
    [
        ("image_size", [16, 32], Kind.VALUE, ['"image_size"', "'native'"]),
        ("optimizer", ["SGD"], Kind.VALUE, ['"optimizer"', "'Adam'"]),
        ("images_per_class", [10, 20], Kind.VALUE, ['"images_per_class"', "the value 0", "all"]),
        ("lr", [], Kind.MISSING, ['"lr"']),
    ],
)
def test_a_trend_without_a_slope_is_refused_before_training(
    key: str, levels: list[Any], kind: Kind, values: list[str]
) -> None:
    study = {"factors": {key: levels} if levels else {}, "questions": [{"ask": "?", "trend": key}]}
    (problem,) = problems(study)
    one([problem], kind, "question 1: trend", *values)


def test_names_with_commas_can_be_chosen_on_the_command_line() -> None:
    study = {"factors": {"hidden": [[16, 8]], "dropout": [0.1]}, "design": "factorial"}
    for text, chosen in (
        ("hidden=[16,8]", ["hidden=[16,8]"]),
        ("dropout=0.1, hidden=[16,8],dropout=0.1", ["dropout=0.1", "hidden=[16,8],dropout=0.1"]),
    ):
        assert [variant.name for variant in expand(study, variants=text).selected] == ["baseline", *sorted(chosen)]
    one(problems(study, variants="hidden=[16,9]"), Kind.UNKNOWN, "--variants", '"hidden=[16"')


def test_names_and_directories_say_what_was_asked() -> None:
    study = {"variants": {"dropout": {"dropout": 0.5}}, "seeds": 2}
    plain = expand(study)
    assert plain.name == "toy-digits"
    folder = plain.runs()[3].folder
    assert folder.parts[0] == "toy-digits"
    assert folder.parts[1].startswith("dropout-")
    assert folder.parts[2] == "seed1"
    assert expand(study, settings={"epochs": 9, "lr": 0.5}).name == "toy-digits+epochs=9+lr=0.5"
    assert expand(study, settings={"epochs": BASE["epochs"]}).name == "toy-digits"  # nothing really changed
    assert expand(study, dataset="mnist5k").name == "toy-mnist5k"
    assert expand(study, settings={"hidden": [8, 8]}).name == "toy-digits+hidden=[8,8]"


def test_overrides_change_the_baseline_and_what_it_hands_down() -> None:
    resolved = expand({"variants": {"d": {"dropout": 0.5}}}, settings={"dropout": 0.1, "epochs": 9})
    assert [(v.ours.dropout, v.ours.epochs) for v in resolved.variants] == [(0.1, 9), (0.5, 9)]


def test_selected_variants_always_include_the_baseline() -> None:
    resolved = expand({"factors": {"dropout": [0.1, 0.2]}, "seeds": [3, 7]}, variants=["dropout=0.2"])
    assert [(run.variant.name, run.seed) for run in resolved.runs()] == [
        ("baseline", 3), ("dropout=0.2", 3), ("baseline", 7), ("dropout=0.2", 7),
    ]  # fmt: skip


def test_cohorts_share_data_settings_and_seed() -> None:
    variants = {"flip": {"augment": ["HorizontalFlip"]}, "big": {"batch_size": 128}, "d": {"dropout": 0.5}}
    groups = cohorts(expand({"variants": variants, "seeds": 2}).runs())
    assert [[run.variant.name for run in group] for group in groups] == 2 * [["baseline", "d"], ["flip"], ["big"]]


def test_set_reads_python_values_and_plain_words() -> None:
    pairs = ["lr=1e-2", "hidden=[64, 32]", "batch_norm=True", "init=kaiming_normal", "dataset=folder:/x=y"]
    assert parse_set(pairs) == {
        "lr": 0.01, "hidden": [64, 32], "batch_norm": True, "init": "kaiming_normal", "dataset": "folder:/x=y",
    }  # fmt: skip
    with refused(Kind.VALUE, "--set lr", "KEY=VALUE"):
        parse_set(["lr"])


def test_the_shipped_studies_resolve() -> None:
    from runner.expand import resolve_studies
    from runner.spec import available

    assert "mlp" in available()
    for study in resolve_studies(available(), Overrides()):
        assert study.doc.strip().splitlines()[0].endswith(("?", "."))


def question_problems(*questions: dict[str, Any], **study: Any) -> list[Problem]:
    variants = {"a": {"dropout": 0.1}, "b": {"dropout": 0.2}}
    asked = [{"ask": f"q{number}?"} | question for number, question in enumerate(questions, start=1)]
    return problems({"baseline": BASE, "variants": variants, "questions": asked} | study)


ODD: list[tuple[dict[str, Any], Kind, str]] = [  # a question, what is wrong with it, and a value that says so
    ({"value": ["a", float("nan")]}, Kind.VALUE, "nan"), ({"value": ["a", 1e309]}, Kind.VALUE, "inf"),
    ({"value": ["a", 1e308]}, Kind.VALUE, "1e+308"), ({"value": ["a", 1.5]}, Kind.VALUE, "1.5"),
    ({"value": ["a", 1e308], "metric": "val/loss"}, Kind.VALUE, "1e+308"), ({"value": ["a", True]}, Kind.VALUE, "True"),
    ({"compare": ["a", "b"], "smallest": 1e308}, Kind.VALUE, "1e+308"),
    ({"compare": ["a", "b"], "smallest": 5e-324}, Kind.VALUE, "5e-324"),
    ({"compare": ["a", "b"], "smallest": 1.5}, Kind.VALUE, "1.5"),
    ({"compare": ["a", "b"], "smallest": float("nan")}, Kind.VALUE, "nan"),
    ({"compare": ["a", "b"], "smallest": 1.5, "metric": "test/macro_f1"}, Kind.VALUE, "1.5"),
    ({"compare": ["a", "a"]}, Kind.DUPLICATE, '"a"'), ({"compare": ["a", ["b", "b"]]}, Kind.DUPLICATE, '"b"'),
    ({"compare": ["a", ["b", "a"]]}, Kind.DUPLICATE, '"a"'), ({"compare": ["a", []]}, Kind.VALUE, "[]"),
    ({"best_of": ["a", "a"]}, Kind.DUPLICATE, '"a"'), ({"interaction": ["a", "a", "a", "a"]}, Kind.DUPLICATE, '"a"'),
    ({"interaction": ["a", "b", "baseline", "a"]}, Kind.DUPLICATE, '"a"'),
    ({"compare": ["a", "b"], "ask": " \n "}, Kind.VALUE, "ask"),
    ({"compare": ["a", "b"], "claim": " "}, Kind.VALUE, "claim"),
    ({"compare": ["a", "b"], "claim_for": ["digits"]}, Kind.CONFLICT, '"claim_for"'),
    ({"compare": ["a", "b"], "claim": "x", "claim_for": []}, Kind.VALUE, "claim_for"),
    ({"compare": ["a", "b"], "claim": "x", "claim_for": "digits"}, Kind.VALUE, "'digits'"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "kind", "value"), ODD)
def test_a_senseless_question_is_refused(question: dict[str, Any], kind: Kind, value: str) -> None:
    (found,) = question_problems({"compare": ["a", "b"]}, question)
    one([found], kind, "question 2", value)


def test_every_senseless_question_is_named_by_its_own_number() -> None:
    found = question_problems(*(question for question, *_ in ODD), {"compare": ["a", "gone"]})
    expected = [kind for _, kind, _ in ODD] + [Kind.UNKNOWN]
    by_number = {int(problem.where.split(": question ")[1].split(":")[0]): problem.kind for problem in found}
    assert [by_number[number] for number in range(1, len(expected) + 1)] == expected
    assert len(found) == len(expected)


def test_a_question_asked_twice_is_refused_whatever_its_spaces() -> None:
    (found,) = question_problems({"ask": "Is it?", "compare": ["a", "b"]}, {"ask": " Is\nit? ", "best_of": ["a", "b"]})
    one([found], Kind.DUPLICATE, "question 2: ask", "question 1", "Is it?")


@pytest.mark.parametrize("factors", [{"dropout": []}, {"lr": [0.1], "dropout": []}])
def test_a_factor_without_levels_is_refused(factors: dict[str, Any]) -> None:
    (found,) = question_problems(factors=factors)
    one([found], Kind.MISSING, "factors", "'dropout'")


@pytest.mark.parametrize(
    ("smallest", "metric"), [(1.0, "val/accuracy"), (1e-9, "val/loss"), (5000, "seconds"), (0.02, "test/macro_f1")]
)
def test_a_possible_size_is_accepted(smallest: float, metric: str) -> None:
    question = {"ask": "?", "compare": ["a", "baseline"], "smallest": smallest, "metric": metric}
    study = {"baseline": BASE, "variants": {"a": {"dropout": 0.1}}, "questions": [question]}
    assert expand(study).questions[0].smallest == smallest


def test_a_claim_is_about_the_studys_own_data_unless_it_says_so() -> None:
    own, other, none = (
        {"ask": ask, "compare": ["a", "baseline"], **more}
        for ask, more in (("1", {"claim": " x\ny "}), ("2", {"claim": "z", "claim_for": ["cifar10"]}), ("3", {}))
    )
    study = {"baseline": BASE, "variants": {"a": {"dropout": 0.1}}, "questions": [own, other, none]}
    for overrides in ({}, {"dataset": "folder:my/photos"}):
        found = expand(study, **overrides).questions
        assert [question.claim_for for question in found] == [("digits",), ("cifar10",), None]
        assert [question.claim for question in found] == ["x y", "z", None]


def test_what_a_variant_remembers_is_its_own() -> None:
    run = expand({"variants": {"a": {"dropout": 0.5}}}).runs()[1]
    folder, key = run.folder, run.data_key
    sent = pickle.loads(pickle.dumps(run))
    assert (sent, hash(sent), sent.folder, sent.data_key) == (run, hash(run), folder, key)
    other = replace(run, variant=replace(run.variant, settings=run.variant.ours.model_copy(update={"batch_size": 7})))
    assert other.folder != folder
    assert other.data_key != key
    assert replace(run.variant, files={"a": "b"}).digest != run.variant.digest
    neutral_values()["augment"].append("changed")
    assert neutral_values()["augment"] == []
