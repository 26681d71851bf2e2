"""Lets a run continue from a finished run of the same settings with fewer epochs.

With a constant schedule, the first epochs of a run do not depend on how many there are. So a finished run keeps the
state in which it ended, until it is pruned, and a longer run starts from there, to the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.expand import Run
from runner.store import FINISHED, Provenance, Row, RunDir, same_provenance

if TYPE_CHECKING:
    from runner.checkpoints import State

_NEW = ("best", "best_logits")  # parts of a learner's state that best.pt and predictions.npz have


@dataclass(frozen=True)
class Shorter:
    """A finished run that a longer one continues.

    folder   its directory
    learner  the state of its learner after its last epoch
    rows     its epochs
    """

    folder: Path
    learner: State
    rows: list[Row]


def keeps_state(run: Run) -> bool:
    """Whether a longer run can continue this one."""
    return not run.own and run.variant.ours.schedule == "constant"


def state_file(run: Run) -> str:
    """Returns the name of the file with a run's last state. Runs that differ only in epochs have the same name."""
    alike = run.variant.ours.model_copy(update={"epochs": 1})
    return f"final-{alike.digest(run.variant.files)}.pt"


def keep_state(folder: Path, run: Run, learner: State, rows: list[Row]) -> None:
    """Writes the state in which a run ended; `learner` is its learner's. Raises OSError where it can't be written."""
    from runner import checkpoints

    state = {key: value for key, value in learner.items() if key not in _NEW}
    checkpoints.save(folder / state_file(run), {"seed": run.seed, "learner": state, "rows": rows})


def shorter_runs(runs: Path, run: Run) -> list[Path]:
    """Returns the directories of finished runs with fewer epochs that kept their state, the longest first.

    `runs` is the directory of all runs. Only file names and run.json are read.
    """
    if not keeps_state(run):
        return []
    most = run.variant.ours.epochs
    found: list[tuple[int, Path]] = []
    for path in runs.glob(f"*/*/seed{run.seed}/{state_file(run)}"):
        known = RunDir(path.parent).run_json()
        epochs = known.settings.get("epochs") if known and known.status == FINISHED else None
        if isinstance(epochs, int) and epochs < most and not RunDir(path.parent).misplaced():
            found.append((epochs, path.parent))
    return [folder for _, folder in sorted(found, reverse=True)]


def shorter(runs: Path, run: Run, provenance: Provenance) -> Shorter | None:
    """Returns the longest finished run that this run can continue: of comparable code, data and versions.

    None where there is none, where its weights were pruned, or where a file of it is corrupt.
    """
    from runner import checkpoints  # with torch: most runs are not continued

    for folder in shorter_runs(runs, run):
        directory = RunDir(folder)
        result, archive = directory.result(), directory.load_predictions()
        if directory.status() != FINISHED or not result or not same_provenance(result.provenance, provenance):
            continue
        state, best = checkpoints.load(folder / state_file(run)), checkpoints.load(directory.best)
        if state and best and archive and state.get("seed") == run.seed:
            return Shorter(folder, {**state["learner"], **_best(best, archive)}, state["rows"])
    return None


def _best(weights: State, archive: dict[str, Any]) -> State:
    import torch

    return {"best": weights, "best_logits": torch.from_numpy(archive["val_logits"])}
