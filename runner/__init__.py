"""Ablation studies for image classifiers: which change helped, by how much, how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def run(study: str | dict[str, Any] = "mlp", name: str | None = None, **options: Any) -> pd.DataFrame:
    """What the command `run` does, from a notebook; returns the run table, one row a run.

    `study` is a name in ablations/, a path, or the STUDY dict itself, which `name` names ("study" unless given): its
    runs are in runs/<name>-<dataset>/. A dict with the same baseline as an earlier one of that name adds its variants
    to that study; one with another baseline is refused. `options` are the command's: dataset, seeds, variants (a list),
    set (a dict), data, runs, reports, workers, device, retrain, fail_fast, skip_unreadable. RequestError where the
    request is wrong.
    """
    import sys
    from pathlib import Path

    from runner.execute import Request, execute
    from runner.expand import Overrides
    from runner.publish import write_front_page, write_report
    from runner.report import gather
    from runner.text import accept_any_text, plain_console

    accept_any_text(sys.stdout)
    changes = {key: options.pop(key, None) for key in ("dataset", "seeds", "variants")}
    overrides = Overrides(**changes, settings=options.pop("set", {}))
    options |= {key: Path(options[key]) for key in ("data", "runs", "reports") if key in options}
    request = Request(studies=(study,), overrides=overrides, name=name, **options)
    (folder,) = execute(request, plain_console()).names
    write_report(request.runs / folder, request.reports / folder)
    write_front_page(request.reports)
    return gather(request.runs / folder).runs
