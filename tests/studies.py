"""Studies and run directories that several test modules make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner.store import RunDir, StudyFile, VariantEntry

BASE: dict[str, Any] = {  # a small baseline on real data (digits ships with scikit-learn)
    "dataset": "digits",
    "normalize": "train",
    "model": "mlp",
    "hidden": [32, 16],
    "optimizer": "Adam",
    "lr": 1e-3,
    "batch_size": 64,
    "epochs": 3,
}


def amend(directory: RunDir, **changes: Any) -> None:
    """Changes values of run.json; a result that is there vouches for the file as it is now."""
    known, result = directory.run_json(), directory.result()
    assert known
    directory.write_run_json(known.model_copy(update=changes))
    if result:
        directory.write_result(result)


def vouch(directory: RunDir) -> None:
    """Has the result vouch for the directory's files as they are now."""
    result = directory.result()
    assert result
    directory.write_result(result)


def study_file(settings: Mapping[str, Mapping[str, Any]], changes: Mapping[str, Mapping[str, Any]]) -> StudyFile:
    """The study.json of a study "toy" with these variants; `settings` and `changes` by variant."""
    variants = {
        name: VariantEntry(directory=f"{name}-0", changes=dict(changes.get(name, {})), settings=dict(own))
        for name, own in settings.items()
    }
    return StudyFile(name="toy", file="toy.py", doc="", command="", variants=variants)
