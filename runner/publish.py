"""Writes reports and their summary cards: files in reports/, and a text for TensorBoard beside the runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from runner.files import lock, write_text
from runner.report import EFFECTS_TABLE, RUNS_TABLE, front_page, notes, read_front, show_results
from runner.report.write import Written, write_study
from runner.spec import describe
from runner.store import read_study
from runner.summaries import write_card
from runner.text import one_line, plain_console
from runner.verdicts import EffectsTable, StudyRuns, gather


class BrokenReports(Exception):
    """Some reports could not be written. The others and the front page, `page`, were written."""

    def __init__(self, page: Path) -> None:
        self.page = page
        super().__init__(f"some reports could not be written; the others are in {page}")


def write_report(runs: Path, folder: Path) -> EffectsTable:
    """Writes a study's report folder and summary card from its run directories; returns its effects.

    Raises RequestError where `runs` is not a study's directory.
    """
    return _publish(gather(runs), runs, folder, plain_console()).effects


def _publish(data: StudyRuns, runs: Path, folder: Path, console: Console) -> Written:
    written = write_study(data, folder)
    if written.card:
        try:
            with lock(runs.parent):
                write_card(runs.parent, data.study.name, written.card)
        except OSError as error:  # the runs may be read-only, and the page has the answers too
            console.print(f"the summary card for TensorBoard can't be written: {error}")
    return written


def _show(data: StudyRuns, runs: Path, folder: Path, console: Console) -> None:
    """Writes a study's report and card, and prints its results and answers."""
    written = _publish(data, runs, folder, console)
    show_results(data, written.effects, written.verdicts, console)


def publish(runs: Path, reports: Path, console: Console) -> StudyRuns:
    """Writes one study's report and the front page, and prints the results, the answers and the report's path.

    Returns the study's runs.
    """
    data = gather(runs)
    folder = reports / runs.name
    _show(data, runs, folder, console)
    write_front_page(reports)
    console.print(f"\nreport:  {folder / 'summary.md'}", soft_wrap=True)
    return data


def write_all(runs: Path, names: Sequence[str], reports: Path, console: Console) -> Path:
    """Writes the reports of these studies and searches, shows each on the terminal, and writes the front page.

    Returns the front page's path. Raises BrokenReports at the end where a report could not be written. The terminal
    shows which one and why.
    """
    broken = False
    for name in names:
        try:
            _write_one(runs / name, reports / name, console)
        except Exception as error:  # the other reports are still written
            broken = True
            console.print(f"\n{name}: its report can't be written: {describe(error)}", soft_wrap=True)
    page = write_front_page(reports)
    if broken:
        raise BrokenReports(page)
    return page


def _write_one(runs: Path, folder: Path, console: Console) -> None:
    study = read_study(runs)
    if study and study.search is not None:
        _write_search(runs, folder, console)
        return
    data = gather(runs)
    _show(data, runs, folder, console)
    for note in notes(data, one_line):
        console.print(f"\n{data.study.name}: {note}", soft_wrap=True)


def _write_search(runs: Path, folder: Path, console: Console) -> None:
    """Writes a search's report folder from its run directories, and prints its headline."""
    from runner.report.search.write import write_search_report  # with Optuna

    write_search_report(runs, folder)
    console.print()
    console.print(read_front(folder).headline.replace("**", ""))


def write_front_page(reports: Path) -> Path:
    """Writes reports/summary.md from the existing report folders; returns its path."""
    page = reports / "summary.md"
    with lock(reports):
        folders = [path.parent for path in reports.glob("*/summary.md") if _has_table(path.parent)]
        write_text(page, front_page([read_front(folder) for folder in sorted(folders)]))
    return page


def _has_table(folder: Path) -> bool:
    return any((folder / name).exists() for name in (EFFECTS_TABLE, RUNS_TABLE))
