"""Declares the commands that write studies of searches' winners."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from runner import arguments as option
from runner.text import plain_console
from runner.typed import to_run

app = typer.Typer()


@app.command("ablate-winner")
def ablate_winner(
    name: Annotated[str, typer.Argument(help="a search that has runs, such as search_dropout")],
    runs: option.RunsPlace = Path("runs"),
) -> None:
    """Write a study that tests a search's winner: each variant undoes one of the winner's choices."""
    from runner.search.records import find_record, write_ablation

    wrote(write_ablation(find_record(runs, name)), plain_console())


@app.command("compare-winners")
def compare_winners(
    first: Annotated[str, typer.Argument(help="a search that has runs, such as search_dropout")],
    second: Annotated[str, typer.Argument(help="another search that has runs")],
    runs: option.RunsPlace = Path("runs"),
) -> None:
    """Write a study that compares the winners of two searches."""
    from runner.search.records import find_record, write_comparison

    wrote(write_comparison(find_record(runs, first), find_record(runs, second)), plain_console())


def wrote(file: Path, console: Console) -> None:
    """Says which study was written, and how to run it."""
    console.print(f"wrote {file}; run it: {to_run(file.stem)}", soft_wrap=True)
