"""What a worker process does: it takes jobs from a pipe, and sends messages there."""

from __future__ import annotations

import os
import signal
import traceback
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from runner.execute._gpus import VISIBLE
from runner.execute._job import train_job
from runner.execute._messages import ANSWERED, Command, Message, WorkerState
from runner.execute._processes import settle_in
from runner.train import Interrupted

_ANSWER_SECONDS = 0.5  # between looks whether to stop, while waiting for an answer


def work(pipe: Connection, command: Command, stop: Any, gpu: str | None = None) -> None:
    """Trains job after job, until the pipe closes or the runner says stop. `gpu`: as `LocalEngine` has it."""
    if gpu is not None:
        os.environ[VISIBLE] = gpu  # CUDA reads it when it is first used, which nothing has done here
        command = replace(command, device="cuda" if gpu else command.device)
    settle_in()

    def send(message: Message | WorkerState) -> str:
        try:
            pipe.send(message)
        except OSError:  # the runner has died; the run has not failed
            os._exit(1)
        return ""

    def ask(message: Message) -> str:
        send(message)
        if message.kind not in ANSWERED:
            return ""
        while not pipe.poll(_ANSWER_SECONDS):
            if stop.value:
                raise Interrupted
        try:
            return str(pipe.recv())
        except (EOFError, OSError):
            os._exit(1)

    send(WorkerState.READY)
    try:
        while True:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # idle, it holds nothing
            job = pipe.recv()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a cluster's notice too reaches the whole group
            train_job(job, command, ask if job.supervised else send, lambda: bool(stop.value))
            send(WorkerState.DONE)
    except (EOFError, ConnectionResetError, Interrupted):
        return
    except Exception:
        traceback.print_exc()
        os._exit(1)
