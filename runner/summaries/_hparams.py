"""The one list of columns of TensorBoard's hparams: the settings of all runs, and their metrics."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from tensorboard.plugins.hparams import plugin_data_pb2, summary_v2

from runner.events import Hparam, hparams
from runner.store import HPARAM_METRICS, OLDER_HPARAM_METRICS, OLDER_SEARCH_METRICS, SEARCH_METRICS, result_tag

_SHOWN_VALUES = 50  # a column with more values gets a range instead of check boxes


def search_sessions(search: Mapping[str, Any], study: str, variants: int) -> list[dict[str, Hparam]]:
    """Returns sessions that have every value a search (plain data) may choose, before it has chosen any."""
    sessions = [hparams(search["baseline"], study, f"{number:04d}") for number in range(variants)]
    for key, space in search["space"].items():
        for values in space.values():
            sessions += [hparams({key: value}, study, "0000") for value in values]
    return sessions


def experiment(
    sessions: Iterable[Mapping[str, Hparam]],
    ranges: Collection[str] | None,
    ours: bool,
    own: Iterable[str],
    older_runs: bool,
) -> Any:
    """Returns the one summary that names all columns and their values; it belongs in the root run.

    ranges      the columns in which searches may choose any number between the values; None where no search ran
    ours        whether there are runs that the runner trains
    own         the names of the metrics that studies with their own training report
    older_runs  whether there are runs of older versions, whose metrics have other tags and so columns of their own
    """
    domains: dict[str, set[Hparam]] = {}
    for session in sessions:
        for key, value in session.items():
            domains.setdefault(key, set()).add(value)
    columns = [summary_v2.HParam(key, _domain(values, key in (ranges or ()))) for key, values in domains.items()]
    tags = (HPARAM_METRICS if ours else {}) | (SEARCH_METRICS if ranges is not None else {})
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
