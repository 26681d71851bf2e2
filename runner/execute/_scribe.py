"""Logs what happens in training: at once, or beside the training where a GPU would wait meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from threading import BoundedSemaphore
from types import TracebackType
from typing import Any

import torch

_MOST_WAITING = 64  # events, each with its copy of weights, gradients and optimizer state
_SWITCH_SECONDS = 0.0005  # the longest that training waits for Python while an event is logged; Python's own is 0.005


class Scribe:
    """Does one action after the other, in order: at once, or aside on a thread and a stream of its own. A context.

    It leaves once everything is done, and raises the first error of an action.
    """

    def __init__(self, device: torch.device, aside: bool) -> None:
        self._device = device
        self._pool = ThreadPoolExecutor(1) if aside else None
        self._room = BoundedSemaphore(_MOST_WAITING)
        self._futures: list[Future[None]] = []

    def __enter__(self) -> Scribe:
        if self._pool:
            sys.setswitchinterval(_SWITCH_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool:
            self._pool.shutdown(wait=True)
            if error is None:
                for future in self._futures:
                    future.result()

    def do(self, action: Callable[..., None], event: Any) -> None:
        """Calls `action(event)`, now or once what came before is done."""
        if not self._pool:
            action(event)
            return
        self._room.acquire()
        self._futures = [future for future in self._futures if not future.done() or future.exception()]
        self._futures.append(self._pool.submit(self._write, self._moment(), action, event))

    def _moment(self) -> Any:
        """What the GPU has been told so far; None on a CPU."""
        if self._device.type != "cuda":
            return None
        moment: Any = torch.cuda.Event()  # type: ignore[no-untyped-call]
        moment.record(torch.cuda.current_stream(self._device))
        return moment

    def _write(self, moment: Any, action: Callable[..., None], event: Any) -> None:
        try:
            if moment is None:
                action(event)
                return
            with torch.cuda.stream(self._stream):
                self._stream.wait_event(moment)
                action(event)
                self._stream.synchronize()  # the event's tensors may be freed now
        finally:
            self._room.release()

    @cached_property
    def _stream(self) -> Any:
        return torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
