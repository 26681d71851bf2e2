"""Decides which runs a command trains: those that have not ended, that no other runner has, and that can be written."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from filelock import Timeout

from runner.execute._messages import Command, Message, Send
from runner.execute._record import record_failure
from runner.expand import Run
from runner.files import lock
from runner.spec import describe
from runner.store import FAILED, FINISHED, RunDir


def ended_attempts(those: Iterable[Run], runs: Path) -> frozenset[str]:
    """Returns the attempts that have ended when a command begins. All others end while the command works."""
    attempts = (RunDir(runs / run.folder).ended_attempt() for run in those)
    return frozenset(filter(None, attempts))


def claim(run: Run, command: Command, send: Send, locks: ExitStack) -> bool:
    """Whether this worker is to train the run. If so, `locks` holds the run's lock; if not, `send` hears why."""
    if message := already_ended(run, command):
        send(message)
        return False
    try:
        locks.enter_context(lock(command.runs / run.folder).acquire(blocking=False))
    except Timeout:
        send(Message("taken", run))
        return False
    except OSError as error:  # no directory to train it in: a full disk, a file where it should be
        send(Message(FAILED, run, cause=describe(error)))
        return False
    if message := already_ended(run, command):  # another runner ended it before we got the lock
        send(message)
        return False
    return True


def already_ended(run: Run, command: Command) -> Message | None:
    """Returns how the run ended, where this command need not train it; else None.

    Such a run is finished, or it failed while this command was at work: another runner had it, and this one
    does not try it again. Attempts decide what came first, not times: clocks of several machines differ.
    """
    directory = RunDir(command.runs / run.folder)
    status, known, result = directory.status(), directory.run_json(), directory.result()
    if not known or directory.misplaced():
        return None
    lately = directory.ended_attempt() not in command.ended
    if status == FINISHED and result and (lately or not command.retrain):
        return Message(FINISHED, run, result.numbers, before=True)
    if status == FAILED and lately:
        return Message(FAILED, run, cause=known.cause, before=True)
    return None


def record_death(message: Message, command: Command) -> Message:
    """Records that a run's worker died, which the worker can't do: the run failed, unless another runner ended it.

    Returns the message that says how the run ended. Raises Timeout where another runner has the run now: then its
    end is yet to come.
    """
    try:
        with lock(command.runs / message.run.folder).acquire(blocking=False):
            if ended := already_ended(message.run, command):
                return ended
            record_failure(message.run, command, message.cause, machines=True)
    except Timeout:
        raise
    except OSError:  # nothing can be recorded there
        pass
    return Message(FAILED, message.run, cause=message.cause)
