"""Reads scalars and hparams through TensorBoard's data provider, whichever server it belongs to."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from tensorboard.data.provider import RunTagFilter

from runner.board.anyruns._grouping import Grouping

POINTS = 1000  # of a time series, as TensorBoard's own charts read them
_SCALARS, _HPARAMS = "scalars", "hparams"
_CACHED_POINTS = 4_000_000  # 16 bytes each


class Provider(Protocol):
    """The part of tensorboard.data.provider.DataProvider that is used."""

    def list_scalars(self, ctx: Any, *, experiment_id: str, plugin_name: str) -> Any:
        """Returns run to tag to a time series' largest step and wall time."""

    def read_scalars(
        self, ctx: Any, *, experiment_id: str, plugin_name: str, downsample: int, run_tag_filter: Any
    ) -> Any:
        """Returns run to tag to a list of points."""

    def list_tensors(self, ctx: Any, *, experiment_id: str, plugin_name: str) -> Any:
        """Returns run to tag to a time series' metadata."""


class Source(NamedTuple):
    """Where a time series is: a directory, and the tag there."""

    run: str
    tag: str


class Stamp(NamedTuple):
    """What changes when a time series grows: its largest step, and its latest wall time in seconds since 1970."""

    step: int
    wall: float


Listing = Mapping[Source, Stamp]


@dataclass(frozen=True)
class Series:
    """A run's values of one tag: steps ascend and are unique; a value may be nan or infinite. Both have shape n."""

    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


class Logs:
    """One experiment's logs as one request sees them."""

    def __init__(self, provider: Provider, context: Any, experiment_id: str) -> None:
        self._provider, self._context, self.experiment_id = provider, context, experiment_id

    def listing(self) -> dict[Source, Stamp]:
        """Lists all time series of scalars."""
        found = self._provider.list_scalars(self._context, experiment_id=self.experiment_id, plugin_name=_SCALARS)
        return {
            Source(run, tag): Stamp(int(series.max_step or 0), float(series.max_wall_time or 0.0))
            for run, tags in found.items()
            for tag, series in tags.items()
        }

    def read(self, sources: Collection[Source]) -> dict[Source, Series]:
        """Reads time series in one call."""
        if not sources:
            return {}
        wanted = RunTagFilter(runs=list({each.run for each in sources}), tags=list({each.tag for each in sources}))
        found = self._provider.read_scalars(
            self._context, experiment_id=self.experiment_id, plugin_name=_SCALARS, downsample=POINTS,
            run_tag_filter=wanted,
        )  # fmt: skip
        return {
            source: series_of(found[source.run][source.tag])
            for source in sources
            if source.tag in found.get(source.run, {})
        }

    def hparams(self) -> dict[str, list[bytes]]:
        """Returns what the hparams plugin stored about each run."""
        found = self._provider.list_tensors(self._context, experiment_id=self.experiment_id, plugin_name=_HPARAMS)
        return {run: [series.plugin_content for series in tags.values()] for run, tags in (found or {}).items()}


def series_of(points: Sequence[Any]) -> Series:
    """Returns points as a series. Of several at one step, as after a resume, the one written last counts."""
    steps = np.array([point.step for point in points], dtype=np.int64)
    walls = np.array([point.wall_time for point in points], dtype=float)
    values = np.array([point.value for point in points], dtype=float)
    order = np.lexsort((walls, steps))
    steps, values = steps[order], values[order]
    last = np.append(steps[1:] != steps[:-1], True) if len(steps) else np.array([], dtype=bool)
    return Series(steps[last], values[last])


class SeriesCache:
    """Keeps what was read, so that a refresh reads only time series that grew. Threads may share it."""

    def __init__(self, most_points: int = _CACHED_POINTS) -> None:
        self._most, self._points = most_points, 0
        self._kept: OrderedDict[tuple[str, Source], tuple[Stamp, Series]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, logs: Logs, listing: Listing, sources: Iterable[Source]) -> dict[Source, Series]:
        """Returns these time series; those that the listing has not are skipped."""
        wanted = [source for source in dict.fromkeys(sources) if source in listing]
        found: dict[Source, Series] = {}
        with self._lock:
            for source in wanted:
                kept = self._kept.get((logs.experiment_id, source))
                if kept and kept[0] == listing[source]:
                    self._kept.move_to_end((logs.experiment_id, source))
                    found[source] = kept[1]
        fresh = logs.read([source for source in wanted if source not in found])
        with self._lock:
            for source, series in fresh.items():
                self._keep((logs.experiment_id, source), listing[source], series)
        return found | fresh

    def _keep(self, key: tuple[str, Source], stamp: Stamp, series: Series) -> None:
        if old := self._kept.pop(key, None):
            self._points -= len(old[1].steps)
        self._kept[key] = (stamp, series)
        self._points += len(series.steps)
        while self._points > self._most and len(self._kept) > 1:
            _, (_, oldest) = self._kept.popitem(last=False)
            self._points -= len(oldest.steps)


def sources(grouping: Grouping, listing: Listing) -> dict[str, dict[str, dict[str, Source]]]:
    """Returns tag to variant to seed to time series. Where parts of a run have one tag twice, the first part's counts.

    A part's prefix begins its tags, except where they begin so already.
    """
    by_run: dict[str, list[str]] = {}
    for source in listing:
        by_run.setdefault(source.run, []).append(source.tag)
    found: dict[str, dict[str, dict[str, Source]]] = {}
    for variant, seeds in grouping.variants.items():
        for seed, member in seeds.items():
            for part in member.parts:
                lead = f"{part.prefix}/" if part.prefix else ""
                for tag in by_run.get(part.run, ()):
                    full = tag if tag.startswith(lead) else lead + tag
                    found.setdefault(full, {}).setdefault(variant, {}).setdefault(seed, Source(part.run, tag))
    return found
