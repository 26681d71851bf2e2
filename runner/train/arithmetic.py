"""How a process computes: the same in every worker, because the last bits of a number depend on it."""

from __future__ import annotations

import torch


def set_up_arithmetic() -> None:
    """One thread, and denormal numbers flushed to zero: what every worker does before it computes.

    Sums over several threads round differently. Vanishing averages of gradients are denormal, and would slow
    optimizer steps tenfold.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
