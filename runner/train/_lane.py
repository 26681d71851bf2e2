"""Where a learner computes: on a CPU in turn with the others, on a GPU beside them, from steps that are recorded once.

Starting the 40 to 60 kernels of a small network's step one by one takes a processor 1.5 ms, and the GPU a tenth of it.
A recorded step (a CUDA graph) starts as a whole in 0.03 ms.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch

Replay = Callable[[], object]


class Lane:
    """A learner's place on a CPU: everything runs at once, and nothing is recorded."""

    records = False

    @contextmanager
    def active(self) -> Iterator[None]:
        """What is computed inside belongs to the learner."""
        yield

    def seed(self, number: int) -> None:
        """Seeds the device's random numbers, where it has other ones than torch's on the CPU."""

    def record(self, step: Callable[[], None]) -> Replay:
        """Records what `step` does on the device, without doing it, and returns what does it again."""
        raise NotImplementedError

    def fork(self) -> None:
        """What is computed from now on waits for everything before."""

    def join(self) -> None:
        """Everything after waits for what was computed here."""


class CudaLane(Lane):
    """A learner's own stream on a GPU, with random numbers and memory of its own.

    Steps are recorded on this stream, never on a common one: steps that were recorded on one stream share its
    workspace for matrix products, and side by side they overwrite each other's sums (seen on an H200: float32 products
    waited for each other forever).
    """

    records = True

    def __init__(self, device: torch.device) -> None:
        index = torch.cuda.current_device() if device.index is None else device.index
        self._stream: torch.cuda.Stream = torch.cuda.Stream(index)  # type: ignore[no-untyped-call]
        self._outer = torch.cuda.current_stream(index)
        self._done: torch.cuda.Event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        self._process = torch.cuda.default_generators[index]
        self._generator, self._others = self._process.clone_state(), self._process.graphsafe_get_state()
        self._pool = torch.cuda.graph_pool_handle()

    @contextmanager
    def active(self) -> Iterator[None]:
        """What is computed inside runs on the learner's stream and draws from its random numbers."""
        self._process.graphsafe_set_state(self._generator)
        torch.cuda.set_stream(self._stream)  # a tenth of the time of torch.cuda.stream()
        try:
            yield
        finally:
            torch.cuda.set_stream(self._outer)
            self._process.graphsafe_set_state(self._others)

    def seed(self, number: int) -> None:
        """Seeds the learner's random numbers on the GPU."""
        self._generator.manual_seed(number)

    def record(self, step: Callable[[], None]) -> Replay:
        """Records a CUDA graph. Raises RuntimeError where a step asks the processor for something in between."""
        graph = torch.cuda.CUDAGraph()
        collects = gc.isenabled()
        gc.disable()  # to free another graph meanwhile would spoil the recording
        try:
            graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
            try:
                step()
            finally:
                graph.capture_end()
        finally:
            if collects:
                gc.enable()
        return graph.replay

    def fork(self) -> None:
        """The learner's stream waits for the current one."""
        self._done.record(self._outer)
        self._stream.wait_event(self._done)

    def join(self) -> None:
        """The current stream waits for the learner's."""
        self._done.record(self._stream)
        self._outer.wait_event(self._done)


class MpsLane(Lane):
    """A learner's place on Apple's GPU, in turn with the others."""

    def seed(self, number: int) -> None:
        """Seeds the GPU's random numbers, before each step and each evaluation: all that follow are the learner's."""
        torch.mps.manual_seed(number)


def lane(device: torch.device) -> Lane:
    """Returns a new learner's place on a device."""
    if device.type == "mps":
        return MpsLane()
    return CudaLane(device) if device.type == "cuda" else Lane()


@contextmanager
def abreast(lanes: Iterable[Lane]) -> Iterator[None]:
    """What learners compute inside runs side by side; everything after waits for all of it."""
    lanes = list(lanes)
    for each in lanes:
        each.fork()
    try:
        yield
    finally:
        for each in lanes:
            each.join()
