"""A search's report: its winner and what fresh seeds make of it, its progress, what mattered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from runner.files import lock, write_text
from runner.report._front import RUNS_TABLE, Entry, write_front
from runner.report.search import _figures as figures
from runner.report.search._page import headline, search_page, title
from runner.report.search._runs import SearchRuns, importance_table, read_search
from runner.sheets import write_sheet


def write_search_report(runs: Path, folder: Path) -> SearchRuns:
    """A search's report folder from its run directories and those of its winners."""
    data = read_search(runs)
    mattered = importance_table(data.record)
    shown = data.runs.drop(columns=["settings", "hash"])
    with lock(folder.parent):
        folder.mkdir(parents=True, exist_ok=True)
        drawn = _draw(data, mattered, folder / "figures")
        write_sheet(folder / RUNS_TABLE, shown)
        write_text(folder / "summary.md", search_page(data, mattered, drawn))
        figure = "figures/progress.png" if "progress" in drawn else ""
        write_front(folder, Entry(folder.name, title(data), headline(data), (), figure))
    return data


def _draw(data: SearchRuns, mattered: pd.DataFrame, folder: Path) -> list[str]:
    drawn = []
    if np.isfinite(data.runs["val/loss"]).any():
        figures.progress(data.runs, data.twin.runs if data.twin else None, folder / "progress.png")
        figures.slices(data.runs, data.record.search.space, folder / "settings.png")
        drawn += ["progress", "settings"]
    if len(mattered):
        figures.importance(mattered, folder / "importance.png")
        drawn.append("importance")
    return drawn
