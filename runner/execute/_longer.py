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

Kept = dict[tuple[str, str], list[Path]]  # name of the state's file, of the seed's directory -> runs' directories
_NEW = ("best", "best_logits")  # parts of a learner's state that best.pt and predictions.npz have


@dataclass(frozen=True)
class Shorter:
    """A finished run that a longer one continues.

    folder      its directory
    provenance  what made it
    learner     the state of its learner after its last epoch
    rows        its epochs
    """

    folder: Path
    provenance: Provenance
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


def kept_states(runs: Path, seed: int | str = "*", name: str = "final-*.pt") -> Kept:
    """Returns the directories of runs with a kept state, by its file's name and the seed. Only names are read.

    `runs` is the directory of all runs; `seed` and `name` leave out others.
    """
    found: Kept = {}
    for path in runs.glob(f"*/*/seed{seed}/{name}"):
        found.setdefault((path.name, path.parent.name), []).append(path.parent)
    return found


def shorter_runs(kept: Kept, run: Run) -> list[Path]:
    """Returns the directories of finished runs with fewer epochs that a run can continue, the longest first."""
    if not keeps_state(run):
        return []
    most = run.variant.ours.epochs
    found: list[tuple[int, Path]] = []
    for folder in kept.get((state_file(run), f"seed{run.seed}"), ()):
        known = RunDir(folder).own_run_json()
        epochs = known.settings.get("epochs") if known and known.status == FINISHED else None
        if isinstance(epochs, int) and epochs < most:
            found.append((epochs, folder))
    return [folder for _, folder in sorted(found, reverse=True)]


def shorter(runs: Path, run: Run, provenance: Provenance) -> Shorter | None:
    """Returns the longest finished run that this run can continue: of comparable code, data and versions.

    None where there is none, where its weights were pruned, or where a file of it is corrupt.
    """
    from runner import checkpoints  # with torch: most runs are not continued

    kept = kept_states(runs, run.seed, state_file(run)) if keeps_state(run) else {}
    for folder in shorter_runs(kept, run):
        directory = RunDir(folder)
        result, archive = directory.result(), directory.load_predictions()
        if directory.status() != FINISHED or not result or not same_provenance(result.provenance, provenance):
            continue
        state, best = checkpoints.load(folder / state_file(run)), checkpoints.load(directory.best)
        if state and best and archive and state.get("seed") == run.seed:
            return Shorter(folder, result.provenance, {**state["learner"], **_best(best, archive)}, state["rows"])
    return None


def _best(weights: State, archive: dict[str, Any]) -> State:
    import torch

    return {"best": weights, "best_logits": torch.from_numpy(archive["val_logits"])}
