"""Writes a study to start from: it runs as it is, and its comments say what to change."""

from __future__ import annotations

import re
from pathlib import Path

from runner.places import check_writable
from runner.spec import FOLDER, Kind, Problem, RequestError, shown

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
_STUDY = '''\
"""Does BatchNorm or Dropout help a small network?

The first line is the title of the report. Any text may follow, such as why you ask.

Run:      {run}
"""

STUDY = {{
    # The reference settings. Every variant is compared with them.
    "baseline": {{
        "dataset": "mnist5k",  # or "cifar10", "folder:PATH" for your images, "mymodule:function" for your code
        "normalize": "train",  # by the mean and deviation of the train images
        "model": "mlp", "hidden": [256, 128],  # or "cnn", "resnet18", "mymodule:function"
        "optimizer": "Adam", "lr": 1e-3, "batch_size": 128,
        "epochs": 15, "patience": 5,  # stops after 5 epochs without a lower validation loss
    }},
    # Each variant names only what it changes.
    "variants": {{
        "batchnorm": {{"batch_norm": True}},
        "dropout": {{"dropout": 0.5}},
    }},
    # Each level of a setting is one more variant.
    "factors": {{"weight_decay": [1e-4]}},
    # Each variant is trained once per seed. With fewer than 5, only large effects are significant.
    "seeds": 5,
    # What you want to know, declared before the first run. "smallest": smaller differences do not matter to you.
    "questions": [
        {{"ask": "Does BatchNorm help?", "compare": ["batchnorm", "baseline"],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005}},
        {{"ask": "Does Dropout help?", "compare": ["dropout", "baseline"],
         "metric": "val/accuracy", "expect": "more", "smallest": 0.005}},
    ],
}}
'''


def write_new(name: str, run: str, folder: Path = FOLDER) -> Path:
    """Writes a commented study; returns its file. `run` is the command that trains it.

    Raises RequestError where the name can't be a study's, or where a file has it already.
    """
    if not _NAME.fullmatch(name):
        what = f"got {shown(name)}; expected up to 80 letters, digits, _ and -, such as mystudy."
        raise RequestError([Problem(Kind.VALUE, "NAME", what)])
    file = folder / f"{name}.py"
    check_writable(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with open(file, "x", encoding="utf-8") as opened:
            opened.write(_STUDY.format(run=run))
    except FileExistsError as error:
        what = "exists already, and stays as it is; choose another name."
        raise RequestError([Problem(Kind.PATH, str(file), what)]) from error
    return file
