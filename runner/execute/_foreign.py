"""Ended runs that other code, data or versions made: what you should know about them before training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from runner.data import load
from runner.execute._messages import Command
from runner.execute._request import Request
from runner.expand import Run
from runner.machine import pick_device
from runner.store import (
    RunDir,
    forget_own_code,
    own_code_hashes,
    own_provenance,
    present_provenance,
    same_provenance,
    what_changed,
)

_AUTO = "auto"


def made_by_others(runs: Iterable[Run], request: Request, data: Callable[[Run], Path], again: str) -> str:
    """Returns the note where nothing remains to be trained, so no device is looked for where any will do."""
    device = request.device if request.device in (_AUTO, "cpu") else pick_device(request.device).type
    return others_note(runs, Command(request.runs, device, present_provenance(device)), data, again)


def others_note(runs: Iterable[Run], command: Command, data: Callable[[Run], Path], again: str) -> str:
    """Returns a note on the ended runs that other code, data or versions made; empty where there are none.

    `data` gives a run's prepared data. `again` says how such runs are retrained. With the device "auto", a run may have
    been made on any.
    """
    forget_own_code()  # a notebook's earlier command may have looked; the workers import your code afresh
    fingerprints: dict[Path, str] = {}
    changes: list[str] = []
    count = 0
    for run in runs:
        known = RunDir(command.runs / run.folder).run_json()
        if run.own:
            now = own_provenance(command.provenance, run.own)
        else:
            folder = data(run)
            if folder not in fingerprints:
                fingerprints[folder] = load(folder).fingerprint
            now = command.provenance.having(data=fingerprints[folder], **own_code_hashes(run.variant.ours))
        if known and now.device == _AUTO:
            now = now.having(device=known.provenance.device)
        if known and not same_provenance(known.provenance, now):
            count += 1
            changes += what_changed(known.provenance, now)
    if not count:
        return ""
    head = "1 run that is done was" if count == 1 else f"{count} runs that are done were"
    return (
        f"{head} made by other code, data or versions "
        f"({'; '.join(dict.fromkeys(changes))}). A report never mixes them with new runs: it skips them as soon as "
        f"there are new ones. {again}"
    )
