"""One run's epochs to the metrics of the course of its training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

OVER_EPOCHS = ("val_accuracy_area", "train_loss_area", "train_roughness")  # compared over common epochs
LATE = 5  # epochs


def from_curve(rows: pd.DataFrame, metric: str, epochs: int, accuracy: float | None) -> float:
    """A metric of one run from its epochs (`METRICS` says what each is); a run that never reached an
    accuracy counts as one epoch more than it was to have."""
    if metric.startswith("train_eval/"):
        return float(rows[metric].iloc[int(np.nanargmin(rows["val/loss"].to_numpy(dtype=float)))])
    train, val = rows["train/loss"].to_numpy(dtype=float), rows["val/accuracy"].to_numpy(dtype=float)
    if metric == "epochs_to":
        reached = np.flatnonzero(val >= (accuracy or 1.0))
        return float(reached[0] + 1) if len(reached) else epochs + 1.0
    if metric in ("val_accuracy_area", "train_loss_area"):
        return float((val if metric == "val_accuracy_area" else train).mean())
    if metric == "train_roughness":
        with np.errstate(divide="ignore", invalid="ignore"):
            bends = np.diff(np.log(train), n=2)
        return float(np.abs(bends).mean()) if len(bends) else float("nan")
    if metric == "late_spread":
        return _spread_around_line(rows["val/loss"].tail(LATE).to_numpy(dtype=float))
    if metric == "first_epoch_loss_max":
        return float(rows["train/loss_max"].iloc[0])
    raise ValueError(f"no such metric: {metric}")


def _spread_around_line(values: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """The residual standard deviation around a straight line; nan below three values, or with one that is no number."""
    if len(values) < 3 or not np.isfinite(values).all():
        return float("nan")
    epochs = np.arange(len(values))
    residuals = values - np.polyval(np.polyfit(epochs, values, 1), epochs)
    return float(np.sqrt((residuals**2).sum() / (len(values) - 2)))
