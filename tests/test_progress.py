"""The display of a command's runs."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from runner.execute import Job, Message
from runner.execute._progress import Progress
from runner.execute._schedule import Costs
from runner.expand import Run, Variant
from runner.spec import Settings
from runner.store import FINISHED

ENDED = {"val/accuracy": 0.5, "test/accuracy": 0.5, "best_epoch": 1.0, "epochs": 1.0, "seconds": 1.0}


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_runs_that_another_runner_ended_need_no_more_time_however_sums_are_rounded(
    settings: Callable[..., Settings], order: tuple[int, ...]
) -> None:
    variants = [Variant(f"v{k}", settings(epochs=1, lr=0.1 + k), {}) for k in range(4)]
    runs = [Run("study-digits", variant, 0) for variant in variants]
    seconds = {variant.digest: cost for variant, cost in zip(variants, (0.1, 0.2, 0.3, 0.7), strict=True)}
    costs = Costs(seconds, {runs[0].data_key[:-1]: 0.0}, dict.fromkeys(seconds, 0))
    progress = Progress(runs, costs, Console(file=io.StringIO(), width=200))
    for k in order:
        progress.on_message(Job((runs[k],), Path()), Message(FINISHED, runs[k], ENDED, before=True))
        assert progress.time_left() is None  # this command has trained nothing
