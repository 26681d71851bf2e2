"""A learner's recorded steps: one for each kind of batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from runner.spec import describe
from runner.train._lane import Lane, Replay

_WARM_UP = 2  # steps before the first recording: they make the optimizer's state and load kernels

Inputs = tuple[torch.Tensor, ...]  # images first
Step = Callable[[Inputs, bool], None]


@dataclass(frozen=True)
class _Recording:
    """A recorded step.

    inputs     the batch that it reads
    gradients  of each parameter, as it writes them
    """

    replay: Replay
    inputs: Inputs
    gradients: list[torch.Tensor | None]

    def run(self, inputs: Inputs) -> None:
        for mine, given in zip(self.inputs, inputs, strict=True):
            if given is not mine:  # a stream on a GPU fills the same tensors again
                mine.copy_(given)
        self.replay()


class Recorded:
    """Takes steps, which it records on the lane where that is possible.

    why_not  why steps are not recorded; empty where they are
    """

    def __init__(self, step: Step, parameters: list[torch.nn.Parameter], why_not: str = "") -> None:
        """`step(inputs, measured)` takes a step; on its second call and later it computes on the device only.

        Otherwise `why_not` says why it can't be recorded.
        """
        self.why_not = why_not
        self._step = step
        self._parameters = parameters
        self._recordings: dict[tuple[int, bool], _Recording] = {}
        self._last: _Recording | None = None
        self._steps = 0

    def __call__(self, lane: Lane, inputs: Inputs, measured: bool) -> None:
        """Takes a step on a batch; `measured` measures the gradients' norm too."""
        self._steps += 1
        kind = (len(inputs[0]), measured)
        if lane.records and not self.why_not and self._steps > _WARM_UP and kind not in self._recordings:
            self._record(lane, kind, inputs)
        self._last = self._recordings.get(kind)
        if self._last:
            self._last.run(inputs)
        else:
            self._step(inputs, measured)

    def _record(self, lane: Lane, kind: tuple[int, bool], inputs: Inputs) -> None:
        try:
            replay = lane.record(lambda: self._step(inputs, kind[1]))
        except Exception as error:
            self._recordings.clear()
            self.why_not = describe(error)
        else:
            gradients = [parameter.grad for parameter in self._parameters]
            self._recordings[kind] = _Recording(replay, inputs, gradients)

    def forget(self) -> None:
        """Frees the recordings and their memory; the learner takes no more steps."""
        self._recordings.clear()
        self._last = None

    def show_gradients(self) -> None:
        """Lets each parameter's `grad` be that of the last step."""
        if self._last:
            for parameter, gradient in zip(self._parameters, self._last.gradients, strict=True):
                parameter.grad = gradient
