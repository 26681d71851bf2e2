"""The command line: turns arguments into requests, and errors into messages. No logic."""

from __future__ import annotations

from runner.stop import STATUS as STOPPED
from runner.stop import STOP

if __name__ == "__main__":
    STOP.listen()

import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from runner import arguments as option
from runner import winners
from runner.text import accept_any_text, plain_console
from runner.typed import to_run, to_see
from runner.winners import wrote

app = typer.Typer(
    add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="Ablation studies for image classifiers: declare, train, read which change helped.",
)  # fmt: skip
app.add_typer(winners.app)
_STAYS = "Finished runs stay finished; the same command resumes."
_out = plain_console(None if sys.stdout.isatty() else 120)  # a log file has room


@app.command()
@option.shared
def run(
    options: option.TrainingOptions,
    study: Annotated[
        list[str] | None, typer.Argument(help="names of studies (see list), or paths of files; default: mlp")
    ] = None,
    seeds: option.Seeds = None,
    first_seed: option.FirstSeed = None,
    variants: Annotated[
        str | None, typer.Option(help="only these variants, separated by commas; the baseline always runs")
    ] = None,
    retrain: Annotated[bool, typer.Option("--retrain", help="retrain finished runs")] = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="stop at the first run that fails")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show the plan; train and write nothing")] = False,
) -> None:
    """Train the unfinished runs of studies, and write their reports."""
    from runner.execute import execute

    asked = options.request(study or ["mlp"], seeds, first_seed, variants)
    request = replace(asked, retrain=retrain, fail_fast=fail_fast, dry_run=dry_run)
    outcome = execute(request, _out)
    if dry_run:
        return
    whole = _report(outcome.names, options.runs, options.reports)
    raise typer.Exit(1 if outcome.failed or not whole else 0)


def _report(names: Sequence[str], runs: Path, reports: Path) -> bool:
    """Writes the reports; returns whether all of them could be written."""
    from runner.spec import after_start

    with after_start():
        page, whole = _write_all(runs, names, reports)
    seen = f"TensorBoard:  {to_see(runs)}, or tensorboard --logdir {runs}"
    _out.print(f"\nreport:       {page}\n{seen}", soft_wrap=True)
    return whole


def _write_all(runs: Path, names: Sequence[str], reports: Path) -> tuple[Path, bool]:
    from runner.publish import BrokenReports, write_all

    try:
        return write_all(runs, names, reports, _out), True
    except BrokenReports as error:
        return error.page, False


@app.command()
@option.shared
def search(
    options: option.TrainingOptions,
    name: Annotated[str, typer.Argument(help="the name of a search (see list), or the path of a file")],
) -> None:
    """Search for good settings, retrain the winners on fresh seeds, and write the report."""
    from runner.search import search as make

    outcome = make(options.request([name]), _out)
    names = [outcome.winners, outcome.name] if outcome.winners else [outcome.name]
    whole = _report(names, options.runs, options.reports)
    raise typer.Exit(1 if outcome.failed or not outcome.winners or not whole else 0)


@app.command()
def new(name: Annotated[str, typer.Argument(help="the new study's name, such as mystudy")]) -> None:
    """Write a commented study to start from, ablations/NAME.py. It runs as it is."""
    from runner.new import write_new

    wrote(write_new(name, to_run(name)), _out)


@app.command("list")
def list_studies() -> None:
    """List the studies and searches: yours in ablations/, and those that come with the package."""
    from runner.spec import listing

    _out.print(*listing(), sep="\n", soft_wrap=True)


@app.command()
def report(
    name: Annotated[
        list[str] | None, typer.Argument(help="names such as mlp-mnist5k; default: all that have runs")
    ] = None,
    runs: option.RunsPlace = Path("runs"),
    reports: option.ReportsPlace = Path("reports"),
) -> None:
    """Rewrite reports from the run directories."""
    from runner.places import check_writable
    from runner.report import studies_in, unreadable

    names = studies_in(runs, name)
    check_writable(reports, *(reports / each for each in names))
    page, whole = _write_all(runs, names, reports)
    _out.print(f"\nreport:  {page}")
    for folder in () if name else unreadable(runs):
        why = "whose study.json is corrupt or belongs to another directory"
        _out.print(f"skipped: {runs / folder}, {why}", soft_wrap=True)
    raise typer.Exit(0 if whole else 1)


@app.command()
def evaluate(
    run_dir: option.RunDirectory,
    more: option.MoreImages = None,
    image: option.OwnImages = None,
    data: option.DataSetPlace = Path("data"),
    reports: option.EvaluationsPlace = Path("reports"),
    device: option.Device = "auto",
) -> None:
    """Evaluate a finished run: metrics, confusion matrices, figures; or classify your own images with it."""
    from runner.evaluate import classify, show, show_classes
    from runner.evaluate import evaluate as evaluate_run

    if more and not image:
        raise typer.BadParameter(f"got a second argument, {more[0]}; expected one run. Give your images after --image.")
    if image:
        found = classify(run_dir, [*image, *(more or [])], data, device)
        show_classes(found, _out)
        raise typer.Exit(1 if found.problems else 0)
    show(evaluate_run(run_dir, data, reports, device), _out)


@app.command()
@option.shared
def adopt(options: option.AdoptOptions) -> None:
    """Judge runs that other programs logged: event files, or a CSV table with variant, seed and metrics."""
    from runner.adopt import adopt as make
    from runner.places import check_writable

    check_writable(options.reports)
    adopted = make(options.request())
    _out.print(*adopted.lines(), sep="\n", soft_wrap=True)
    raise typer.Exit(0 if _report([adopted.name], options.runs, options.reports) else 1)


@app.command()
def prune(
    name: Annotated[list[str] | None, typer.Argument(help="names such as mlp-mnist5k; default: all")] = None,
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints", help="only the weights of finished runs; reports don't need them")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="remove without asking")] = False,
    runs: option.RunsPlace = Path("runs"),
) -> None:
    """List runs that no study names or that reports skip, and remove them once you confirm."""
    from runner.places import check_writable
    from runner.prune import find_removable, remove

    found = find_removable(runs, name, checkpoints)
    found.show(_out)
    if not found.items:
        return
    if not yes and not (sys.stdin.isatty() and typer.confirm("Remove them?")):
        _out.print("nothing was removed" + ("" if sys.stdin.isatty() else "; --yes removes them"))
        return
    check_writable(runs)
    stayed = remove(found, runs)
    _out.print(*(stayed or ["removed"]), sep="\n", soft_wrap=True)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def board(
    context: typer.Context,
    logdir: Annotated[
        Path, typer.Option(parser=option.path, metavar="PATH", help="where runs are, or another log directory")
    ] = Path("runs"),
) -> None:
    """Open TensorBoard with the Ablations tab first. Takes TensorBoard's own options too, such as --port 6007."""
    from runner.board import serve

    signal.signal(signal.SIGINT, signal.default_int_handler)  # TensorBoard ends at Ctrl-C by itself
    raise typer.Exit(serve(logdir, context.args))


def main(arguments: list[str] | None = None) -> None:
    """Runs a command. A wrong request ends with a message and exit status 2, without a traceback."""
    try:
        STOP.begin()
        for stream in (sys.stdout, sys.stderr):
            accept_any_text(stream)
        _run(arguments)
    except BaseException as error:
        if not STOP.asked:
            raise
        STOP.end("stopped cleanly; the same command resumes")
        raise SystemExit(STOPPED) from error


def _run(arguments: list[str] | None) -> None:
    try:
        app(arguments)
    except OSError as error:  # a full disk or a lost mount, in files of the command and not of one run
        print(f"stopped: {error}. {_STAYS}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        from runner.spec import RequestError  # --help does not wait for it

        if not isinstance(error, RequestError):
            raise
        count = len(error.problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        head += f", after the work had begun. {_STAYS}" if error.after_start else "; nothing was trained or written."
        print(head, *map(str, error.problems), sep="\n  ", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
