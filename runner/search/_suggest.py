"""Suggests the next settings from the runs so far, and finds hopeless runs, with Optuna. Pure functions.

Optuna keeps nothing on the disk. Its study is rebuilt from the run directories each time, so a kill can't leave two
records that disagree. Every suggestion has its own seed, so the same runs always lead to the same suggestion.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from runner.search._resolve import ResolvedSearch, Values
from runner.spec import LARGEST_GRID
from runner.store import FAILED, FINISHED, PRUNED, RUNNING

optuna.logging.set_verbosity(optuna.logging.WARNING)

_ATTEMPTS = 1000  # to draw settings that no run had
# A failed run counts as pruned, without a loss: Optuna forgets failed trials and would suggest them again.
_STATES = {
    FINISHED: TrialState.COMPLETE, PRUNED: TrialState.PRUNED, FAILED: TrialState.PRUNED, RUNNING: TrialState.RUNNING,
}  # fmt: skip


@dataclass
class Tried:
    """A run of the search so far: its values, its state, and its validation loss (nats) after each epoch."""

    values: Values
    state: str
    losses: list[float]

    @property
    def loss(self) -> float:
        """The lowest validation loss, which the search minimizes; infinity where there is none."""
        return min((loss for loss in self.losses if math.isfinite(loss)), default=math.inf)


def suggest(search: ResolvedSearch, history: Sequence[Tried]) -> Values | None:
    """Returns the values of the next run, which no earlier run had; None where none remain.

    The baseline's values come first if they are in the spaces, because a search must beat them. Then the sampler
    suggests. Where it repeats itself, a random sampler takes over.
    """
    if not history and (start := search.start()):
        return start
    if len(history) >= search.cells:
        return None
    had = {search.settings(tried.values).digest() for tried in history}
    study = _study(search, history)
    for sampler in _samplers(search, len(history)):
        study.sampler = sampler
        trial = study.ask({key: _distribution(search, key) for key in search.space})
        values = {key: _decoded(search, key, trial.params[key]) for key in search.space}
        if search.settings(values).digest() not in had:
            return values
    return _first_left(search, had)


def _first_left(search: ResolvedSearch, had: Container[str]) -> Values | None:
    """Returns a remaining combination of a space that can be counted, because draws seldom hit the last ones."""
    if search.cells > LARGEST_GRID:
        return None
    for cell in itertools.product(*(_choices(search, key) for key in search.space)):
        values = {key: _decoded(search, key, value) for key, value in zip(search.space, cell, strict=True)}
        if search.settings(values).digest() not in had:
            return values
    return None


def _samplers(search: ResolvedSearch, number: int) -> Iterator[optuna.samplers.BaseSampler]:
    samplers = ("tpe", "random", "grid")
    seed = int(np.random.SeedSequence((search.seed, number, samplers.index(search.sampler))).generate_state(1)[0])
    if search.sampler == "tpe":
        yield optuna.samplers.TPESampler(seed=seed)
    if search.sampler == "grid":  # one order for all its numbers
        yield optuna.samplers.GridSampler({key: _choices(search, key) for key in search.space}, seed=search.seed)
    yield from itertools.repeat(optuna.samplers.RandomSampler(seed=seed), _ATTEMPTS)


def hopeless(search: ResolvedSearch, history: Sequence[Tried], tried: Tried) -> str:
    """Returns why a run must stop, as text; empty where it continues."""
    losses = tried.losses
    if search.pruner == "none" or not math.isfinite(losses[-1]):  # a run with such a loss fails by itself
        return ""
    # Every run gets a fifth of its epochs, because a small learning rate begins slowly.
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=max(2, search.epochs(tried.values) // 5))
    trial = create_trial(state=TrialState.RUNNING, intermediate_values=_steps(losses))
    if not pruner.prune(_study(search, history), trial):
        return ""
    return (
        f"after epoch {len(losses)} its lowest validation loss, {min(losses):.4f}, was above the median of the "
        "finished runs at that epoch"
    )


def importances(search: ResolvedSearch, history: Sequence[Tried], trees: int = 64) -> dict[str, float]:
    """Returns the share of the variance of the runs' ranks that each setting explains alone.

    Functional ANOVA over a random forest of `trees` trees (Hutter et al. 2014, ICML). The remaining share belongs to
    interactions. Empty with fewer than 4 ended runs, or where all have the same loss. Pruned runs count with the
    lowest loss that they reached, and failed runs come last. Ranks keep a diverged run from dominating the variance.
    """
    ended = [tried for tried in history if tried.state != RUNNING]
    places = [math.inf if tried.state == FAILED else tried.loss for tried in ended]
    ranks = {place: float(rank) for rank, place in enumerate(sorted(set(places)))}
    if len(ended) < 4 or len(ranks) < 2:
        return {}
    ranked = [Tried(tried.values, FINISHED, [ranks[place]]) for tried, place in zip(ended, places, strict=True)]
    evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=trees, seed=0)
    try:
        found = evaluator.evaluate(_study(search, ranked))
    except RuntimeError:  # all runs of a resample have the same rank, so no tree can split them
        return {}
    return {key: float(found.get(key, 0.0)) for key in search.space}


def _study(search: ResolvedSearch, history: Sequence[Tried]) -> optuna.Study:
    study = optuna.create_study(direction="minimize")
    study.add_trials([_trial(search, tried) for tried in history])
    return study


def _trial(search: ResolvedSearch, tried: Tried) -> FrozenTrial:
    return create_trial(
        state=_STATES[tried.state],
        value=tried.loss if tried.state == FINISHED else None,
        params={key: _encoded(search, key, tried.values[key]) for key in search.space},
        distributions={key: _distribution(search, key) for key in search.space},
        intermediate_values={} if tried.state == FAILED else _steps(_prolonged(search, tried)),
    )


def _prolonged(search: ResolvedSearch, tried: Tried) -> list[float]:
    """Returns a run's losses; a finished run that stopped early repeats its last, so that medians cover all runs."""
    missing = search.epochs(tried.values) - len(tried.losses) if tried.state == FINISHED and tried.losses else 0
    return tried.losses + tried.losses[-1:] * missing


def _steps(losses: Sequence[float]) -> dict[int, float]:
    return {epoch: loss for epoch, loss in enumerate(losses, start=1) if math.isfinite(loss)}


def _distribution(search: ResolvedSearch, key: str) -> BaseDistribution:
    space = search.space[key]
    if space.kind == "categorical":  # by number: Optuna's choices are plain scalars, ours may be lists
        return CategoricalDistribution(range(len(space.values)))
    low, high = space.values
    return (
        IntDistribution(low, high)
        if space.kind == "integer"
        else FloatDistribution(low, high, log=space.kind == "log_uniform")
    )


def _choices(search: ResolvedSearch, key: str) -> list[int]:
    space = search.space[key]
    return list(
        range(len(space.values)) if space.kind == "categorical" else range(space.values[0], space.values[1] + 1)
    )


def _encoded(search: ResolvedSearch, key: str, value: Any) -> Any:
    space = search.space[key]
    return space.values.index(value) if space.kind == "categorical" else value


def _decoded(search: ResolvedSearch, key: str, value: Any) -> Any:
    space = search.space[key]
    return space.values[value] if space.kind == "categorical" else value
