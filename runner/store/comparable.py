"""Which runs may be in one table: those of one state of code, data, versions and machine."""

from __future__ import annotations

from collections.abc import Sequence

from runner.expand.runs import SOURCE_SETTINGS
from runner.spec import dataset_label
from runner.spec.settings import neutral_values
from runner.store.provenance import Provenance, present_provenance, same_provenance
from runner.store.records import RunJson

_NEUTRAL = {key: value for key, value in neutral_values().items() if key in SOURCE_SETTINGS}


def comparable(runs: Sequence[RunJson]) -> list[bool]:
    """For each run whether it counts: one table has the runs of one state, never a mixture.

    The state is the present one. Where no run has it, or several have (data may have changed), it is the newest run's.
    Data that differ because settings differ (an image size) are no other state. Neither are models from different
    modules; of one module the newest run's state counts.
    """
    if not runs:
        return []
    chosen = max(runs, key=lambda run: (_is_present(run), run.ended or 0.0))
    same = [same_provenance(_shared(run), _shared(chosen)) for run in runs]
    candidates = [run for run, good in zip(runs, same, strict=True) if good]
    oldest_first = sorted(candidates, key=lambda run: run.ended or 0.0)
    latest = {_source(run): run.provenance.data for run in oldest_first}
    models = {_module(run): run.provenance.model for run in oldest_first}
    several, changed = set(), dict[str, float]()
    for run in candidates:
        if run.provenance.data != latest[_source(run)]:
            several.add(_source(run))
            changed[_dataset(run)] = max(changed.get(_dataset(run), 0.0), run.ended or 0.0)

    def counts(run: RunJson) -> bool:
        if run.provenance.data != latest[_source(run)] or run.provenance.model != models[_module(run)]:
            return False
        # In another image size the same change gives another fingerprint: there, only time tells.
        return _source(run) in several or run.started >= changed.get(_dataset(run), 0.0)

    return [good and counts(run) for run, good in zip(runs, same, strict=True)]


def what_changed(then: Provenance, now: Provenance) -> list[str]:
    """In words what differs between two provenances: "torch was 2.12.0, is 2.13.0"."""
    one, other = ({**made.plain(), **made.versions} for made in (then, now))
    return [
        f"{key} was {one.get(key)}, is {other.get(key)}"
        for key in (one | other)
        if key not in ("versions", "commit", "processor") and one.get(key) != other.get(key)
    ]


def _is_present(run: RunJson) -> bool:
    return same_provenance(_shared(run), _shared_part(present_provenance(str(run.provenance.device))))


def _shared(run: RunJson) -> Provenance:
    return _shared_part(run.provenance)


def _shared_part(made: Provenance) -> Provenance:
    """What all runs of one state have in common, whatever their data and models are."""
    return made.having(data=None, model=None)


def _module(run: RunJson) -> str:
    """The module of your own model; a built-in model's name."""
    return str(run.settings.get("model")).partition(":")[0]


def _dataset(run: RunJson) -> str:
    """As in a run's digest: the folder's path is no part of it."""
    return dataset_label(str(run.settings.get("dataset")))


def _source(run: RunJson) -> str:
    """Which images; a setting that an older run.json has not is neutral."""
    settings = _NEUTRAL | run.settings
    return repr([_dataset(run), *(settings[key] for key in _NEUTRAL)])
