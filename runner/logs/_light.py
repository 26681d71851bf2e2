"""Writes event files without torch, whose import takes seconds: what summarizes runs, beside their own events."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as custom_scalars
from tensorboard.plugins.text import metadata as texts

from runner.files import replace
from runner.logs._events import write_record

_COUNT = itertools.count()


def write_events(folder: Path, summaries: Iterable[tuple[int, Any]], suffix: str = "") -> None:
    """Writes summaries, each with its step, to a new event file of a folder, whole or not at all."""
    now = time.time()
    events = [Event(wall_time=now, file_version="brain.Event:2")]
    events += [Event(wall_time=now, step=step, summary=summary) for step, summary in summaries]
    # The name that SummaryWriter gives: TensorBoard wants its beginning, `event_files` sorts by its numbers.
    name = f"events.out.tfevents.{int(now):010d}.{socket.gethostname()}.{os.getpid()}.{next(_COUNT)}{suffix}"
    folder.mkdir(parents=True, exist_ok=True)

    def write(path: Path) -> None:
        with open(path, "wb") as file:
            for event in events:
                write_record(file, event.SerializeToString())

    replace(folder / name, write)


def scalars(values: Mapping[str, float]) -> Any:
    """Returns the summary of scalars by their tags."""
    return Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])


def text(tag: str, markdown: str) -> Any:
    """Returns the summary of a text; the tag ends as the one that SummaryWriter gives."""
    return _string(f"{tag}/text_summary", texts.PLUGIN_NAME, markdown.encode("utf-8", "backslashreplace"), [1])


def custom_charts(layout: Mapping[str, Mapping[str, tuple[str, list[str]]]]) -> Any:
    """Returns the summary of the charts on the page Custom Scalars: category -> title -> kind and tags.

    A chart of the kind "Margin" has a value, a lower and an upper bound; one of "Multiline" has any tags.
    """
    categories = [
        layout_pb2.Category(title=category, chart=[_chart(title, *chart) for title, chart in charts.items()])
        for category, charts in layout.items()
    ]
    content = layout_pb2.Layout(category=categories).SerializeToString()
    return _string(custom_scalars.CONFIG_SUMMARY_TAG, custom_scalars.PLUGIN_NAME, content, [])


def _chart(title: str, kind: str, tags: list[str]) -> Any:
    if kind == "Multiline":
        return layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=tags))
    value, lower, upper = tags
    series = layout_pb2.MarginChartContent.Series(value=value, lower=lower, upper=upper)
    return layout_pb2.Chart(title=title, margin=layout_pb2.MarginChartContent(series=[series]))


def _string(tag: str, plugin: str, content: bytes, shape: list[int]) -> Any:
    dimensions = [TensorShapeProto.Dim(size=size) for size in shape]
    tensor = TensorProto(dtype="DT_STRING", string_val=[content], tensor_shape=TensorShapeProto(dim=dimensions))
    data = SummaryMetadata.PluginData(plugin_name=plugin)
    return Summary(value=[Summary.Value(tag=tag, tensor=tensor, metadata=SummaryMetadata(plugin_data=data))])
