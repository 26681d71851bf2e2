"""Studies and run directories that several test modules make."""

from __future__ import annotations

from typing import Any

from runner.store.rundir import RunDir

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
