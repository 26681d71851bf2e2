"""One worker's share of a cohort: claimed, trained in lockstep, logged, checkpointed."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import torch
from filelock import Timeout

from runner.data import Stream, load
from runner.execute.active import ActiveRun
from runner.execute.messages import Message, Place, Send, Share
from runner.execute.record import record_failure
from runner.expand import Run
from runner.files import lock
from runner.spec.problems import words
from runner.store.rundir import RunDir
from runner.train import Interrupted, lockstep

_AUGMENTED_SAMPLES = 16
_CHECKPOINTS_AT_ONCE = 4  # each is whole in memory while it is written


def train_share(share: Share, place: Place, send: Send, stop: Callable[[], bool] = lambda: False) -> None:
    """Trains the share's runs to their ends, apart from those that are done or that another runner has.

    Raises Interrupted, with checkpoints written, when told to stop.
    """
    with ExitStack() as locks:
        if mine := [run for run in share.runs if _claim(run, place, send, locks)]:
            _train(mine, share, place, send, stop)


def _claim(run: Run, place: Place, send: Send, locks: ExitStack) -> bool:
    """Whether this worker is to train the run; if so it holds the run's lock, which ends with the worker."""
    if message := settled(run, place):
        send(message)
        return False
    try:
        locks.enter_context(lock(place.runs / run.folder).acquire(blocking=False))
    except Timeout:
        send(Message("taken", run))
        return False
    except OSError as error:  # no directory to train it in: a full disk, a file where it should be
        send(Message("failed", run, cause=words(error)))
        return False
    if message := settled(run, place):  # its holder has ended it between the look and the lock
        send(message)
        return False
    return True


def settled(run: Run, place: Place) -> Message | None:
    """How the run ended, where this command need not train it.

    It is finished, or failed while this command was at work: in another runner's hands, which this one
    does not try again. Attempts say when, not times: clocks of several machines differ.
    """
    directory = RunDir(place.runs / run.folder)
    status, known, result = directory.status(), directory.run_json(), directory.result()
    if not known or directory.misplaced():
        return None
    lately = directory.ended_attempt() not in place.ended
    if status == "finished" and result and (lately or not place.retrain):
        return Message("finished", run, result.numbers, before=True)
    if status == "failed" and lately:
        return Message("failed", run, cause=known.cause, before=True)
    return None


def _train(runs: list[Run], share: Share, place: Place, send: Send, stop: Callable[[], bool]) -> None:
    device = torch.device(place.device)
    try:
        dataset = load(share.data)
        stream = Stream(dataset, runs[0].variant.settings, runs[0].seed, device)
    except Exception as error:  # the data went away after they were prepared
        cause = f"the data can't be read any more: {words(error)}"
        for run in runs:
            record_failure(run, place, cause, traceback.format_exc(), machines=True)
            send(Message("failed", run, cause=cause))
        return
    active: dict[int, ActiveRun] = {}
    for run in runs:
        entry = ActiveRun(run, place, dataset, send, share.supervised)
        try:
            entry.open(device)
        except (Exception, SystemExit) as error:  # somebody's model may leave
            entry.failed(error)
        else:
            active[id(entry.learner)] = entry
    try:
        _show_augmented(stream, [entry for entry in active.values() if entry.learner.epoch == 0])
        for entry in active.values():
            entry.began()
        for event in lockstep([entry.learner for entry in active.values()], stream, stop):
            active[id(event.learner)].handle(event)
    except Interrupted:
        with ThreadPoolExecutor(_CHECKPOINTS_AT_ONCE) as pool:  # most of a checkpoint's time is the disk's
            list(pool.map(ActiveRun.interrupted, active.values()))
        raise
    except Exception as error:  # the stream itself: every run on it is lost
        for entry in active.values():
            if not entry.ended:
                entry.failed(error, its_own=False)


def _show_augmented(stream: Stream, entries: list[ActiveRun]) -> None:
    """Epoch 1's first images, drawn once for all runs that begin."""
    if entries:
        first = stream.order(1)[0][:_AUGMENTED_SAMPLES]
        images, labels = stream.augmented(1, first), stream.dataset.train.labels[first]
        for entry in entries:
            entry.log.augmented(images, labels)
