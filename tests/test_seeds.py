"""The seeds of a study: fixed or sequential, as dicts and as the command line write them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.spec import Kind, SeedPlan, plan_seeds, planned_looks, read_plan
from runner.spec._problems import mistake_of


@pytest.mark.parametrize(
    ("asked", "start", "seeds"),
    [
        ("3", None, (0, 1, 2)), ("0,3,7", None, (0, 3, 7)), ("7,", None, (7,)), (2, None, (0, 1)), ("2", 5, (5, 6)),
        ([0, 3, 7], None, (0, 3, 7)),
    ],
)  # fmt: skip
def test_a_fixed_design_has_one_look(asked: Any, start: int | None, seeds: tuple[int, ...]) -> None:
    plan = plan_seeds(asked, start)
    assert plan == SeedPlan(seeds, (len(seeds),))
    assert (plan.is_sequential, plan.weights, plan.first, plan.plain()) == (False, (1.0,), seeds, list(seeds))


@pytest.mark.parametrize(
    ("asked", "start"),
    [("5..27", None), (" 5 .. 27 ", 0), ({"first": 5, "most": 27}, None), ({"first": 5, "most": 27, "from": 3}, 0)],
)
def test_a_sequential_design_plans_its_looks(asked: Any, start: int | None) -> None:
    plan = plan_seeds(asked, start)
    assert plan == SeedPlan(tuple(range(27)), (5, 8, 12, 18, 27))
    assert plan.plain() == {"first": 5, "most": 27, "looks": [5, 8, 12, 18, 27]}
    assert plan.weights == (5 / 27, 3 / 27, 4 / 27, 6 / 27, 9 / 27)


@pytest.mark.parametrize(("asked", "start"), [("5..27", 5), ({"first": 5, "most": 27, "from": 5}, None)])
def test_a_sequential_design_may_begin_with_another_seed(asked: Any, start: int | None) -> None:
    plan = plan_seeds(asked, start)
    assert plan.seeds == tuple(range(5, 32))
    assert plan.plain() == {"first": 5, "most": 27, "from": 5, "looks": [5, 8, 12, 18, 27]}


@given(st.integers(2, 1000), st.integers(0, 1000))
def test_looks_ascend_from_the_least_to_the_most(first: int, more: int) -> None:
    most = min(first + more, 1000)
    looks = planned_looks(first, most)
    assert (looks[0], looks[-1]) == (first, most)
    assert list(looks) == sorted(set(looks))
    assert len(looks) < 20
    plan = plan_seeds({"first": first, "most": most})
    assert sum(plan.weights) == pytest.approx(1)
    assert read_plan(plan.plain()) == plan


@pytest.mark.parametrize(
    ("asked", "kind", "named"),
    [
        ([], Kind.VALUE, "[]"), ([0, 0], Kind.DUPLICATE, "[0, 0]"), ([-1], Kind.VALUE, "-1"),
        ([2**32], Kind.VALUE, "4294967296"), (0, Kind.VALUE, "1 to 1000"), (1001, Kind.VALUE, "1001"),
        (True, Kind.VALUE, "True"), ("5.27", Kind.VALUE, "5.27"), ("5..", Kind.VALUE, "5.."),
        ("..5", Kind.VALUE, "..5"),
        ("\u0665..9", Kind.VALUE, "5..27"),
        ("1..5", Kind.VALUE, '"first" is 1'), ("5..4", Kind.VALUE, '"most" is 4'),
        ("5..1001", Kind.VALUE, "1001"), ({"first": 5}, Kind.MISSING, '"most"'), ({"most": 5}, Kind.MISSING, '"first"'),
        ({"first": 5, "most": 9, "last": 1}, Kind.UNKNOWN, "last"), ({"first": 5.0, "most": 9}, Kind.VALUE, "5.0"),
        ({"first": 5, "most": 9, "from": -1}, Kind.VALUE, '"from" is -1'),
        ({"first": True, "most": 9}, Kind.VALUE, "True"),
    ],
)  # fmt: skip
def test_bad_seeds(asked: Any, kind: Kind, named: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the kind is checked below)
        plan_seeds(asked)
    mistake = mistake_of(caught.value)
    assert mistake.kind is kind
    assert named in mistake.what


def test_a_list_has_its_own_first_seed() -> None:
    with pytest.raises(ValueError, match="list") as caught:
        plan_seeds("0,3", 5)
    assert mistake_of(caught.value).kind is Kind.CONFLICT


@pytest.mark.parametrize(
    "plain",
    [
        None, 5, "5", {}, {"first": 5, "most": 27}, {"first": 5, "most": 27, "looks": []},
        {"first": 5, "most": 27, "looks": [5, 5, 27]}, {"first": 5, "most": 27, "looks": [4, 27]},
        {"first": 5, "most": 27, "looks": [5, "8", 27]}, [0, 0], ["a"],
    ],
)  # fmt: skip
def test_what_is_no_plan_is_none(plain: Any) -> None:
    assert read_plan(plain) is None


def test_planned_looks_stay_as_they_were_written() -> None:
    plan = read_plan({"first": 5, "most": 20, "looks": [5, 9, 20]})
    assert plan is not None
    assert plan.looks == (5, 9, 20)
