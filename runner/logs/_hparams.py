"""Writes TensorBoard's hparams: each setting is a column, each variant a session group of seeds.

We do not use `SummaryWriter.add_hparams`: it opens a second run in a folder named by the time, stores booleans as
floats, and cannot group seeds.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2, summary_v2

from runner.store import HPARAM_METRICS, OLDER_HPARAM_METRICS, OLDER_SEARCH_METRICS, SEARCH_METRICS, result_tag

Hparam = str | float | bool
_SHOWN_VALUES = 50  # a column with more values gets a range instead of check boxes


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


def search_sessions(search: Mapping[str, Any], study: str, variants: int) -> list[dict[str, Hparam]]:
    """Returns sessions that have every value a search (plain data) may choose, before it has chosen any."""
    sessions = [hparams(search["baseline"], study, f"{number:04d}") for number in range(variants)]
    for key, space in search["space"].items():
        for values in space.values():
            sessions += [hparams({key: value}, study, "0000") for value in values]
    return sessions


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


def experiment(
    sessions: Iterable[Mapping[str, Hparam]],
    ranges: Collection[str] | None = None,
    older_runs: bool = False,
    own: Iterable[str] = (),
) -> Any:
    """Returns the one summary that names all columns and their values; it belongs in the root run.

    ranges      the columns in which searches may choose any number between the values; None where no search ran
    older_runs  whether there are runs of older versions, whose metrics have other tags and so columns of their own
    own         the names of the metrics that studies with their own training report
    """
    domains: dict[str, set[Hparam]] = {}
    for session in sessions:
        for key, value in session.items():
            domains.setdefault(key, set()).add(value)
    columns = [summary_v2.HParam(key, _domain(values, key in (ranges or ()))) for key, values in domains.items()]
    tags = HPARAM_METRICS | (SEARCH_METRICS if ranges is not None else {})
    tags |= {tag: name for name in own if (tag := result_tag(name)) not in tags}
    if older_runs:
        tags |= OLDER_HPARAM_METRICS | (OLDER_SEARCH_METRICS if ranges is not None else {})
    metrics = [summary_v2.Metric(tag, display_name=name) for tag, name in tags.items()]
    summary = summary_v2.hparams_config_pb(hparams=columns, metrics=metrics)
    plugin = summary.value[0].metadata.plugin_data
    content = plugin_data_pb2.HParamsPluginData.FromString(plugin.content)
    for column in content.experiment.hparam_infos:  # TensorBoard shows the columns that differ first
        column.differs = len(domains[column.name]) > 1
    plugin.content = content.SerializeToString()
    return summary


def _domain(values: set[Hparam], is_range: bool) -> Any:
    kinds = {type(value) for value in values}
    if len(kinds) > 1:  # only directories that the runner did not write have mixed types
        return None
    if kinds == {float} and (is_range or len(values) > _SHOWN_VALUES):
        return summary_v2.RealInterval(min(values), max(values))
    return summary_v2.Discrete(sorted(values))
