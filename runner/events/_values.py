"""Events with scalars, texts and other summaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.text import metadata

from runner.events._scalars import Steps


def scalar_events(scalars: Mapping[str, Steps], walls: Mapping[int, float], wall: float) -> Iterator[Event]:
    """Yields events with these scalars: one event a step, in order.

    `walls` says when a step was written (seconds since 1970); `wall` is for the other steps.
    """
    by_step: dict[int, list[Summary.Value]] = {}
    for tag, steps in scalars.items():
        for step, number in steps.items():
            by_step.setdefault(step, []).append(Summary.Value(tag=tag, simple_value=number))
    for step, values in sorted(by_step.items()):
        yield summary_event(Summary(value=values), step, walls.get(step, wall))


def summary_event(summary: Summary, step: int, wall: float) -> Event:
    """Returns the event of a summary at a step; `wall` is in seconds since 1970."""
    return Event(wall_time=wall, step=step, summary=summary)


def text_summary(tag: str, text: str) -> Summary:
    """Returns a text in Markdown, as `SummaryWriter.add_text` writes it."""
    plugin = SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME)
    tensor = TensorProto(
        dtype="DT_STRING", string_val=[text.encode("utf-8")],
        tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
    )  # fmt: skip
    name = f"{tag}/text_summary"
    return Summary(value=[Summary.Value(tag=name, metadata=SummaryMetadata(plugin_data=plugin), tensor=tensor)])
