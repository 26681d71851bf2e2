"""Writes a run's events for TensorBoard, epoch by epoch, into the run's directory."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tensorboard.compat.proto.summary_pb2 import Summary
from torch import nn
from torch.utils.tensorboard._pytorch_graph import graph

from runner.classnames import legend, numbered
from runner.data import Dataset, Part
from runner.events import Hparam, event_files, session_end, session_start
from runner.files import sync
from runner.logs._events import await_new_second, keep_epochs, open_writer
from runner.logs._pictures import encoded
from runner.logs._run_pictures import Context, When, drawn
from runner.logs._text import settings_table
from runner.store import (
    EPOCH_SCALARS,
    MONITORED_SCALARS,
    RESULT_TAGS,
    RUN_SUFFIX,
    SEARCH_METRICS,
    Row,
    add_row,
    write_rows,
)

_BINS = 64
_MOST_PR_CURVES = 20  # with more classes there is only the one curve of all classes


class RunLog:
    """Writes one run's events and metrics.csv while it trains.

    rows     the epochs that the run resumes after; later events and rows are dropped, so that each step is there once
    names    each parameter's name in histograms; a parameter that is not in it has its own
    resumed  whether the events of all these epochs are there
    """

    def __init__(
        self, folder: Path, dataset: Dataset, rows: Sequence[Row] = (), names: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.rows = list(rows)
        self._dataset = dataset
        self._names = dict(names or {})
        folder.mkdir(parents=True, exist_ok=True)
        self.resumed = keep_epochs(folder, len(self.rows))
        write_rows(folder / "metrics.csv", self.rows)
        await_new_second(folder)
        # We flush after each epoch; the queue holds an epoch's events.
        self._writer = open_writer(folder, max_queue=1000, flush_secs=3600, filename_suffix=RUN_SUFFIX)

    def begin(
        self,
        settings: Mapping[str, Any],
        changes: Mapping[str, Any],
        values: dict[str, Hparam],
        group: str,
        model: nn.Module,
        shape: tuple[int, int, int],
    ) -> None:
        """Writes settings, the changes from the baseline, hparams and the graph.

        It also writes the scalars of earlier epochs again where their event files were corrupt. `shape` is channels,
        height, width.
        """
        self._writer.add_text("settings", settings_table(settings, "setting", "value"))
        self._writer.add_text(
            "changes", settings_table(changes, "changed", "to") if changes else "This is the baseline."
        )
        if numbered(self._dataset.classes):
            self._writer.add_text("classes", f"Numbers on pictures: {legend(self._dataset.classes)}.")
        self._add(session_start(values, group), 0)
        self._graph(model, shape, settings)
        for row in () if self.resumed else self.rows:
            self._scalars(row)
        self._writer.flush()

    def epoch(
        self,
        epoch: int,
        metrics: Row,
        weights: Mapping[str, torch.Tensor],
        gradients: Mapping[str, torch.Tensor],
        first_layer: torch.Tensor | None,
        val_logits: torch.Tensor,
    ) -> None:
        """Writes an epoch's scalars and histograms, and its pictures.

        Weights and gradients have the names of the model's parameters; `first_layer` is the weight of its first linear
        or convolution layer; `val_logits` are N x classes.
        """
        monitored = [key for key in MONITORED_SCALARS if key in metrics]
        self.rows.append({"epoch": epoch, **{key: metrics[key] for key in (*EPOCH_SCALARS, *monitored)}})
        add_row(self.folder / "metrics.csv", self.rows[-1])
        self._scalars(self.rows[-1])
        shown = {f"weights/{self._names.get(name, name)}": weight for name, weight in weights.items()}
        shown |= {f"weights-gradients/{self._names.get(name, name)}": each for name, each in gradients.items()}
        self._histograms(shown, epoch)
        self._pictures(When.SOMETIMES, Context(self._dataset, epoch, first_layer, {"val": val_logits}), epoch)
        self._writer.flush()

    def _scalars(self, row: Row) -> None:
        for key in (*MONITORED_SCALARS, *EPOCH_SCALARS):  # the last one ends an epoch, for readers
            if key in row:
                self._writer.add_scalar(key, row[key], int(row["epoch"]))

    def augmented(self, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> None:
        """Draws train images (uint8, N x H x W x C) as the network sees them in epoch 1, before normalization."""
        self._pictures(When.FIRST, Context(self._dataset, 1, augmented=Part(images, labels)), 1)

    def finish(self, metrics: Row, logits: dict[str, torch.Tensor], of_search: bool = False) -> None:
        """Writes the best epoch's metrics, by their names, and the final status; `logits` are part -> N x classes.

        What the best epoch's weights gave is at that epoch's step, so that it is beside the curves' values.
        """
        best = int(metrics["best_epoch"])
        self._results(metrics)
        if of_search:
            self._pruned(False, best)
        self._pictures(When.END, Context(self._dataset, best, logits=logits), best)
        self._pr_curves(logits["val"], best)
        self._end(succeeded=True)
        self.sync()
        write_rows(self.folder / "metrics.csv", self.rows)  # this time it is flushed to the disk

    def prune(self, metrics: Row, why: str) -> None:
        """Writes a pruned run's metrics so far, the search's reason as text, and the final status "unknown"."""
        self._results(metrics)
        self._pruned(True, int(metrics["best_epoch"]))
        self._writer.add_text("search/why", why, len(self.rows))
        self._end(succeeded=None)

    def fail(self, cause: str) -> None:
        """Writes the cause of a failure as text, and the final status."""
        self._writer.add_text("failure", cause, len(self.rows))
        self._end(succeeded=False)

    def sync(self) -> None:
        """Flushes all events to the disk."""
        self._writer.flush()
        for path in event_files(self.folder):
            sync(path)

    def close(self) -> None:
        """Closes the event file."""
        self._writer.close()

    def _results(self, metrics: Row) -> None:
        for name, tag in RESULT_TAGS.items():
            if name in metrics:
                self._writer.add_scalar(tag, metrics[name], int(metrics["best_epoch"]))

    def _pruned(self, pruned: bool, step: int) -> None:
        for tag in SEARCH_METRICS:
            self._writer.add_scalar(tag, float(pruned), step)

    def _end(self, succeeded: bool | None) -> None:
        self._add(session_end(succeeded, time.time()), len(self.rows))
        self._writer.close()

    def _add(self, summary: Any, step: int) -> None:
        self._writer._get_file_writer().add_summary(summary, step)

    def _pictures(self, when: When, context: Context, step: int) -> None:
        for tag, picture in drawn(when, context):
            self._image(tag, picture, step)

    def _image(self, tag: str, picture: npt.NDArray[np.uint8], step: int) -> None:
        height, width, _ = picture.shape
        image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=encoded(picture))
        self._add(Summary(value=[Summary.Value(tag=tag, image=image)]), step)

    def _histograms(self, tensors: Mapping[str, torch.Tensor], step: int) -> None:
        """Counts 64 bins in torch: this takes a third of the time and an eighth of the bytes of the default.

        The numbers of all tensors come from a GPU together, since it is asked twice only.
        """
        if not tensors:
            return
        flats = [values.detach().float().flatten() for values in tensors.values()]
        bounds = torch.stack([torch.stack(torch.aminmax(flat)) for flat in flats]).tolist()
        for number, pair in enumerate(bounds):
            if not np.isfinite(pair).all():  # show the finite values only
                flats[number] = flats[number][torch.isfinite(flats[number])]
                bounds[number] = [float(bound) for bound in torch.aminmax(flats[number])] if len(flats[number]) else []
        for pair in bounds:
            if pair and pair[0] == pair[1]:  # TensorBoard draws no bar of width 0
                wider = 1e-6 * max(1.0, abs(pair[0]))
                pair[:] = pair[0] - wider, pair[1] + wider
        shown = [(tag, flat, pair) for tag, flat, pair in zip(tensors, flats, bounds, strict=True) if pair]
        if not shown:
            return
        rows = [
            torch.cat([torch.stack([flat.sum(), flat.square().sum()]), torch.histc(flat, _BINS, *pair)])
            for _, flat, pair in shown
        ]
        for (tag, flat, (low, high)), (total, squares, *counts) in zip(shown, torch.stack(rows).tolist(), strict=True):
            self._writer.add_histogram_raw(
                tag, min=low, max=high, num=len(flat), sum=total, sum_squares=squares,
                bucket_limits=np.linspace(low, high, _BINS + 1)[1:].tolist(), bucket_counts=counts, global_step=step,
            )  # fmt: skip

    def _pr_curves(self, logits: torch.Tensor, step: int) -> None:
        labels, shares = self._dataset.val.labels, logits.softmax(1).numpy()
        classes = self._dataset.classes
        onehot = labels[:, None] == np.arange(len(classes))
        self._writer.add_pr_curve("best/all", onehot.ravel(), shares.ravel(), step)
        if len(classes) <= _MOST_PR_CURVES:
            for number, name in enumerate(classes):
                self._writer.add_pr_curve(f"best/{name}", onehot[:, number], shares[:, number], step)

    def _graph(self, model: nn.Module, shape: tuple[int, int, int], settings: Mapping[str, Any]) -> None:
        """Writes the model's graph, or a text where there is none. Runs whose models are alike have the same graph."""
        own = {name: settings.get(name) for name in ("model", "model_args")}
        key = json.dumps([own, shape, str(model)], sort_keys=True, default=str)
        if key not in _graphs:
            few = len(_graphs) < _MOST_GRAPHS
            _graphs[key] = _traced(model, shape) if few else f"No graph: {_MOST_GRAPHS} models were traced before it."
        if isinstance(found := _graphs[key], str):
            self._writer.add_text("graph", found)
        else:
            self._writer._get_file_writer().add_graph(found)


_graphs: dict[str, Any] = {}  # by model: its graph, or why there is none
_MOST_GRAPHS = 100  # in one process: torch keeps 0.6 MB of each model that it has traced


def _traced(model: nn.Module, shape: tuple[int, int, int]) -> Any:
    was_training = model.training
    device = next(model.parameters()).device
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer's warnings do not matter to users
            return graph(model.eval(), torch.zeros(1, *shape, device=device))
    except Exception as error:
        return f"No graph: the model could not be traced ({error})."
    finally:
        model.train(was_training)
