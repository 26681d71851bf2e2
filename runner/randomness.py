"""Gives each run its own random generators: torch's, and for your own code also Python's and NumPy's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

State = dict[str, Any]  # torch's is a tensor; Python's and NumPy's are nested tuples and lists of numbers


def run_seed(stream: int, seed: int) -> int:
    """Returns the number that determines all random draws of a run: the seed, unless `stream` is not 0.

    >>> run_seed(0, 7), run_seed(1, 7)
    (7, 4294967303)
    """
    return stream * 2**32 + seed  # seeds are below 2^32


class Generators:
    """Generators that start from one seed (32 bits) and replace the process's own while `active`.

    The runner draws from torch only. With `own_code`, they include `random` and `numpy.random`, because many published
    models draw from these. Without it, every worker would start these two from the same state.
    """

    def __init__(self, seed: int, own_code: bool) -> None:
        self._state: State = {"torch": torch.Generator().manual_seed(seed).get_state()}
        if own_code:
            self._state |= {"python": random.Random(seed).getstate(), "numpy": np.random.RandomState(seed).get_state()}

    def state(self) -> State:
        """Returns a copy of the states, as plain data that a checkpoint can hold."""
        state = dict(self._state)
        if "numpy" in state:
            kind, words, *rest = state["numpy"]
            state["numpy"] = (kind, [int(word) for word in words], *rest)
        return state

    def restore(self, state: State) -> None:
        """Resumes from a state that `state` returned."""
        self._state = state | {"torch": state["torch"].cpu()}

    @contextmanager
    def active(self) -> Iterator[None]:
        """Replaces the process's generators by these while the context is active, and then restores them."""
        outer = {kind: _GET[kind]() for kind in self._state}
        for kind, state in self._state.items():
            _SET[kind](state)
        try:
            yield
        finally:
            self._state = {kind: _GET[kind]() for kind in outer}
            for kind, state in outer.items():
                _SET[kind](state)


_GET: dict[str, Any] = {"torch": torch.get_rng_state, "python": random.getstate, "numpy": np.random.get_state}
_SET: dict[str, Any] = {"torch": torch.set_rng_state, "python": random.setstate, "numpy": np.random.set_state}
