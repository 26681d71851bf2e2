"""Initial weights from files and from torchvision, frozen layers, and rates and decays of parts of a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from runner.data import Dataset, Stream
from runner.evaluate import evaluate
from runner.models import build, weight_layers
from runner.spec import Kind, Settings, problems_of
from runner.store import RunDir
from runner.torchvision import classifier, classifiers
from runner.train import Epoch, lockstep
from tests.commands import run, train
from tests.learners import CPU, learner
from tests.problems import refused
from tests.studies import BASE

Make = Callable[..., Settings]
RGB: dict[str, Any] = {"channels": 3, "image_size": 32}
SMALL = {"model": "torchvision/mobilenet_v3_small", **RGB}
PLAIN = {key: value for key, value in BASE.items() if key != "hidden"}
ENUM = "MobileNet_V3_Small_Weights.IMAGENET1K_V1"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """Weights of 1,000 classes where torch keeps its downloads, under the name of the file that it would load."""
    from runner.torchvision import torchvision

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    state: dict[str, torch.Tensor] = classifier("mobilenet_v3_small", 1000).state_dict()
    place = tmp_path / "torch" / "hub" / "checkpoints" / Path(torchvision().models.get_weight(ENUM).url).name
    place.parent.mkdir(parents=True)
    torch.save(state, place)
    return state


@pytest.mark.parametrize("name", ["resnet34", "squeezenet1_1", "shufflenet_v2_x0_5", "googlenet", "regnet_y_400mf"])
def test_torchvisions_classifiers_give_logits_in_training_too(settings: Make, name: str) -> None:
    model = build(settings(model=f"torchvision/{name}"), (3, 64, 64), 7, seed=0)
    assert model.train()(torch.zeros(2, 3, 64, 64)).shape == (2, 7)
    again, other = (build(settings(model=f"torchvision/{name}"), (3, 64, 64), 7, seed) for seed in (0, 1))
    first = [next(iter(each.parameters())) for each in (model, again, other)]
    assert torch.equal(first[0], first[1])
    assert not torch.equal(first[0], first[2])


def test_arguments_reach_torchvision(settings: Make) -> None:
    thin, full = (
        build(settings(model="torchvision/mobilenet_v2", model_args=each), (3, 32, 32), 5, seed=0)
        for each in ({"width_mult": 0.35}, {})
    )
    assert len(next(thin.parameters())) < len(next(full.parameters()))


@pytest.mark.parametrize(
    ("changes", "key", "kind", "values"),
    [
        ({"model": "torchvision/resnet19"}, "model", Kind.UNKNOWN, ['"resnet18"']),
        ({"model": "torchvision/fcn_resnet50"}, "model", Kind.UNKNOWN, []),
        ({**SMALL, "weights": "ResNet18_Weights.DEFAULT"}, "weights", Kind.UNKNOWN, ["mobilenet_v3_small"]),
        ({**SMALL, "weights": "MobileNet_V3_Small_Weights.V9"}, "weights", Kind.UNKNOWN, ["IMAGENET1K_V1"]),
        ({"weights": ENUM}, "weights", Kind.UNKNOWN, [ENUM]),
        ({"weights": "no/such.pt"}, "weights", Kind.UNKNOWN, ["no/such.pt"]),
        ({"weights": __file__, "init": "zeros"}, "weights", Kind.CONFLICT, ["zeros"]),
        ({"decay_norms": False}, "decay_norms", Kind.IGNORED, []),
    ],
)
def test_what_torchvision_lacks_is_refused(
    settings: Make, changes: dict[str, Any], key: str, kind: Kind, values: list[str]
) -> None:
    found = problems_of(settings(**changes))[key]
    assert found.kind is kind
    assert all(value in found.what for value in values)


def test_every_classifier_that_the_setting_accepts_is_one_of_torchvisions(settings: Make) -> None:
    assert {"resnet50", "vit_b_16", "convnext_tiny"} <= set(classifiers())
    assert "model" not in problems_of(settings(**SMALL))


def test_torchvisions_weights_are_loaded_and_the_head_is_new(settings: Make, hub: dict[str, torch.Tensor]) -> None:
    model = build(settings(**SMALL, weights=ENUM), (3, 32, 32), 10, seed=0)
    found, head = model.state_dict(), weight_layers(model)[-1]
    other = [name for name in found if not torch.equal(found[name], hub[name])] if len(found) == len(hub) else []
    assert other == ["classifier.3.weight", "classifier.3.bias"]
    assert head.out_features == 10


def test_weights_that_cant_be_downloaded_are_refused_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody listens there
    study = {"baseline": PLAIN | SMALL | {"weights": ENUM, "images_per_class": 5}, "seeds": 1}
    with refused(Kind.CODE, "baseline", ENUM):
        run(study, tmp_path)
    assert not (tmp_path / "runs").exists()


def test_a_runs_best_weights_start_another_run_and_their_content_counts(tmp_path: Path) -> None:
    first = train({"baseline": BASE | {"epochs": 1}, "seeds": 1}, tmp_path)
    file = tmp_path / "start.pt"
    file.write_bytes(RunDir(first).best.read_bytes())
    study = {"baseline": BASE | {"epochs": 1, "weights": str(file), "freeze": ["1"]}, "seeds": 1}
    outcome, text = run(study, tmp_path)
    assert outcome.failed == 0, text
    (second,) = [path.parent for path in tmp_path.glob("runs/*/*/seed0/best.pt") if path.parent != first]
    before, after = (torch.load(RunDir(folder).best) for folder in (first, second))
    assert torch.equal(before["1.weight"], after["1.weight"])
    assert not torch.equal(before["3.weight"], after["3.weight"])
    torch.save({"model": {f"module.{name}": 2 * tensor for name, tensor in before.items()}}, file)
    outcome, text = run(study, tmp_path)
    assert len(list(tmp_path.glob("runs/*/*/seed0/best.pt"))) == 3, text
    file.unlink()
    assert evaluate(second, Path("data"), tmp_path).parts  # it needs its own weights only


@pytest.mark.parametrize("content", [b"no weights", None])
def test_a_file_of_other_weights_is_refused_before_training(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "other.pt"
    if content is None:
        torch.save(nn.Linear(3, 3).state_dict(), file)
    else:
        file.write_bytes(content)
    with refused(Kind.CODE, "baseline", str(file)):
        run({"baseline": BASE | {"weights": str(file)}, "seeds": 1}, tmp_path)


def test_frozen_layers_stay_as_they_are_also_their_statistics(settings: Make, digits: Dataset) -> None:
    chosen = settings(batch_norm=True, hidden=[8, 8], freeze=["1", "2.*"], weight_decay=0.1, epochs=2)
    run_ = learner(digits, chosen)
    before = {name: tensor.clone() for name, tensor in run_.model.state_dict().items()}
    epoch = next(event for event in lockstep([run_], Stream(digits, chosen, 0, CPU)) if isinstance(event, Epoch))
    after = epoch.snapshot["model"]
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert same == {name for name in before if name.split(".")[0] in ("1", "2")}


def test_a_pattern_without_a_match_is_refused_before_training(tmp_path: Path) -> None:
    for changes in ({"freeze": ["fc"]}, {"lr_of": {"fc": 2}}, {"lr_of": {"1": 2, "*.bias": 3}}):
        with refused(Kind.CODE, "baseline", next(iter(next(iter(changes.values()))))):
            run({"baseline": BASE | changes, "seeds": 1}, tmp_path / next(iter(changes)))


def test_rates_and_decays_of_parts_are_those_of_torchs_groups(settings: Make, digits: Dataset) -> None:
    chosen = settings(
        hidden=[16],
        optimizer="SGD",
        lr=0.1,
        weight_decay=0.5,
        lr_of={"1": 0.5, "3.weight": 3},
        decay_norms=False,
        schedule="cosine",
    )
    run_, stream = learner(digits, chosen), Stream(digits, chosen, 0, CPU)
    model = build(chosen, digits.shape, 10, seed=0)
    _, first, _, last = model.children()
    groups = [
        {"params": [first.weight], "lr": 0.05}, {"params": [first.bias], "lr": 0.05, "weight_decay": 0.0},
        {"params": [last.weight], "lr": 0.1 * 3}, {"params": [last.bias], "weight_decay": 0.0},
    ]  # fmt: skip
    plain = torch.optim.SGD(groups, lr=0.1, weight_decay=0.5, fused=True)
    steps = 3 * len(stream.order(1))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(plain, steps)
    for images, labels in stream.train(1):
        run_.step(images, labels)
        plain.zero_grad()
        functional.cross_entropy(model(images), labels).backward()  # type: ignore[no-untyped-call]
        plain.step()
        schedule.step()
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(run_.model.state_dict()[name], tensor)


def test_a_loss_of_your_own_gets_all_that_your_model_returns(settings: Make, digits: Dataset) -> None:
    changes = {"model": "tests.fakes:auxiliary", "epochs": 1}
    with_both = learner(digits, settings(**changes, loss="tests.recipes:with_auxiliary"))
    logits_only = learner(digits, settings(**changes))
    images, labels = next(Stream(digits, settings(), 0, CPU).train(1))
    for each in (with_both, logits_only):
        each.begin_epoch()
        each.step(images, labels)
        each.take_counts()
        assert each.logits(images).shape == (len(images), 10)
    for each, trained in ((with_both, True), (logits_only, False)):
        assert (dict(each.model.named_parameters())["aux.weight"].grad is not None) is trained


@pytest.mark.parametrize("form", ["tuple", "list", "dict", "object"])
def test_logits_are_found_in_what_a_model_returns(settings: Make, digits: Dataset, form: str) -> None:
    expected = learner(digits, settings(model="tests.fakes:wrapped", model_args={"form": "plain"}))
    found = learner(digits, settings(model="tests.fakes:wrapped", model_args={"form": form}))
    images, _ = next(Stream(digits, settings(), 0, CPU).train(1))
    assert torch.equal(found.logits(images), expected.logits(images))
