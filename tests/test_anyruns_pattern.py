from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.board.anyruns import QueryError
from runner.board.anyruns._grouping import Grouping, default_baseline, group, natural
from runner.board.anyruns._guess import guess_pattern
from runner.board.anyruns._pattern import Place, parse_pattern
from runner.spec import Kind

NAMES = st.text(st.sampled_from("ab/-_=.019{}*\\ <é") | st.characters(), max_size=30)
PIECES = st.sampled_from(["{variant}", "{seed}", "*", "/", "-", "seed", "a", "0", "{", "}", ".", "(", "+", "["])
PATTERNS = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=40)


def seeds(found: Grouping) -> dict[str, list[str]]:
    return {name: list(members) for name, members in found.variants.items()}


@pytest.mark.parametrize(
    ("pattern", "name", "variant", "seed"),
    [
        ("{variant}/seed{seed}", "mlp/seed3", "mlp", "3"),
        ("{variant}/seed{seed}", "a/b/seed3/val", "a/b", "3"),
        ("{variant}/seed{seed}", "mlp/seed003", "mlp", "3"),
        ("{variant}/seed{seed}", "mlp\\seed3", "mlp", "3"),
        ("{variant}-s{seed}", "x-s1-s2", "x-s1", "2"),
        ("{variant}{seed}", "mlp12", "mlp", "12"),
        ("*/{variant}-*/seed{seed}", "study/batch-norm-0a1b/seed0", "batch-norm", "0"),
        ("{variant},seed={seed},{variant}", "lr=1,seed=2,wd=3", "lr=1, wd=3", "2"),
        ("seed{seed}/{variant}", "seed4/adam", "adam", "4"),
        ("seed{seed}", "seed4", "all runs", "4"),
        ("{variant}", "anything at/all", "anything at/all", ""),
        ("{variant}.*+(x)/s{seed}", "a.b+(x)/s1", "a", "1"),
    ],
)
def test_a_pattern_reads_variant_and_seed(pattern: str, name: str, variant: str, seed: str) -> None:
    found = parse_pattern(pattern).match(name)
    assert found
    assert (found.variant, found.seed) == (variant, seed)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{variant}/seed{seed}", "mlp/seedx"),
        ("{variant}/seed{seed}", "/seed1"),
        ("{variant}/seed{seed}", "mlp/seed1b"),
        ("{variant}-{seed}", "lr-0.1"),
        ("{variant}/{seed}", "adam/²"),
        (".+/seed{seed}", "mlp/seed1"),
        ("*-{variant}", "a/b-c"),
    ],
)
def test_a_pattern_is_literal_and_exact(pattern: str, name: str) -> None:
    found = parse_pattern(pattern).match(name)
    assert found is None


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [
        ("", Kind.MISSING),
        ("seeds", Kind.MISSING),
        ("{variant}/{SEED}", Kind.UNKNOWN),
        ("{variant}}", Kind.UNKNOWN),
        ("{variant}{seed}{seed}", Kind.DUPLICATE),
        ("{variant}" + "a*" * 20, Kind.LIMIT),
        ("{variant}" + "a" * 1000, Kind.LIMIT),
    ],
)
def test_a_malformed_pattern_is_refused(pattern: str, kind: Kind) -> None:
    with pytest.raises(QueryError) as error:
        parse_pattern(pattern)
    assert error.value.kind is kind


def test_no_pattern_takes_long() -> None:
    pattern, name = parse_pattern("{variant}a*a*a*a*a*a*b{seed}"), "a" * 5000 + "c"
    begun = time.perf_counter()
    assert pattern.match(name) is None
    assert time.perf_counter() - begun < 2


@given(PATTERNS, st.lists(NAMES, max_size=6))
def test_parsing_never_crashes_and_groups_are_a_partition(text: str, names: list[str]) -> None:
    try:
        pattern = parse_pattern(text)
    except QueryError:
        return
    found = group(names, pattern)
    members = [part.run for seeds in found.variants.values() for each in seeds.values() for part in each.parts]
    assert sorted([*members, *found.unmatched, *found.duplicates]) == sorted(set(names))
    assert all(seeds for seeds in found.variants.values())


@given(st.lists(NAMES, max_size=8))
def test_a_guess_can_be_parsed(names: list[str]) -> None:
    guess = guess_pattern(names)
    if guess:
        found = group(names, parse_pattern(guess))
        assert found.variants or not [name for name in names if name]


@given(st.lists(st.sampled_from(["mlp", "cnn", "a/b", "lr=0.1"]), min_size=1), st.integers(1, 4))
def test_a_guess_finds_the_seeds(variants: list[str], count: int) -> None:
    for spelling in ("/seed{}", "_seed={}", "-s{}", "/run_{}", "/seed_{}/train"):
        names = [variant + spelling.format(seed) for variant in variants for seed in range(count)]
        found = group(names, parse_pattern(guess_pattern(names)))
        assert not found.unmatched
        assert {seed for each in seeds(found).values() for seed in each} == {str(seed) for seed in range(count)}
        assert len(found.variants) == len(set(variants))


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["baseline/seed0", "mlp/seed0"], "{variant}/seed{seed}"),
        (["mlp_seed=3", "cnn_seed=3"], "{variant}_seed={seed}"),
        (["resnet18-s1", "resnet50-s1"], "{variant}-s{seed}"),
        (["lr=0.1/run_2", "lr=0.2/run_2"], "{variant}/run_{seed}"),
        (["exp/adam/0/train", "exp/adam/0/val", "exp/sgd/0/val"], "exp/{variant}/{seed}"),
        (["mlp/a-12ab34cd/seed0", "mlp/b-d-12ab34ce/seed0", "."], "mlp/{variant}-*/seed{seed}"),
        (["mlp/a-12ab34cd/seed0", "mlp/a-12ab34ce/seed0"], "mlp/{variant}/seed{seed}"),
        (["seed0/a", "seed0/b"], "seed{seed}/{variant}"),
        (["lr=1,seed=3,wd=1", "lr=2,seed=3,wd=1"], "{variant},seed={seed},{variant}"),
        (["a-1", "a-2", "b-1"], "{variant}-{seed}"),
        (["seed0", "seed1"], "seed{seed}"),
        (["resnet-18", "resnet-50"], "{variant}"),
        (["mlp/version_0", "cnn/version_0"], "{variant}/version_{seed}"),
        (["lightning_logs/version_3", "lightning_logs/version_4"], ""),
        (["a/seed0", "a/seed0/1700000000.12345"], "{variant}/seed{seed}"),
        ([], "{variant}"),
    ],
)
def test_guesses(names: list[str], pattern: str) -> None:
    assert guess_pattern(names) == pattern


def test_runs_with_one_variant_and_seed_are_said() -> None:
    found = group(["x/adam/seed0", "y/adam/seed0"], parse_pattern("*/{variant}/seed{seed}"))
    assert seeds(found) == {"adam": ["0"]}
    assert found.duplicates == ("y/adam/seed0",)
    assert any("x/adam/seed0" in remark and "y/adam/seed0" in remark for remark in found.remarks)


def test_parts_belong_to_their_run() -> None:
    names = ["adam/0/train", "adam/0/val", "adam/0", "adam/0/1700000000.5"]
    for clock in (names[3], "adam/0/1700000000.5/train"):
        (part,) = group([clock], parse_pattern("{variant}/{seed}")).variants["adam"]["0"].parts
        assert not part.prefix.startswith("17")
    found = group(names, parse_pattern("{variant}/{seed}"))
    assert [tuple(part) for part in found.variants["adam"]["0"].parts] == [
        ("", "adam/0"), ("", "adam/0/1700000000.5"), ("train", "adam/0/train"), ("val", "adam/0/val"),
    ]  # fmt: skip


def test_a_variant_may_be_named_as_a_part_is() -> None:
    found = group(["seed0/adam/val", "seed0/test"], parse_pattern("seed{seed}/{variant}"))
    assert seeds(found) == {"adam": ["0"], "test": ["0"]}


def test_names_are_sorted_as_people_do() -> None:
    found = group([f"lr{n}/seed{n}" for n in (10, 9, 1)], parse_pattern("{variant}/seed{seed}"))
    assert list(found.variants) == ["lr1", "lr9", "lr10"]
    assert sorted(["10", "9"], key=natural) == ["9", "10"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["adam", "Baseline"], "Baseline"),
        (["control", "baseline"], "baseline"),
        (["mlp/none", "mlp/x"], "mlp/none"),
        (["adam", "vanilla-0a1b2c"], "vanilla-0a1b2c"),
        (["based", "adam"], "based"),
        ([], ""),
    ],
)
def test_the_default_baseline(names: list[str], expected: str) -> None:
    assert default_baseline(names) == expected


def test_the_parts_of_a_pattern() -> None:
    assert parse_pattern("a*/{variant}").parts == ("a", Place.ANY, "/", Place.VARIANT)
