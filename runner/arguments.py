"""Arguments that several commands share."""

from __future__ import annotations

import os
from errno import ENAMETOOLONG
from pathlib import Path
from typing import Annotated

import typer

from runner.catalog import DATASETS


def path(text: str | Path) -> Path:
    """A path as it was given; a default may be one already."""
    if not str(text).strip():
        raise typer.BadParameter("got an empty text; expected a path.")
    try:
        os.lstat(text)
    except OSError as error:
        if error.errno == ENAMETOOLONG:
            raise typer.BadParameter("the path is longer than a disk takes.") from error
    return Path(text)


_DATA_HELP = "where data sets are, or go: a folder (caches in its cache/), or one zip"
DataPlace = Annotated[Path, typer.Option(parser=path, metavar="PATH", help=_DATA_HELP)]
NewRunsPlace = Annotated[Path, typer.Option(parser=path, metavar="PATH", help="where runs are written")]
ReportsPlace = Annotated[Path, typer.Option(parser=path, metavar="PATH", help="where reports are written")]
RunsPlace = Annotated[Path, typer.Option(parser=path, metavar="PATH", help="where runs are")]
DataSetPlace = Annotated[
    Path, typer.Option(parser=path, metavar="PATH", help="where the data set is: a folder, or its zip")
]
EvaluationsPlace = Annotated[Path, typer.Option(parser=path, metavar="PATH", help="where the evaluation is written")]
DataSet = Annotated[str | None, typer.Option(help=", ".join([*DATASETS, "folder:PATH or package.module:function"]))]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="another baseline setting; may be given again"),
]
WorkerCount = Annotated[int | None, typer.Option(help="worker processes; as many as cores unless given")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps")]
SkipUnreadable = Annotated[
    bool, typer.Option("--skip-unreadable", help="skip images that can't be read; plan and report name them")
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
