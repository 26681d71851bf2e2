"""A job in a worker: claimed, trained in lockstep, logged, checkpointed."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import torch

from runner.data import Stream, draw_split, load
from runner.execute._claims import claim
from runner.execute._memory import free_memory
from runner.execute._messages import Command, Job, Message, Send
from runner.execute._own_run import train_own
from runner.execute._record import record_failure
from runner.execute._scribe import Scribe
from runner.execute._training import TrainingRun
from runner.expand import Run
from runner.spec import describe
from runner.store import FAILED
from runner.train import Interrupted, lockstep

_AUGMENTED_SAMPLES = 16
_CHECKPOINTS_AT_ONCE = 4  # each is whole in memory while it is written


def train_job(job: Job, command: Command, send: Send, stop: Callable[[], bool] = lambda: False) -> None:
    """Trains the job's runs to their ends, except those that are done or that another runner has.

    `send` hears of everything that happens. Raises Interrupted, with checkpoints written, once `stop` returns True.
    """
    with ExitStack() as locks:
        mine = [run for run in job.runs if claim(run, command, send, locks)]
        if mine and mine[0].own:
            for run in mine:
                train_own(run, mine[0].own, command, send, stop)
        elif mine:
            _train(mine, job, command, send, stop)


def _train(runs: list[Run], job: Job, command: Command, send: Send, stop: Callable[[], bool]) -> None:
    device = torch.device(command.device)
    try:
        settings, seed = runs[0].variant.ours, runs[0].seed
        dataset = draw_split(load(job.data), settings, seed)
        if device.type == "cpu" and dataset.train.images.nbytes > free_memory() / 2:  # workers need some too
            dataset.read_at_random()
        stream = Stream(dataset, settings, seed, device)
    except Exception as error:  # the data disappeared after they were prepared
        cause = f"the data can't be read any more: {describe(error)}"
        for run in runs:
            record_failure(run, command, cause, traceback.format_exc(), machines=True)
            send(Message(FAILED, run, cause=cause))
        return
    active: dict[int, TrainingRun] = {}
    for run in runs:
        entry = TrainingRun(run, command, dataset, send, job.supervised)
        try:
            entry.open(device)
        except (Exception, SystemExit) as error:  # your model may exit
            entry.failed(error)
        else:
            active[id(entry.learner)] = entry
    try:
        _show_augmented(stream, [entry for entry in active.values() if entry.learner.epoch == 0])
        for entry in active.values():
            entry.began()
        # A search's runs wait for its answers anyway.
        with Scribe(device, aside=device.type == "cuda" and not job.supervised) as scribe:
            for event in lockstep([entry.learner for entry in active.values()], stream, stop):
                scribe.do(active[id(event.learner)].handle, event)
    except Interrupted:
        with ThreadPoolExecutor(_CHECKPOINTS_AT_ONCE) as pool:  # most of a checkpoint's time is the disk's
            list(pool.map(TrainingRun.interrupted, active.values()))
        raise
    except Exception as error:  # the stream itself: every run on it is lost
        for entry in active.values():
            if not entry.ended:
                entry.failed(error, its_own=False)


def _show_augmented(stream: Stream, entries: list[TrainingRun]) -> None:
    """Logs epoch 1's first images, drawn once for all runs that begin."""
    if entries:
        first = stream.order(1)[0][:_AUGMENTED_SAMPLES]
        images, labels = stream.augmented(1, first), stream.dataset.train.labels[first]
        for entry in entries:
            entry.log.augmented(images, labels)
