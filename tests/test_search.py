"""A search is checked like a study; suggestions follow from the runs so far and from nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runner.execute import Message
from runner.expand import Overrides
from runner.files import read_json, write_json
from runner.search._resolve import ResolvedSearch, resolve_search
from runner.search._suggest import Tried, hopeless, suggest
from runner.search.records import Record, find_record, importances, read_record
from runner.spec import Kind, RequestError
from runner.store import FAILED, FINISHED, PRUNED, RUNNING
from tests.problems import one, refused
from tests.studies import BASE

SPACE: dict[str, Any] = {
    "lr": {"log_uniform": [1e-4, 1.0]},
    "dropout": {"uniform": [0.0, 0.7]},
    "patience": {"integer": [1, 9]},
    "augment": [[], ["HorizontalFlip"]],
    "optimizer": ["Adam", "SGD"],
}
SEARCH: dict[str, Any] = {"baseline": BASE | {"epochs": 10}, "space": SPACE, "runs": 30}
Resolve = Callable[..., ResolvedSearch]


@pytest.fixture
def resolved(tmp_path: Path) -> Resolve:
    """Writes a search's file and resolves it."""

    def make(overrides: Overrides | None = None, **changes: Any) -> ResolvedSearch:
        file = tmp_path / "hunt.py"
        file.write_text(f"SEARCH = {SEARCH | changes!r}")
        return resolve_search(str(file), overrides or Overrides())

    return make


def loss(values: dict[str, Any]) -> float:
    """A landscape with its lowest point, 0, inside the space."""
    far = math.log10(values["lr"] / 3e-3) ** 2
    return float(far + abs(values["dropout"] - 0.3) + 0.3 * (values["optimizer"] == "SGD"))


def searched(search: ResolvedSearch, count: int) -> list[Tried]:
    history: list[Tried] = []
    while len(history) < count and (values := suggest(search, history)) is not None:
        history.append(Tried(values, FINISHED, [loss(values) + 1, loss(values)]))
    return history


def test_every_mistake_is_said_at_once_where_it_stands(resolved: Resolve) -> None:
    wrong = {
        "lr": {"log_uniform": [0, 0.1]}, "dropout": {"uniform": [0.1, 1.5]}, "patience": {"integer": [1, 2.5]},
        "batch_size": [32, "64"], "init": ["default", "xavier"], "image_size": [2, 8], "filters": [[1], [2]],
        "augment": [["HorizontalFlop"], []], "hidden": [[8]], "dropuot": [0.1, 0.2], "epochs": {"zipf": [1, 2]},
        "dataset": ["digits", "mnist5k"], "weight_decay": {"uniform": [2, 1]}, "optimizer": ["Adam", "Adam"],
    }  # fmt: skip
    with pytest.raises(RequestError) as caught:
        resolved(space=wrong)
    found = caught.value.problems
    assert {problem.where.split("space: ")[-1].split(":")[0] for problem in found} >= set(wrong)
    for kind, where, *values in (
        (Kind.VALUE, "space: lr", "[0, 0.1]"), (Kind.VALUE, "space: dropout", "1.5", "from 0 to below 1"),
        (Kind.VALUE, "space: patience", "[1, 2.5]", "[low, high]"), (Kind.VALUE, "space: batch_size", "'64'"),
        (Kind.UNKNOWN, "space: init", '"xavier"', '"xavier_normal"'), (Kind.VALUE, "space: image_size", "got 2"),
        (Kind.IGNORED, "space: filters: [1]", '"mlp"'), (Kind.UNKNOWN, "space: augment", '"HorizontalFlip"'),
        (Kind.VALUE, "space: hidden", "[[8]]"), (Kind.UNKNOWN, "space: dropuot", '"dropout"'),
        (Kind.UNKNOWN, "space: epochs", '"zipf"', "integer, uniform"), (Kind.CONFLICT, "space: dataset"),
        (Kind.VALUE, "space: weight_decay", "[2, 1]"), (Kind.DUPLICATE, "space: optimizer", "['Adam', 'Adam']"),
    ):  # fmt: skip
        one(found, kind, where, *values)
    with refused(Kind.VALUE, "baseline: lr", "'fast'"):
        resolved(baseline=BASE | {"lr": "fast"})
    with refused(Kind.VALUE, "runs", "got 1", "from 2"):
        resolved(runs=1)
    with refused(Kind.CONFLICT, "space: lr", "log_uniform"):
        resolved(sampler="grid")
    with refused(Kind.CONFLICT, "monitor"):
        resolved(baseline=BASE | {"monitor": "val/accuracy"})
    with refused(Kind.CONFLICT, "--set lr"):
        resolved(Overrides(settings={"lr": 0.1}))


def test_what_is_said_elsewhere_is_checked_like_any_settings(resolved: Resolve) -> None:
    wrong: list[tuple[dict[str, Any], Kind, str, str]] = [
        ({"lr": "0.01"}, Kind.VALUE, "claim: lr", "'0.01'"),
        ({"dropuot": 0.1}, Kind.UNKNOWN, "claim: dropuot", '"dropout"'),
        ({"dataset": "mnist5k"}, Kind.CONFLICT, "claim: dataset", ""),
        ({"init": "xavier"}, Kind.UNKNOWN, "claim: init", '"xavier"'),
        ({"filters": [8]}, Kind.IGNORED, "claim: filters", '"mlp"'),
    ]
    for claim, kind, where, value in wrong:
        with refused(kind, where, value):
            resolved(claim=claim)
    search = resolved(Overrides(settings={"image_size": 16}), claim={"augment": ["HorizontalFlip"], "image_size": 64})
    claimed = search.claimed()
    assert claimed
    assert claimed.differences(search.baseline).keys() == {"augment"}  # what the command line sets is no claim's
    assert resolved().claimed() is None
    with refused(Kind.UNKNOWN, "claim: optimizer_args", '"betas"'):  # what the claim leaves, its optimizer can't take
        resolved(baseline=SEARCH["baseline"] | {"optimizer_args": {"betas": [0.8, 0.9]}}, claim={"optimizer": "SGD"},
                 space={"lr": [0.1, 0.01]})  # fmt: skip


def test_its_name_says_what_the_command_line_changed(resolved: Resolve) -> None:
    assert resolved().name == "hunt-digits"
    assert resolved(Overrides(dataset="mnist5k", settings={"epochs": 4})).name == "hunt-mnist5k+epochs=4"


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_suggestions_lie_in_the_space_and_follow_from_the_runs_alone(resolved: Resolve, sampler: str) -> None:
    search = resolved(sampler=sampler)
    history = searched(search, 20)
    for tried in history:
        assert 1e-4 <= tried.values["lr"] <= 1
        assert 0 <= tried.values["dropout"] <= 0.7
        assert tried.values["patience"] in range(1, 10)
        assert tried.values["augment"] in ([], [{"HorizontalFlip": {}}])
        search.variant(0, tried.values)  # they are settings
    assert suggest(search, history[:12]) == history[12].values  # as after a kill: no state but the runs
    assert suggest(resolved(sampler=sampler, seed=1), history[:12]) != history[12].values
    assert len({tried.values["lr"] for tried in history}) == 20


def test_tpe_learns_from_its_runs(resolved: Resolve) -> None:
    tpe, random = (searched(resolved(sampler=sampler), 30)[10:] for sampler in ("tpe", "random"))
    assert sum(tried.loss for tried in tpe) < 0.7 * sum(tried.loss for tried in random)
    shares = importances(resolved(), tpe + random)
    assert max(shares, key=shares.__getitem__) == "lr"
    assert sum(shares.values()) <= 1.001


def test_failed_and_pruned_runs_are_avoided(resolved: Resolve) -> None:
    search = resolved(space={"lr": {"log_uniform": [1e-4, 1.0]}})
    for state, losses in ((FAILED, []), (PRUNED, [9.0])):
        history = [Tried({"lr": 10 ** (-4 + k / 10)}, FINISHED, [1.0]) for k in range(20)]
        history += [Tried({"lr": 10 ** (-2 + k / 10)}, state, losses) for k in range(20)]
        asked = []
        for _ in range(10):
            values = suggest(search, history)
            assert values
            asked.append(values["lr"])
            history.append(Tried(values, RUNNING, []))
        assert sum(lr < 1e-2 for lr in asked) >= 8


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_no_two_runs_have_the_same_settings_and_a_small_space_comes_to_its_end(resolved: Resolve, sampler: str) -> None:
    space = {"batch_size": [32, 64], "patience": {"integer": [1, 3]}, "augment": [[], ["HorizontalFlip"]]}
    search = resolved(space=space, sampler=sampler)
    history: list[Tried] = []
    while (values := suggest(search, history)) is not None:
        history.append(Tried(values, FINISHED, [float(values["patience"])]))
    assert len(history) == 12
    assert len({repr(tried.values) for tried in history}) == 12
    assert [tried.values["patience"] for tried in history] != sorted(tried.values["patience"] for tried in history)


@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_the_last_combination_is_found_however_seldom_it_is_drawn(
    resolved: Resolve, sampler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.search._suggest._ATTEMPTS", 0)
    search = resolved(space={"patience": {"integer": [1, 40]}, "optimizer": ["Adam", "SGD"]}, sampler=sampler)
    cells = [{"patience": epochs, "optimizer": name} for epochs in range(1, 41) for name in ("Adam", "SGD")]
    last = cells.pop(57)
    assert suggest(search, [Tried(values, FINISHED, [1.0]) for values in cells]) == last


def test_a_run_is_hopeless_above_the_median_of_the_finished_at_its_epoch(resolved: Resolve) -> None:
    search = resolved()
    values = {"lr": 0.1, "dropout": 0.0, "patience": 1, "augment": [], "optimizer": "Adam"}
    finished = [Tried(values, FINISHED, [level, level - 0.05, level - 0.1]) for level in (1.0, 1.1, 1.2, 1.3, 1.4)]

    def run(*losses: float, **more: Any) -> Tried:
        return Tried(values | more, RUNNING, list(losses))

    assert hopeless(search, finished, run(1.5, 1.16)).startswith("after epoch 2 its lowest validation loss, 1.1600")
    assert not hopeless(search, finished, run(1.5, 1.14))  # the median is 1.15
    assert not hopeless(search, finished, run(1.1, 1.6))  # its lowest counts
    assert not hopeless(search, finished, run(9.0))  # a fifth of ten epochs is everyone's
    assert not hopeless(search, finished, run(1.5, 1.16, epochs=60))  # a fifth of its own
    assert not hopeless(search, finished[:4], run(1.5, 1.5))  # too few to judge by
    assert not hopeless(search, finished, run(1.5, 1.5, math.nan))  # it fails by itself
    assert not hopeless(resolved(pruner="none"), finished, run(1.5, 1.5))
    assert not hopeless(search, [replace(tried, state=PRUNED) for tried in finished], run(1.5, 1.5))


def test_a_run_is_recorded_before_it_begins_and_asked_for_again_until_it_ends(
    resolved: Resolve, tmp_path: Path
) -> None:
    search = resolved(runs=4)
    first = Record(search, tmp_path)
    asks = first.ask()
    runs = [next(asks), next(asks)]
    assert [run.folder.parts[1][:5] for run in runs] == ["0000-", "0001-"]
    again = Record(search, tmp_path)
    assert list(again.tried) == runs
    second = again.ask()
    assert [next(second), next(second)] == runs  # neither lost nor given another number
    folder = tmp_path / runs[0].folder
    folder.mkdir(parents=True)
    write_json(folder / "run.json", {"seed": 0, "status": "failed", "settings": {}, "provenance": {}})
    again.on_message(Message("failed", runs[0]))
    rest = list(Record(search, tmp_path).ask())
    assert [run.variant.name for run in rest] == ["0001", "0002", "0003"]
    assert Record(search, tmp_path).left == 3
    assert Record(resolved(runs=6), tmp_path).left == 5  # prolonged, it is the same search


def test_another_space_is_another_search_and_no_number_is_used_twice(resolved: Resolve, tmp_path: Path) -> None:
    asks = Record(resolved(), tmp_path).ask()
    before = [next(asks) for _ in range(3)]
    for change in ({"space": SPACE | {"dropout": {"uniform": [0.0, 0.5]}}}, {"sampler": "random"}, {"seed": 7}):
        record = Record(resolved(**change), tmp_path)
        assert not record.tried
        run = next(record.ask())
        assert int(run.variant.name) == len(before)
        before.append(run)
    study = read_json(tmp_path / "hunt-digits" / "study.json")
    assert study
    assert len({entry["directory"] for entry in study["variants"].values()}) == len(before) == 6
    assert list(read_record(tmp_path / "hunt-digits").tried) == before[-1:]


@pytest.mark.parametrize(
    "entry",
    [("first", {}), ("0١", {}), ("9" * 5000, {}), ("00001", {}), ("0001", {"lr": None}), ("0001", {"dropout": 5.0}),
     ("0001", {"optimizer": "runs.payload:f"}), ("0001", {"lr": "1e-3"})],
)  # fmt: skip
def test_what_no_search_has_recorded_is_no_run_of_it(
    resolved: Resolve, tmp_path: Path, entry: tuple[str, dict[str, Any]]
) -> None:
    search, folder = resolved(), tmp_path / "hunt-digits"
    run = next(Record(search, tmp_path).ask())
    study = read_json(folder / "study.json")
    assert study
    (good,) = study["variants"].values()
    name, values = entry
    strange = good | {"values": good["values"] | values}
    write_json(folder / "study.json", study | {"variants": study["variants"] | {name: strange}})
    record = read_record(folder)
    assert list(record.tried) == [run]
    asks = record.ask()
    assert [next(asks), int(next(asks).variant.name) <= 2] == [run, True]


def test_a_record_of_a_search_that_is_none_is_answered_in_words(resolved: Resolve, tmp_path: Path) -> None:
    next(Record(resolved(), tmp_path).ask())
    folder = tmp_path / "hunt-digits"
    study = read_json(folder / "study.json")
    assert study
    corrupt: dict[str, Any]
    for corrupt in ({"space": []}, {"baseline": {}}, {"runs": None, "more": 1}):
        write_json(folder / "study.json", study | {"search": study["search"] | corrupt})
        with refused(Kind.PATH, str(folder)):
            read_record(folder)


def test_a_search_is_found_by_its_own_name(resolved: Resolve, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    with refused(Kind.UNKNOWN, f"{runs}: hunt"):
        find_record(runs, "hunt")
    search = resolved()
    for each in (search, search.random_twin()):
        next(Record(each, runs).ask())
    found = find_record(runs, "hunt").search
    assert found == search
    assert found.digest() == search.digest()
    next(Record(resolved(Overrides(settings={"epochs": 4})), runs).ask())
    assert find_record(runs, "hunt-digits").search == search
    with refused(Kind.UNKNOWN, f"{runs}: hunt", "hunt-digits", "hunt-digits+epochs=4"):
        find_record(runs, "hunt")


def test_settings_that_the_chosen_model_does_not_read_make_no_run_of_their_own(resolved: Resolve) -> None:
    search = resolved(space={"model": ["mlp", "cnn"], "filters": [[8], [16]]}, sampler="grid")
    history: list[Tried] = []
    while (values := suggest(search, history)) is not None:
        history.append(Tried(values, FINISHED, [1.0]))
    settings = [search.settings(tried.values) for tried in history]
    assert sorted((each.model, each.filters) for each in settings if each.model == "cnn") == [
        ("cnn", (8,)),
        ("cnn", (16,)),
    ]
    assert [each.filters for each in settings if each.model == "mlp"] == [search.baseline.filters]


def test_a_run_that_its_patience_stopped_still_counts_at_later_epochs(resolved: Resolve) -> None:
    search = resolved()
    values = {"lr": 0.1, "dropout": 0.0, "patience": 1, "augment": [], "optimizer": "Adam"}
    stopped = [Tried(values, FINISHED, [1.0, 0.9, 0.9]) for _ in range(5)]
    slow = Tried(values, FINISHED, [1.0, 0.9, 0.8, 0.5, 0.1])
    good, bad = (Tried(values, RUNNING, [1.0, 1.0, loss, loss, loss]) for loss in (0.8, 0.95))
    assert not hopeless(search, [*stopped, slow], good)  # of six the median is 0.9, not 0.1
    assert hopeless(search, [*stopped, slow], bad)


def test_the_start_is_tried_first_where_the_spaces_have_it(resolved: Resolve) -> None:
    search = resolved(baseline=BASE | {"epochs": 10, "patience": 3})
    assert suggest(search, []) == {key: search.baseline.plain()[key] for key in SPACE}
    beyond = resolved(baseline=BASE | {"patience": 3}, space=SPACE | {"lr": {"log_uniform": [0.1, 1.0]}})
    values = suggest(beyond, [])
    assert values
    assert values["lr"] >= 0.1


def test_combinations_that_are_one_run_are_not_left_to_do(resolved: Resolve, tmp_path: Path) -> None:
    search = resolved(space={"model": ["mlp", "cnn"], "convs": {"integer": [1, 3]}})  # of mlp there is one
    for run in Record(search, tmp_path).ask():
        (tmp_path / run.folder).mkdir(parents=True)
        identity = {"seed": 0, "status": "failed", "settings": {}, "provenance": {}, "cause": "ValueError"}
        write_json(tmp_path / run.folder / "run.json", identity)
    record = Record(search, tmp_path)
    assert len(record.tried) == 4
    assert record.left == 0


def test_failed_runs_come_last_in_importance_whatever_they_had_reached(resolved: Resolve) -> None:
    search = resolved(space={"optimizer": ["Adam", "SGD"], "batch_size": [32, 64]})
    rng = np.random.default_rng(0)
    history = [
        Tried({"optimizer": name, "batch_size": size}, FAILED if name == "SGD" else FINISHED, [float(rng.random())])
        for _ in range(10)
        for name in ("Adam", "SGD")
        for size in (32, 64)
    ]
    assert importances(search, history)["optimizer"] > 0.6
    assert importances(search, [history[0]] * 8) == {}  # all alike
    assert importances(search, history[:3]) == {}
    assert importances(search, [Tried(tried.values, FAILED, []) for tried in history]) == {}  # nothing was measured


def test_a_failure_of_the_machines_is_tried_once_more(resolved: Resolve, tmp_path: Path) -> None:
    search = resolved(runs=2)
    runs = list(Record(search, tmp_path).ask())
    for run, machines in zip(runs, (True, False), strict=True):
        (tmp_path / run.folder).mkdir(parents=True)
        identity = {"seed": 0, "status": "failed", "settings": {}, "provenance": {}, "cause": "OutOfMemoryError: "}
        write_json(tmp_path / run.folder / "run.json", identity | ({"machines": True} if machines else {}))
    record = Record(search, tmp_path)
    assert record.left == 1
    record.write()  # a command that is stopped before it comes to it takes nothing from it
    assert Record(search, tmp_path).left == 1
    assert list(Record(search, tmp_path).ask()) == runs[:1]
    assert Record(search, tmp_path).left == 0
    assert not list(Record(search, tmp_path).ask())


def test_what_is_left_is_never_less_than_nothing_nor_more_than_the_space_has(resolved: Resolve, tmp_path: Path) -> None:
    space = {"batch_size": [32, 64], "patience": {"integer": [1, 3]}}
    assert Record(resolved(space=space), tmp_path).left == 6
    for run in Record(resolved(space=space), tmp_path).ask():
        (tmp_path / run.folder).mkdir(parents=True)
        identity = {"seed": 0, "status": "failed", "settings": {}, "provenance": {}, "cause": "ValueError"}
        write_json(tmp_path / run.folder / "run.json", identity)
    assert Record(resolved(space=space), tmp_path).left == 0
    assert Record(resolved(space=space, runs=2), tmp_path).left == 0


def test_a_data_set_that_there_is_not_is_no_place_for_a_random_search(resolved: Resolve) -> None:
    with refused(Kind.UNKNOWN, "random_on: dataset", '"digits"'):
        resolved(random_on=["digts"])


def test_a_grid_over_whole_numbers_may_be_of_a_setting_that_takes_any(resolved: Resolve) -> None:
    search = resolved(space={"lr": {"integer": [1, 3]}, "batch_size": [32, 64]}, sampler="grid")
    assert suggest(search, []) is not None
