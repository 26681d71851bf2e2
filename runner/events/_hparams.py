"""TensorBoard's hparams of a run: each setting is a column, each variant a session group of seeds.

We do not use `SummaryWriter.add_hparams`: it opens a second run in a folder named by the time, stores booleans as
floats, and cannot group seeds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2, summary_v2

Hparam = str | float | bool


@dataclass(frozen=True)
class SessionStart:
    """What a run said when it started: its group (TensorBoard's session group, may be empty) and its hparams."""

    group: str
    values: Mapping[str, Hparam]


def hparams(settings: Mapping[str, Any], study: str, variant: str) -> dict[str, Hparam]:
    """Returns settings (plain data) as hparams, so that each has one type; lists, dicts and sizes become text."""
    values: dict[str, Hparam] = {"study": _text(study), "variant": _text(variant)}
    for key, value in settings.items():
        if key in ("image_size", "channels"):  # they may be a word or a number
            values[key] = str(value)
        elif isinstance(value, (bool, int, float)):
            values[key] = value if isinstance(value, bool) else float(value)
        else:
            values[key] = _text(value if isinstance(value, str) else json.dumps(value))
    return values


def _text(value: str) -> str:
    """Escapes what UTF-8 can't encode: a directory's name may be any bytes."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def session_start(values: dict[str, Hparam], group: str) -> Any:
    """Returns the summary that makes a run's directory a session of `group`."""
    return summary_v2.hparams_pb(values, trial_id=group)


def session_end(succeeded: bool | None, when: float) -> Any:
    """Returns the summary of a run's final status and its time (seconds since 1970).

    Where `succeeded` is None, the run was pruned: its status is "unknown", so that it can be filtered. TensorBoard
    keeps the first status that it reads, so a run writes it exactly once.
    """
    statuses = {True: api_pb2.STATUS_SUCCESS, False: api_pb2.STATUS_FAILURE, None: api_pb2.STATUS_UNKNOWN}
    status = statuses[succeeded]
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=when)
    content = plugin_data_pb2.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, session_end_info=end)
    plugin = SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME, content=content.SerializeToString())
    value = Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=SummaryMetadata(plugin_data=plugin))
    value.tensor.CopyFrom(metadata.NULL_TENSOR)
    return Summary(value=[value])


def read_session_start(content: bytes) -> SessionStart | None:
    """Reads what the hparams plugin stored with a tag; None where that is no start of a session."""
    try:
        data = plugin_data_pb2.HParamsPluginData.FromString(content)
    except DecodeError:
        return None
    if not data.HasField("session_start_info"):
        return None
    start = data.session_start_info
    return SessionStart(start.group_name, {key: _plain(value) for key, value in start.hparams.items()})


def _plain(value: Any) -> Hparam:
    kind = value.WhichOneof("kind")
    plain = getattr(value, kind) if kind in ("string_value", "number_value", "bool_value") else ""
    return plain if isinstance(plain, str | float | bool) else ""
