"""Sets up arithmetic the same way in every worker, because the last bits of a number depend on it."""

from __future__ import annotations

import torch


def set_up_arithmetic() -> None:
    """Sets one thread, and flushes denormal numbers to zero. Every worker calls it before it computes.

    Sums over several threads round differently. Vanishing averages of gradients are denormal numbers, which would
    make optimizer steps ten times slower.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
