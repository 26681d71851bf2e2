"""The charts of TensorBoard's custom scalars."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.custom_scalar import layout_pb2, metadata

from runner.metrics import CURVES
from runner.store import DIVERGED_LOSS, SEEDS_TAG, mean_tag

_SHOWN = ("val/accuracy", "val/loss", "train/accuracy", "train/loss", "generalization_gap")


def charts_summary(ours: bool, own: Collection[str], diverged: bool) -> Any:
    """Returns the summary with the charts of the means: with their intervals, then train against validation.

    Tags are patterns that TensorBoard matches from the start, so a $ ends them. TensorBoard draws the charts of a
    category that has intervals in reverse order.

    ours      whether there are runs that the runner trains
    own       the names of the metrics that studies with their own training report
    diverged  whether some variants' losses have charts of their own
    """
    shown = {name: CURVES[name].label for name in _SHOWN} if ours else {}
    shown |= {name: name for name in own if name not in shown}
    categories = [("Mean over seeds, 95% interval", [_margin(label, name) for name, label in reversed(shown.items())])]
    if ours:
        pairs = [
            _lines(name, [mean_tag(f"train_eval/{name}"), mean_tag(f"val/{name}")]) for name in ("accuracy", "loss")
        ]
        categories.append(("Train against validation", pairs))
    categories.append(("Number of seeds in the mean", [_lines("seeds", [SEEDS_TAG])]))
    if diverged:
        alone = [_lines(CURVES[name].label, [mean_tag(name, diverged=True)]) for name in ("val/loss", "train/loss")]
        categories.append((f"Variants with a loss above {DIVERGED_LOSS:.0f}", alone))
    layout = layout_pb2.Layout(category=[layout_pb2.Category(title=title, chart=own) for title, own in categories])
    content = TensorProto(
        dtype="DT_STRING", string_val=[layout.SerializeToString()], tensor_shape=TensorShapeProto()
    )  # fmt: skip
    about = metadata.create_summary_metadata()
    return Summary(value=[Summary.Value(tag=metadata.CONFIG_SUMMARY_TAG, tensor=content, metadata=about)])


def _margin(title: str, name: str) -> Any:
    series = layout_pb2.MarginChartContent.Series(
        value=mean_tag(name), lower=mean_tag(name, "lower"), upper=mean_tag(name, "upper")
    )
    return layout_pb2.Chart(title=title, margin=layout_pb2.MarginChartContent(series=[series]))


def _lines(title: str, tags: Sequence[str]) -> Any:
    return layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=[f"{tag}$" for tag in tags]))
