"""Settings become the network they name, with the initial weights of (settings, seed)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import nn

from runner.models import build, distinct_units, weight_layers
from runner.spec import Settings

Make = Callable[..., Settings]
SHAPE = (3, 16, 16)


def kinds(model: nn.Module) -> list[str]:
    return [type(module).__name__ for module in model.children()]


def weights(model: nn.Module) -> list[torch.Tensor]:
    return [layer.weight.detach() for layer in weight_layers(model)]  # type: ignore[operator]


def test_the_mlp_has_the_layers_of_the_questionnaire_in_its_order(settings: Make) -> None:
    model = build(settings(hidden=[512, 256], batch_norm=True, dropout=0.5), SHAPE, 10, seed=0)
    block = ["Linear", "BatchNorm1d", "ReLU", "Dropout"]
    assert kinds(model) == ["Flatten", *block, *block, "Linear"]
    assert [w.shape for w in weights(model)] == [(512, 768), (256, 512), (10, 256)]


@pytest.mark.parametrize(
    ("name", "kind"), [("relu", "ReLU"), ("gelu", "GELU"), ("tanh", "Tanh"), ("sigmoid", "Sigmoid")]
)
def test_activations(settings: Make, name: str, kind: str) -> None:
    assert kind in kinds(build(settings(activation=name), SHAPE, 10, seed=0))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (3, 5, 9)])
@pytest.mark.parametrize("model", ["perceptron", "mlp", "cnn", "tests.fakes:small"])
def test_every_model_gives_logits_for_any_image_size(settings: Make, model: str, shape: tuple[int, int, int]) -> None:
    network = build(settings(model=model, batch_norm=model in ("mlp", "cnn")), shape, 7, seed=0)
    assert network(torch.zeros(4, *shape)).shape == (4, 7)


def test_a_cnns_stage_has_as_many_convolutions_as_asked_for(settings: Make) -> None:
    model = build(settings(model="cnn", filters=[4, 8], convs=2, batch_norm=True, hidden=[]), SHAPE, 10, seed=0)
    stage = ["Conv2d", "MaxPool2d", "BatchNorm2d", "ReLU", "Conv2d", "BatchNorm2d", "ReLU"]
    assert kinds(model) == [*stage, *stage, "Flatten", "Linear"]
    assert [w.shape[:2] for w in weights(model)] == [(4, 3), (4, 4), (8, 4), (8, 8), (10, 8 * 4 * 4)]


def test_the_perceptron_is_one_linear_layer(settings: Make) -> None:
    assert kinds(build(settings(model="perceptron"), SHAPE, 10, seed=0)) == ["Flatten", "Linear"]


def test_resnet18_keeps_small_images_large(settings: Make) -> None:
    model = build(settings(model="resnet18"), (3, 32, 32), 10, seed=0)
    assert sum(p.numel() for p in model.parameters()) == 11_173_962  # 11.17M, as published for CIFAR-10
    trunk = nn.Sequential(*list(model.children())[:4])
    assert trunk(torch.zeros(1, 3, 32, 32)).shape == (1, 64, 32, 32)


def test_a_models_own_arguments_reach_it(settings: Make) -> None:
    model = build(settings(model="tests.fakes:small", model_args={"width": 5}), SHAPE, 10, seed=0)
    assert weights(model)[0].shape == (5, 768)
    with pytest.raises(TypeError, match=r"\(shape, classes, \*\*model_args\).*depth"):
        build(settings(model="tests.fakes:small", model_args={"depth": 5}), SHAPE, 10, seed=0)


def test_an_own_models_initialization_reaches_computed_weights(settings: Make) -> None:
    for how in ("new", "spectral"):
        chosen = {
            "model": "tests.fakes:normed",
            "model_args": {"how": how},
            "init": "constant",
            "init_args": {"val": 2.0},
        }
        first = weights(build(settings(**chosen), SHAPE, 10, seed=0))[0]
        assert float(first.min()) == pytest.approx(float(first.max()))
        assert how == "spectral" or float(first.min()) == pytest.approx(2.0)
    old = {"model": "tests.fakes:normed", "model_args": {"how": "old"}}
    with pytest.raises(ValueError, match="parametrizations"):
        build(settings(**old, init="uniform"), SHAPE, 10, seed=0)


def test_lazy_layers_get_their_sizes_before_anything_counts_them(settings: Make) -> None:
    model = build(settings(model="tests.fakes:lazy"), SHAPE, 10, seed=0)
    assert [w.shape for w in weights(model)] == [(4, 3, 3, 3), (10, 4 * 16 * 16)]
    again = build(settings(model="tests.fakes:lazy"), SHAPE, 10, seed=0)
    assert all(torch.equal(a, b) for a, b in zip(weights(model), weights(again), strict=True))
    with pytest.raises(ValueError, match="spare"):
        build(settings(model="tests.fakes:lazy", model_args={"unused": True}), SHAPE, 10, seed=0)


def test_law_1_draws_of_python_and_numpy_follow_from_the_seed(settings: Make) -> None:
    models = [build(settings(model="tests.fakes:dice"), SHAPE, 10, seed) for seed in (0, 0, 1)]
    for draw in ("first.weight", "last.bias"):
        first, again, other = (model.state_dict()[draw] for model in models)
        assert torch.equal(first, again)
        assert not torch.equal(first, other)


def test_law_1_weights_follow_from_settings_and_seed_alone(settings: Make) -> None:
    state = torch.get_rng_state()
    first = build(settings(), SHAPE, 10, seed=1)
    torch.rand(100)
    again, other = build(settings(), SHAPE, 10, seed=1), build(settings(), SHAPE, 10, seed=2)
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(again), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(weights(first), weights(other), strict=True))
    torch.set_rng_state(state)
    build(settings(), SHAPE, 10, seed=1)
    assert torch.equal(torch.get_rng_state(), state)  # and building draws from nobody's numbers


@pytest.mark.parametrize(
    "change", [{"batch_norm": True}, {"dropout": 0.5}, {"activation": "tanh"}, {"weight_decay": 0.1}]
)
def test_law_3_variants_begin_with_the_same_weights(settings: Make, change: dict[str, object]) -> None:
    plain, changed = build(settings(), SHAPE, 10, seed=4), build(settings(**change), SHAPE, 10, seed=4)
    assert all(torch.equal(a, b) for a, b in zip(weights(plain), weights(changed), strict=True))


def test_law_3_deeper_networks_share_the_layers_that_agree(settings: Make) -> None:
    shallow, deep = (weights(build(settings(hidden=h), SHAPE, 10, seed=4)) for h in ([32, 16], [32, 16, 8]))
    assert torch.equal(shallow[0], deep[0])
    assert torch.equal(shallow[1], deep[1])


def test_schemes_have_their_published_spread(settings: Make) -> None:
    inputs, units = 768, 512
    expected = {  # standard deviations: Glorot & Bengio 2010, He et al. 2015; uniform on [0, 1)
        "xavier_uniform": (2 / (inputs + units)) ** 0.5,
        "kaiming_normal": (2 / inputs) ** 0.5,
        "uniform": (1 / 12) ** 0.5,
    }
    for name, deviation in expected.items():
        model = build(settings(hidden=[units], init=name), SHAPE, 10, seed=0)
        assert float(weights(model)[0].std()) == pytest.approx(deviation, rel=0.01)
        first = weight_layers(model)[0].bias
        assert isinstance(first, torch.Tensor)
        assert not first.any()


def test_a_constant_start_never_breaks_symmetry(settings: Make) -> None:
    model = build(settings(init="constant", init_args={"val": 0.01}), SHAPE, 10, seed=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    torch.manual_seed(0)
    for _ in range(5):
        loss = nn.functional.cross_entropy(model(torch.rand(32, *SHAPE)), torch.randint(10, (32,)))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert distinct_units(model) == (1, 32)
    assert distinct_units(build(settings(), SHAPE, 10, seed=0)) == (32, 32)
    hidden = weights(model)[0]
    assert (hidden - 0.01).abs().max() > 1e-4  # it learns
    for a, b in pairwise(hidden):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)  # but every unit the same
