"""Workers that are processes of this machine."""

from __future__ import annotations

import os
import signal
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import Any

from runner.execute._engine import Gone
from runner.execute._gpus import VISIBLE
from runner.execute._job import train_job
from runner.execute._messages import ANSWERED, Command, Job, Message, WorkerState
from runner.execute._processes import context, exit_reason, settle_in
from runner.execute._script import UNGUARDED, unguarded
from runner.train import Interrupted

_STOP_SECONDS = 10  # for a clean stop, before workers are killed
_ANSWER_SECONDS = 0.5  # between looks whether to stop, while waiting for an answer


class LocalHand:
    """A worker process, the pipe to it, and the GPU that it alone sees. See `Hand`."""

    def __init__(self, process: Any, pipe: Connection, gpu: str | None = None) -> None:
        self.process, self.pipe, self.gpu = process, pipe, gpu
        self._ready = False

    def give(self, job: Job) -> None:
        """Sends the job."""
        self._send(job)

    def take(self) -> Sequence[Message | WorkerState]:
        """Receives one message. Raises Gone at the pipe's end, RequestError where the script has no guard."""
        try:
            message: Message | WorkerState = self.pipe.recv()
        except (EOFError, OSError) as error:
            self.process.join()
            if self.process.exitcode == UNGUARDED and not self._ready:
                raise unguarded() from None
            raise Gone(f"the worker process ended {exit_reason(self.process.exitcode)}") from error
        self._ready = self._ready or message is WorkerState.READY
        return [message]

    def answer(self, text: str) -> None:
        """Sends the answer."""
        self._send(text)

    def _send(self, content: Job | str) -> None:
        with suppress(OSError):  # it is dead; the end of its pipe will say so
            self.pipe.send(content)

    def alive(self) -> bool:
        """Whether the process lives."""
        return bool(self.process.is_alive())

    def close(self) -> None:
        """Closes the pipe, once the process has ended."""
        self.process.join()
        self.pipe.close()


class LocalEngine:
    """Starts worker processes. See `Engine`."""

    def __init__(self, command: Command, gpus: Sequence[str] | None = None) -> None:
        """`gpus` are for one worker each, as CUDA_VISIBLE_DEVICES names them; None: workers use what they find."""
        self._context = context()
        self._command = command
        self._gpus = gpus
        self._hands: list[LocalHand] = []
        # Not an Event: reading one takes a lock, which a worker that is killed at that moment would hold forever.
        self._stop = self._context.RawValue("b", 0)

    def start(self) -> LocalHand:
        """Starts a process, which imports first."""
        ours, theirs = self._context.Pipe()
        gpu = self._free_gpu()
        process = self._context.Process(target=_work, args=(theirs, self._command, self._stop, gpu), daemon=True)
        process.start()
        theirs.close()  # so that the worker's death is the end of the pipe
        self._hands.append(LocalHand(process, ours, gpu))
        return self._hands[-1]

    def _free_gpu(self) -> str | None:
        """Returns the GPU with the fewest workers."""
        self._hands = [hand for hand in self._hands if hand.alive()]
        used = Counter(hand.gpu for hand in self._hands)
        return min(self._gpus, key=lambda gpu: used[gpu]) if self._gpus else None

    def wait(self, hands: Sequence[LocalHand], seconds: float | None) -> Sequence[LocalHand]:
        """Returns the hands whose pipes have a message or an end."""
        ready = wait([hand.pipe for hand in hands], seconds)
        return [hand for hand in hands if hand.pipe in ready]

    def stop(self, hands: Sequence[LocalHand], busy: Sequence[LocalHand]) -> None:
        """Ends all processes. A KeyboardInterrupt meanwhile kills them at once."""
        self._stop.value = 1
        try:
            for hand in hands:
                if hand not in busy:
                    hand.process.kill()  # it holds nothing, and may be in the midst of its imports
                hand.process.join(_STOP_SECONDS)
        finally:
            for hand in hands:
                hand.process.kill()
            for hand in hands:
                hand.close()


def _work(pipe: Connection, command: Command, stop: Any, gpu: str | None = None) -> None:
    """Trains job after job, until the pipe closes or the runner says stop: the main function of a worker."""
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
