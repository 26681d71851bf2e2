"""Ablation studies for image classifiers: which change helped, by how much, how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def run(
    study: str | dict[str, Any] = "mlp",
    name: str | None = None,
    *,
    dataset: str | None = None,
    seeds: str | int | Sequence[int] | Mapping[str, int] | None = None,
    variants: str | Sequence[str] | None = None,
    set: Mapping[str, Any] | None = None,
    data: str | Path = "data",
    runs: str | Path = "runs",
    reports: str | Path = "reports",
    workers: int | None = None,
    device: str = "auto",
    executor: str = "local",
    address: str | None = None,
    retrain: bool = False,
    fail_fast: bool = False,
    skip_unreadable: bool = False,
) -> pd.DataFrame:
    """Does in a notebook what the command `run` does; returns the table of runs, one row for each run.

    It prints the progress, the table of effects, and where the report is.

    study  a name in ablations/, the path of a file, or the STUDY dict itself
    name   names a study that is a dict (default: "study"); its runs are in runs/<name>-<dataset>/
    seeds  5, [0, 3, 7], "5..27" or {"first": 5, "most": 27, "from": 5}
    set    settings of the baseline to change, by name

    The other parameters are the command's options. A dict with the baseline of an earlier dict of the same name adds
    its variants to that study. Raises RequestError where the baselines differ, or where the request is wrong.
    """
    import sys

    from runner.execute import Request, execute
    from runner.expand import Overrides
    from runner.files import expanded
    from runner.publish import publish
    from runner.text import accept_any_text, plain_console

    accept_any_text(sys.stdout)
    request = Request(
        studies=(study,), overrides=Overrides(dataset, seeds, None, variants, dict(set or {})), name=name,
        data=expanded(Path(data)), runs=expanded(Path(runs)), reports=expanded(Path(reports)),
        workers=workers, device=device, executor=executor, address=address, retrain=retrain, fail_fast=fail_fast,
        skip_unreadable=skip_unreadable,
    )  # fmt: skip
    console = plain_console()
    (folder,) = execute(request, console).names
    return publish(request.runs / folder, request.reports, console).runs
