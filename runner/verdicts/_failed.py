"""Runs that failed, and whether they say anything of their settings."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from runner.store import FAILED


@dataclass(frozen=True)
class Lost:
    """A run that failed; `machines`: killed, or for want of disk or memory, so that it says nothing of its settings."""

    variant: str
    seed: int
    cause: str
    machines: bool


def lost_runs(runs: pd.DataFrame) -> dict[str, list[Lost]]:
    """Returns the failed runs of a table with a row for each run: by variant, then by seed."""
    failed: dict[str, list[Lost]] = {}
    for _, row in runs[runs["status"] == FAILED].sort_values("seed").iterrows():
        name, cause, machines = str(row["variant"]), str(row.get("cause", "")), bool(row.get("machines", False))
        failed.setdefault(name, []).append(Lost(name, int(row["seed"]), cause, machines))
    return failed
