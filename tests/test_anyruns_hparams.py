from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from torch.utils.tensorboard import SummaryWriter

from runner.board.anyruns._hparams import Session, group_by_hparams, read_sessions
from tests.foreign import Asked, logs_of, write


def sessions(*values: Mapping[str, str | float | bool]) -> list[Session]:
    return [Session(f"run{number}", "", each) for number, each in enumerate(values)]


def runs(found: list[Session]) -> list[str]:
    return [each.run for each in found]


def test_variants_are_what_differs_besides_the_seed() -> None:
    given_ = sessions(*({"lr": lr, "rng_seed": seed, "depth": 3.0, "bn": True} for lr in (0.1, 1.0) for seed in (1, 2)))
    found = group_by_hparams(runs(given_), given_)
    assert {name: list(seeds) for name, seeds in found.variants.items()} == {
        "lr=0.1": ["1", "2"],
        "lr=1": ["1", "2"],
    }
    assert found.paired


def test_without_a_seed_runs_are_numbered_and_not_paired() -> None:
    for seed in ({}, {"seed": 42.0}):
        given_ = sessions(*({"lr": lr, **seed} for lr in (0.1, 0.1, 1.0)))
        found = group_by_hparams(runs(given_), given_)
        assert {name: list(seeds) for name, seeds in found.variants.items()} == {"lr=0.1": ["1", "2"], "lr=1": ["1"]}
        assert not found.paired
        assert any("without pairs" in remark for remark in found.remarks)


def test_groups_name_variants_and_names_have_seeds() -> None:
    given_ = [Session(f"x/{group}/seed{seed}", group, {"lr": 1.0}) for group in "ab" for seed in (3, 4)]
    found = group_by_hparams([*runs(given_), "x/other"], given_)
    assert {name: list(seeds) for name, seeds in found.variants.items()} == {"a": ["3", "4"], "b": ["3", "4"]}
    assert found.paired
    assert found.unmatched == ("x/other",)


def test_a_group_for_each_run_names_no_variant() -> None:
    given_ = [Session(f"r{n}", f"trial {n}", {"lr": float(n // 2), "seed": float(n % 2)}) for n in range(4)]
    assert list(group_by_hparams(runs(given_), given_).variants) == ["lr=0", "lr=1"]


def test_hashes_are_no_names() -> None:
    given_ = [Session(f"r{n}", f"{n:064x}", {"lr": float(n // 2), "seed": float(n % 2)}) for n in range(4)]
    assert list(group_by_hparams(runs(given_), given_).variants) == ["lr=0", "lr=1"]


def test_runs_within_a_session_are_its_parts() -> None:
    given_ = [Session("a", "", {"lr": 1.0})]
    (member,) = group_by_hparams(["a/val", "a/train", "b"], given_).variants["all runs"].values()
    assert [tuple(part) for part in member.parts] == [("train", "a/train"), ("val", "a/val")]


def test_bytes_that_are_no_hparams_are_skipped() -> None:
    assert read_sessions({"a": [b"\xff\xfe", b"", b"\x12"]}) == []


@given(st.dictionaries(st.text(max_size=5), st.lists(st.binary(max_size=20), max_size=2), max_size=3))
def test_reading_never_crashes(contents: dict[str, list[bytes]]) -> None:
    found = read_sessions(contents)
    group_by_hparams(contents, found)


def test_add_hparams_of_summary_writer(tmp_path: Path) -> None:
    for lr in (0.1, 0.2):
        for seed in (0, 1):
            folder = tmp_path / f"{lr}-{seed}x"
            write(folder, {"val/acc": [0.1, lr + seed / 10]})
            with SummaryWriter(str(folder)) as writer:
                writer.add_hparams({"lr": lr, "seed": seed, "name": "x"}, {"hparam/acc": 0.5})
    found = read_sessions(logs_of(tmp_path).hparams())
    assert [each.run for each in found] == ["0.1-0x", "0.1-1x", "0.2-0x", "0.2-1x"]
    shown = Asked(tmp_path)()
    assert shown["pattern"] == "hparams"
    assert [(each["name"], each["seeds"]) for each in shown["variants"]] == [
        ("lr=0.1", ["0", "1"]),
        ("lr=0.2", ["0", "1"]),
    ]
    assert shown["tags"] == ["val/acc", "hparam/acc"]
