"""The content of run.json: what a run is, what made it, and how it ended."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from runner.execute._messages import Command
from runner.expand import Run
from runner.store import FAILED, RUNNING, Provenance, RunDir, RunJson


def run_json(
    run: Run,
    provenance: Provenance,
    status: str,
    attempt: str,
    started: float,
    classes: Sequence[str] = (),
    parameters: int | None = None,
    train_images: int | None = None,
    cause: str | None = None,
    machines: bool = False,
    resumed: bool = False,
) -> RunJson:
    """Returns the content of run.json, with times in seconds since 1970.

    attempt   one id from the attempt's beginning to its end
    machines  whether the machine caused the failure, not the run
    resumed   whether own training resumed an earlier attempt
    """
    given: dict[str, Any] = {"files": run.variant.files} if run.variant.files else {}
    given |= {"cause": cause} if cause is not None else {}
    given |= {"machines": True} if machines else {}
    given |= {"resumed": True} if resumed else {}
    given |= {} if train_images is None else {"train_images": train_images}
    return RunJson(
        study=run.study,
        variant=run.variant.name,
        seed=run.seed,
        digest=run.variant.digest,
        status=status,
        attempt=attempt,
        settings=run.variant.settings.plain(),
        changes=run.variant.changes,
        classes=list(classes),
        provenance=provenance,
        started=started,
        ended=None if status == RUNNING else time.time(),
        parameters=parameters,
        **given,
    )


def new_attempt() -> str:
    """Returns a unique id for an attempt at a run."""
    return uuid.uuid4().hex


def record_failure(run: Run, command: Command, cause: str, trace: str = "", machines: bool = False) -> None:
    """Records the failure of a run without a worker or without data. Does nothing where the disk is full."""
    directory = RunDir(command.runs / run.folder)
    before = directory.own_run_json()
    attempt = before.attempt if before and before.status == RUNNING else ""
    new = run_json(run, command.provenance, FAILED, attempt or new_attempt(), time.time(), cause=cause)
    ended = {key: getattr(new, key) for key in ("status", "attempt", "cause", "ended")} | {"machines": machines}
    with suppress(OSError):
        directory.write_run_json((before or new).model_copy(update=ended))
        if trace:
            directory.write_traceback(trace)
