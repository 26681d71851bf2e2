"""A run owns its random generators: nobody else's draws change it, and its draws change nobody else's."""

from __future__ import annotations

import io
import random

import numpy as np
import torch

from runner.randomness import Generators, run_seed


def test_a_stream_gives_every_seed_other_numbers() -> None:
    seeds = (0, 1, 2**32 - 1)
    assert [run_seed(0, seed) for seed in seeds] == list(seeds)
    assert len({run_seed(stream, seed) for stream in range(3) for seed in seeds}) == 9


def draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(1))


def test_the_process_keeps_its_own_generators() -> None:
    state = random.getstate(), repr(np.random.get_state()), torch.get_rng_state()
    with Generators(3, own_code=True).active():
        draws()
    assert (random.getstate(), repr(np.random.get_state())) == state[:2]
    assert torch.equal(torch.get_rng_state(), state[2])


def test_draws_follow_from_the_seed_and_go_on_where_they_were() -> None:
    whole, parts, other = Generators(3, own_code=True), Generators(3, own_code=True), Generators(4, own_code=True)
    with whole.active():
        expected = [draws(), draws()]
    with other.active():
        assert not set(draws()) & set(expected[0])
    with parts.active():
        first = draws()
    draws()  # somebody draws in between
    with parts.active():
        assert [first, draws()] == expected


def test_a_checkpoint_holds_them_without_running_code() -> None:
    generators = Generators(5, own_code=True)
    with generators.active():
        draws()
    file = io.BytesIO()
    torch.save(generators.state(), file)
    file.seek(0)
    with generators.active():
        expected = draws()
    generators.restore(torch.load(file, weights_only=True))
    with generators.active():
        assert draws() == expected


def test_without_own_code_only_torchs_generator_is_swapped() -> None:
    random.seed(1)
    with Generators(5, own_code=False).active():
        inside = random.random()
    random.seed(1)
    assert random.random() == inside
