"""Declares the arguments that several commands share, each one once."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from errno import ENAMETOOLONG
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runner.catalog import DATASETS
from runner.files import expanded

if TYPE_CHECKING:
    from runner.adopt import AdoptRequest
    from runner.execute import Request


def path(text: str | Path) -> Path:
    """Returns a path, with ~ as the home directory. Raises typer.BadParameter where it is empty or too long."""
    if not str(text).strip():
        raise typer.BadParameter("got an empty text; expected a path.")
    place = expanded(Path(text))
    try:
        os.lstat(place)
    except OSError as error:
        if error.errno == ENAMETOOLONG:
            raise typer.BadParameter("the path is longer than a disk takes.") from error
    return place


def _place(text: str) -> Any:
    return typer.Option(parser=path, metavar="PATH", help=text)


RunsPlace = Annotated[Path, _place("where runs are")]
ReportsPlace = Annotated[Path, _place("where reports are written")]
DataSetPlace = Annotated[Path, _place("where the data set is: a folder, or its zip")]
EvaluationsPlace = Annotated[Path, _place("where the evaluation is written")]
Device = Annotated[str, typer.Option(help="auto (an NVIDIA GPU if there is one, else the CPU), cpu, cuda or mps")]


@dataclass(frozen=True)
class TrainingOptions:
    """The options of every command that trains. `shared` gives them to a command."""

    dataset: Annotated[
        str | None, typer.Option(help=", ".join([*DATASETS, "folder:PATH or package.module:function"]))
    ] = None
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="another baseline setting; may be given again"),
    ] = None
    data: Annotated[Path, _place("where data sets are, or go: a folder (caches in its cache/), or one zip")] = Path(
        "data"
    )
    runs: Annotated[Path, _place("where runs are written")] = Path("runs")
    reports: ReportsPlace = Path("reports")
    workers: Annotated[
        int | None, typer.Option(help="worker processes; as many as cores (on Ray: of the cluster) unless given")
    ] = None
    device: Device = "auto"
    executor: Annotated[str, typer.Option(help="where workers are: local, or ray (docs/scaling.md)")] = "local"
    address: Annotated[
        str | None, typer.Option(help="the Ray cluster: HOST:PORT of its head node, or auto: the one of this machine")
    ] = None
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="skip images that can't be read; plan and report name them")
    ] = False

    def request(
        self,
        studies: Sequence[str],
        seeds: str | None = None,
        first_seed: int | None = None,
        variants: str | None = None,
    ) -> Request:
        """Returns the request for these studies."""
        from runner.execute import Request
        from runner.expand import Overrides, parse_set

        return Request(
            studies=tuple(studies),
            overrides=Overrides(self.dataset, seeds, first_seed, variants, parse_set(self.set_ or [])),
            data=self.data, runs=self.runs, reports=self.reports, workers=self.workers, device=self.device,
            executor=self.executor, address=self.address, skip_unreadable=self.skip_unreadable,
        )  # fmt: skip


@dataclass(frozen=True)
class AdoptOptions:
    """The options of the command that adopts runs."""

    source: Annotated[
        Path,
        typer.Argument(parser=path, metavar="LOGDIR_OR_CSV", help="TensorBoard's event files, or a table of results"),
    ]
    variants: Annotated[
        str, typer.Option(help="how run names are read, such as {variant}/seed{seed}; guessed unless given")
    ] = ""
    baseline: Annotated[str, typer.Option(help='the variant to compare with; default: "baseline"')] = ""
    name: Annotated[str, typer.Option("--as", help="the study's name; default: that of the logs")] = ""
    at: Annotated[str, typer.Option(help="where metrics are taken: last, best:TAG or a step; default: last")] = ""
    questions: Annotated[
        Path | None,
        typer.Option(
            parser=path, metavar="FILE.py", help="a study file with questions and metrics; default: ablations/NAME.py"
        ),
    ] = None
    runs: Annotated[Path, _place("where runs are written")] = Path("runs")
    reports: ReportsPlace = Path("reports")

    def request(self) -> AdoptRequest:
        """Returns the request."""
        from runner.adopt import AdoptRequest

        return AdoptRequest(self.source, self.variants, self.baseline, self.name, self.at, self.questions, self.runs)


def shared(command: Callable[..., None]) -> Callable[..., None]:
    """Returns the command with its parameter `options` replaced by one option for each field of its class."""
    own = inspect.signature(command, eval_str=True).parameters
    kind = own["options"].annotation
    group = inspect.signature(kind, eval_str=True).parameters

    @functools.wraps(command)
    def expanded(**given: Any) -> None:
        options = kind(**{name: given.pop(name) for name in group})
        command(options=options, **given)

    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, value in own.items()
        for parameter in (group.values() if name == "options" else (value,))
    ]
    expanded.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    expanded.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return expanded


Seeds = Annotated[
    str | None,
    typer.Option(
        help="a number of seeds; a list such as 0,3,7; or 5..27: at least 5, at most 27 seeds, added only where a "
        "question is still open"
    ),
]
FirstSeed = Annotated[
    int | None, typer.Option("--from", help="the first seed of a number of seeds, or of 5..27; default: 0")
]
RunDirectory = Annotated[
    Path,
    typer.Argument(
        parser=path, metavar="RUN_DIR", help="a finished run, such as runs/mlp-mnist5k/baseline-30906296/seed0"
    ),
]
OwnImages = Annotated[
    list[Path] | None,
    typer.Option(parser=path, metavar="FILE ...", help="only say what these images, or all in these folders, show"),
]
MoreImages = Annotated[list[Path] | None, typer.Argument(parser=path, metavar="FILE", hidden=True)]
