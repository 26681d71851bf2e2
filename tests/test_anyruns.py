from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from runner.board.anyruns import AnyQuery, QueryError
from runner.board.anyruns._anyruns import show
from runner.board.anyruns._read import Series
from runner.board.anyruns._remarks import values_remarks
from runner.spec import Kind
from runner.stats import holm, mean_interval, paired_effect
from runner.verdicts import EffectsTable
from tests.foreign import Asked, declining, write, write_lightning

NAN = float("nan")
HTML = "<img src=x onerror=alert(1)>"
WORDS = ("{variant}/seed{seed}", "{seed}", "{variant}", "*", "hparams", "val/loss", "(a+)+$", "\x00", "\ud800", "last")
LAST = {"baseline": [0.50, 0.52, 0.54], "mlp": [0.60, 0.63, 0.64], "cnn": [0.51, 0.50, 0.56]}  # val/accuracy


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Three variants with three seeds each, as a loop with SummaryWriter writes them."""
    folder = tmp_path_factory.mktemp("plain")
    for variant, lasts in LAST.items():
        for seed, last in enumerate(lasts):
            scalars = {"val/accuracy": [0.1, 0.9, last], "val/loss": declining(1 - last, 3), "lr": [0.1, 0.1, 0.1]}
            write(folder / variant / f"seed{seed}", scalars, new_style=seed == 1)
    return Asked(folder)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Runs with gaps: NaN, unequal steps, one seed, a name of HTML, a run that fits no pattern."""
    folder = tmp_path_factory.mktemp("odd")
    write(folder / "base" / "seed0", {"acc": {0: 0.1, 10: 0.3, 20: 0.5}})
    write(folder / "base" / "seed1", {"acc": {0: 0.2, 10: 0.4, 20: 0.6}})
    write(folder / "base" / "seed2", {"acc": {0: 0.2, 10: 0.4, 20: 0.5}})
    write(folder / "nan" / "seed0", {"acc": {0: 0.1, 10: NAN, 20: NAN}})
    write(folder / "nan" / "seed1", {"acc": {0: 0.3, 10: 0.6, 20: 0.8}})
    write(folder / "nan" / "seed2", {"acc": {0: 0.3, 10: 0.6, 20: 0.7}})
    write(folder / "short" / "seed0", {"acc": {0: 0.2, 5: 0.4}})
    write(folder / "short" / "seed1", {"acc": {10: 0.6, 20: 0.8}, HTML: {0: 1.0}})
    write(folder / "b&lt;b>x" / "seed0", {"acc": [float("inf")]})
    write(folder / "notes", {"acc": [1.0]})
    return Asked(folder)


def stored(values: list[float]) -> list[float]:
    """Values as event files keep them: with 32 bits."""
    return [float(value) for value in np.array(values, dtype=np.float32)]


def row(found: dict[str, Any], tag: str, variant: str) -> dict[str, Any]:
    (one,) = [each for each in found["shown"][tag]["effects"] if each["variant"] == variant]
    return dict(one)


def said(found: dict[str, Any], *words: str) -> bool:
    return any(all(word in remark for word in words) for remark in found["remarks"])


def test_plain_runs_are_grouped_and_shown_unasked(plain: Asked) -> None:
    found = plain()
    assert found["pattern"] == found["proposed"] == "{variant}/seed{seed}"
    assert found["baseline"] == "baseline"
    assert found["paired"]
    assert [each["name"] for each in found["variants"]] == ["baseline", "cnn", "mlp"]
    assert found["variants"][2]["seeds"] == ["0", "1", "2"]
    assert found["variants"][2]["runs"]["1"] == "mlp/seed1"
    assert found["tags"] == ["val/accuracy", "val/loss", "lr"]
    assert {tag: each["better"] for tag, each in found["shown"].items()} == {"val/accuracy": "max", "val/loss": "min"}
    assert said(found, "not verdicts")


def test_curves_are_the_means_of_the_seeds(plain: Asked) -> None:
    curve = plain()["shown"]["val/accuracy"]["curves"]["mlp"]
    expected = mean_interval(stored(LAST["mlp"]))
    assert curve["step"] == [0, 1, 2]
    assert curve["n"] == [3, 3, 3]
    assert [curve[key][-1] for key in ("mean", "low", "high")] == pytest.approx(
        [expected.estimate, expected.low, expected.high]
    )
    assert curve["low"][0] == curve["mean"][0] == curve["high"][0]  # all seeds have 0.1


def test_effects_are_paired_and_adjusted(plain: Asked) -> None:
    found = plain()
    values = {name: stored(lasts) for name, lasts in LAST.items()}
    effects = {name: paired_effect(values[name], values["baseline"]) for name in ("cnn", "mlp")}
    for (name, effect), adjusted in zip(effects.items(), holm([each.p for each in effects.values()]), strict=True):
        mine = row(found, "val/accuracy", name)
        interval = effect.interval
        assert [mine[key] for key in ("effect", "effect low", "effect high", "effect p", "effect p adjusted")] == (
            pytest.approx([interval.estimate, interval.low, interval.high, effect.p, adjusted])
        )
        assert (mine["n"], mine["failed"], mine["effect n"]) == (3, 0, 3)
        assert [point["seed"] for point in mine["points"]] == ["0", "1", "2"]
        assert np.mean([point["difference"] for point in mine["points"]]) == pytest.approx(interval.estimate)
    assert row(found, "val/accuracy", "mlp")["side"] == "better"
    assert row(found, "val/accuracy", "cnn")["side"] == ""
    assert row(found, "val/loss", "mlp")["side"] == "better"  # less loss
    assert row(found, "val/accuracy", "baseline")["effect"] is None


def test_rows_have_the_columns_of_summary_csv(plain: Asked) -> None:
    assert list(row(plain(), "val/loss", "mlp")) == [*EffectsTable(()).frame().columns, "points"]


def test_another_baseline_turns_the_effects(plain: Asked) -> None:
    first, turned = plain(), plain(baseline="mlp")
    assert turned["baseline"] == "mlp"
    assert row(turned, "val/accuracy", "baseline")["effect"] == -row(first, "val/accuracy", "mlp")["effect"]
    assert row(turned, "val/accuracy", "baseline")["side"] == "worse"


def test_an_unknown_baseline_or_tag_is_said(plain: Asked) -> None:
    found = plain(baseline="gone", tag=["val/loss", "nope"])
    assert found["baseline"] == "baseline"
    assert list(found["shown"]) == ["val/loss"]
    assert said(found, '"gone"')
    assert said(found, "nope")


@pytest.mark.parametrize(
    ("at", "better", "expected"),
    [("best", "", 0.9), ("best", "min", 0.1), ("0", "", 0.1), ("1", "", 0.9), ("99", "", 0.59)],
)
def test_effects_at_other_steps(plain: Asked, at: str, better: str, expected: float) -> None:
    found = plain(tag="val/accuracy", at=at, better=better)
    means = LAST["mlp"] if at == "99" else [expected] * 3
    assert row(found, "val/accuracy", "mlp")["mean"] == pytest.approx(np.mean(means))
    assert said(found, "best step") == (at == "best")


def test_before_the_first_step_there_is_no_value(plain: Asked) -> None:
    mine = row(plain(tag="val/accuracy", at="-5"), "val/accuracy", "mlp")
    assert (mine["n"], mine["failed"], mine["mean"], mine["effect"]) == (0, 0, None, None)


def test_better_can_be_turned(plain: Asked) -> None:
    assert row(plain(tag="val/accuracy", better="min"), "val/accuracy", "mlp")["side"] == "worse"


def test_values_that_are_not_finite_are_said_and_skipped(odd: Asked) -> None:
    found = odd(tag="acc")
    curve, mine = found["shown"]["acc"]["curves"]["nan"], row(found, "acc", "nan")
    assert curve["n"] == [3, 2, 2]
    assert curve["mean"] == pytest.approx([0.7 / 3, 0.6, 0.75])
    assert (mine["n"], mine["failed"], mine["effect n"]) == (2, 1, 2)
    assert said(found, "NaN", "nan seed 0")
    infinite = found["shown"]["acc"]["curves"]["b&lt;b>x"]
    assert (infinite["mean"], infinite["n"]) == ([None], [0])


def test_a_diverged_run_speaks_against_better(odd: Asked) -> None:
    mine = row(odd(tag="acc"), "acc", "nan")
    assert mine["effect"] == pytest.approx(0.2)
    assert mine["side"] == ""


def test_unequal_steps_are_interpolated_and_carried(odd: Asked) -> None:
    found = odd(tag="acc")
    curve = found["shown"]["acc"]["curves"]["short"]
    assert curve["step"] == [0, 5, 10, 20]
    assert curve["n"] == [1, 1, 2, 2]
    assert curve["mean"] == pytest.approx([0.2, 0.4, 0.5, 0.6])
    assert (curve["low"][0], curve["high"][1]) == (None, None)
    assert said(found, "unequal steps")


def test_gaps_are_said(odd: Asked) -> None:
    found = odd()
    assert found["baseline"] == "base"
    assert said(found, "1 run does not match", "notes")
    assert said(found, "b&lt;b>x", "one run")
    assert said(found, "short", "no 2")
    assert said(odd(tag=HTML), HTML, "lack")


def test_html_is_only_data(odd: Asked) -> None:
    found = odd(tag=HTML)
    assert list(found["shown"]) == [HTML]
    assert row(found, HTML, "short")["n"] == 1


def test_a_pattern_that_matches_nothing_is_answered(plain: Asked) -> None:
    found = plain(pattern="x{variant}_{seed}")
    assert (found["variants"], found["shown"], found["baseline"]) == ([], {}, "")
    assert said(found, "x{variant}_{seed}", "baseline/seed0", "{variant}/seed{seed}")


def test_without_seeds_the_runs_are_compared_without_pairs(plain: Asked) -> None:
    found = plain(pattern="{variant}/*", tag="val/accuracy")
    expected = stats.ttest_ind(stored(LAST["mlp"]), stored(LAST["baseline"]), equal_var=False)
    assert not found["paired"]
    mine = row(found, "val/accuracy", "mlp")
    assert mine["effect p"] == pytest.approx(expected.pvalue, rel=1e-4)
    assert (mine["points"], mine["effect n"]) == ([], 3)
    assert said(found, "without pairs")


def test_parts_of_a_run_become_parts_of_its_tags(tmp_path: Path) -> None:
    for optimizer in ("adam", "sgd"):
        for seed in "01":
            for part in ("train", "val"):
                write(tmp_path / "exp" / optimizer / seed / part, {"loss": declining(1 + int(seed))})
    found = Asked(tmp_path)()
    assert found["pattern"] == "exp/{variant}/{seed}"
    assert found["tags"] == ["val/loss", "train/loss"]
    assert found["variants"][0]["runs"] == {"0": "exp/adam/0", "1": "exp/adam/1"}


def test_lightning_versions_are_grouped_by_hparams(tmp_path: Path) -> None:
    settings = [(lr, seed) for lr in (0.1, 0.01) for seed in (1, 2, 3)]
    for version, (lr, seed) in enumerate(settings):
        values = {"lr": lr, "seed": seed, "log_dir": f"x{version}", "layers": 2}
        scalars = {"train_loss_step": declining(lr + seed / 100), "val_acc": [0.1, 0.5 + seed * lr / 10]}
        write_lightning(tmp_path / "lightning_logs" / f"version_{version}", values, scalars)
    asked = Asked(tmp_path)
    found = asked()
    assert (found["pattern"], found["proposed"], found["paired"]) == ("hparams", "hparams", True)
    assert [(each["name"], each["seeds"]) for each in found["variants"]] == [
        ("lr=0.01", ["1", "2", "3"]),
        ("lr=0.1", ["1", "2", "3"]),
    ]
    assert found["variants"][1]["runs"]["3"] == "lightning_logs/version_2"
    assert list(found["shown"]) == ["val_acc", "train_loss_step"]
    assert said(asked(pattern="{variant}/seed{seed}"), "lightning_logs/version_0", "hparams")


def test_versions_without_hparams_are_explained(tmp_path: Path) -> None:
    for version in range(3):
        write(tmp_path / "lightning_logs" / f"version_{version}", {"val_acc": [0.1, 0.2], "epoch": [0, 1]})
    asked = Asked(tmp_path)
    assert asked()["proposed"] == ""
    assert said(asked(), "neither variant nor seed", "hparams")
    assert said(asked(pattern="hparams"), "logged hparams")


def test_values_near_the_largest_float_are_shown_as_missing() -> None:
    huge = {str(seed): Series(np.array([0]), np.array([value])) for seed, value in enumerate((1e308, -1e308, 1.5e308))}
    small = {str(seed): Series(np.array([0]), np.array([-1e308 * seed])) for seed in range(2)}
    found = show("acc", {"base": small, "x": huge}, "base", AnyQuery(), paired=True)
    assert not np.isfinite(found.curves["x"].low).any()
    assert [each.row.side for each in found.effects] == ["", ""]


def test_best_of_sampled_points_is_said() -> None:
    long = {"a": {"0": Series(np.arange(1000), np.arange(1000.0))}}
    assert values_remarks("acc", long, AnyQuery(at="best"))
    assert not values_remarks("acc", long, AnyQuery())


def test_an_empty_directory_is_answered(tmp_path: Path) -> None:
    found = Asked(tmp_path)()
    assert (found["variants"], found["tags"], found["shown"]) == ([], [], {})
    assert said(found, "No run")


@pytest.mark.parametrize(
    ("parameters", "kind"),
    [
        ({"pattern": ["{variant}/{sed}"]}, Kind.UNKNOWN),
        ({"pattern": ["{variant"]}, Kind.UNKNOWN),
        ({"pattern": ["*"]}, Kind.MISSING),
        ({"pattern": ["{variant}" * 50]}, Kind.LIMIT),
        ({"at": ["first"]}, Kind.VALUE),
        ({"at": ["9" * 400]}, Kind.VALUE),
        ({"at": ["²"]}, Kind.VALUE),
        ({"better": ["more"]}, Kind.VALUE),
        ({"tag": [str(number) for number in range(13)]}, Kind.LIMIT),
    ],
)
def test_a_malformed_request_is_refused_in_words(plain: Asked, parameters: dict[str, Any], kind: Kind) -> None:
    with pytest.raises(QueryError) as error:
        plain(**parameters)
    assert error.value.kind is kind


@given(
    st.dictionaries(
        st.sampled_from(["pattern", "baseline", "tag", "at", "better", "x"]),
        st.lists(st.text(max_size=20) | st.sampled_from([*WORDS, "{variant}/*", "best", "1", "mlp", HTML]), max_size=3),
    )
)
def test_no_parameters_crash_it(plain: Asked, parameters: dict[str, Any]) -> None:
    with contextlib.suppress(QueryError):
        assert plain(**parameters)["tags"] is not None


def test_a_query_ignores_what_it_does_not_know() -> None:
    assert AnyQuery.parse({"x": ["1"], "tag": ["", "a", "a"], "pattern": ["a", " b "], "at": []}) == AnyQuery(
        pattern="b", tags=("a",)
    )
