"""Counts what a learner does in an epoch, in tensors on its device."""

from __future__ import annotations

from dataclasses import dataclass

import torch

Metrics = dict[str, float]
GRAD_NORM_EVERY = 10  # steps; the norm takes 2-5% of a small model's step
_LOSS, _CORRECT, _NORM = range(3)


@dataclass(frozen=True)
class Counts:
    """What was counted in an epoch.

    rows     steps x 3, float32, on the CPU: training loss, images predicted correctly (mixed images by their classes'
             shares), and the L2 norm of all gradients before clipping (nan where it was not measured)
    sizes    images of each step
    seconds  of the processor's time for the steps
    eval_seconds  the same for evaluation
    """

    rows: torch.Tensor
    sizes: list[int]
    seconds: float
    eval_seconds: float

    def metrics(self) -> Metrics:
        """Returns means over the epoch. They may be nan: the caller logs them and then raises NonFiniteLoss."""
        losses, sizes = self.rows[:, _LOSS].double(), torch.tensor(self.sizes).double()
        return {
            "train/loss": float((losses * sizes).sum() / sizes.sum()),
            "train/accuracy": float(self.rows[:, _CORRECT].double().sum()) / sum(self.sizes),
            "train/loss_max": float(losses.max()),
            "train/grad_norm": float(self.rows[::GRAD_NORM_EVERY, _NORM].double().mean()),
        }

    def first_non_finite(self) -> tuple[int, float] | None:
        """Returns the first step (from 1) whose loss was nan or infinite, and that loss; None where all were finite."""
        losses = self.rows[:, _LOSS]
        bad = (~torch.isfinite(losses)).nonzero()
        return (int(bad[0]) + 1, float(losses[bad[0]])) if len(bad) else None


class Tally:
    """Counts the steps of one epoch after the other. A recorded step writes into the same tensors each time."""

    def __init__(self, steps: int, device: torch.device) -> None:
        """`steps` is the number of steps in an epoch."""
        self._rows = torch.zeros(steps, 3, device=device)
        self._at = torch.zeros(1, dtype=torch.int64, device=device)  # the step's row
        self._unmeasured = torch.tensor(torch.nan, device=device)
        self._sizes: list[int] = []
        self.seconds = 0.0
        self.eval_seconds = 0.0

    @property
    def steps(self) -> int:
        """How many steps were counted in this epoch."""
        return len(self._sizes)

    @property
    def measures_norm(self) -> bool:
        """Whether the next step measures the gradients' norm."""
        return len(self._sizes) % GRAD_NORM_EVERY == 0

    def write(self, loss: torch.Tensor, correct: torch.Tensor, norm: torch.Tensor | None) -> None:
        """Writes a step's row on the device; each is one float32 number."""
        row = torch.stack([loss, correct, self._unmeasured if norm is None else norm])
        self._rows.index_copy_(0, self._at, row[None])
        self._at += 1

    def count(self, images: int) -> None:
        """Counts a step of so many images."""
        self._sizes.append(images)

    def take(self) -> Counts:
        """Returns what was counted since the last call."""
        counts = Counts(self._rows[: len(self._sizes)].cpu().clone(), self._sizes, self.seconds, self.eval_seconds)
        self._at.zero_()
        self._sizes, self.seconds, self.eval_seconds = [], 0.0, 0.0
        return counts
