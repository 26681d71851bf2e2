"""Decides which runs are comparable: those with the same code, data, versions and machine type."""

from __future__ import annotations

from collections.abc import Sequence

from runner.expand import SOURCE_SETTINGS
from runner.spec import OWN_CODE, dataset_label, neutral_values
from runner.store._provenance import Provenance, present_provenance, same_provenance
from runner.store._records import RunJson

_NEUTRAL = {key: value for key, value in neutral_values().items() if key in SOURCE_SETTINGS}


def comparable(runs: Sequence[RunJson]) -> list[bool]:
    """Returns for each run whether it counts: one table has runs of one provenance, never a mixture.

    The present provenance counts. Where no run has it, or where data or own code have changed among the runs that have
    it, the newest run's provenance counts. Data that differ because of settings, such as the image size, are
    comparable. So is own code from different modules; for each module the newest run's version counts.
    """
    if not runs:
        return []
    chosen = max(runs, key=lambda run: (_is_present(run), run.ended or 0.0))
    same = [same_provenance(_shared(run), _shared(chosen)) for run in runs]
    candidates = [run for run, good in zip(runs, same, strict=True) if good]
    oldest_first = sorted(candidates, key=lambda run: run.ended or 0.0)
    latest = {_source(run): run.provenance.data for run in oldest_first}
    own = {_module(run, key): getattr(run.provenance, key) for key in OWN_CODE for run in oldest_first}
    several, changed = set(), dict[str, float]()
    for run in candidates:
        if run.provenance.data != latest[_source(run)]:
            several.add(_source(run))
            changed[_dataset(run)] = max(changed.get(_dataset(run), 0.0), run.ended or 0.0)

    def counts(run: RunJson) -> bool:
        if run.provenance.data != latest[_source(run)]:
            return False
        if any(getattr(run.provenance, key) != own[_module(run, key)] for key in OWN_CODE):
            return False
        # A change of the data gives other fingerprints in another image size. There, only the run's time shows it.
        return _source(run) in several or run.started >= changed.get(_dataset(run), 0.0)

    return [good and counts(run) for run, good in zip(runs, same, strict=True)]


def what_changed(then: Provenance, now: Provenance) -> list[str]:
    """Says what differs between two provenances, such as "torch was 2.12.0, is 2.13.0"."""
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
    """Returns a provenance without data and own code, which may differ between comparable runs."""
    return made.having(data=None, **dict.fromkeys(OWN_CODE))


def _module(run: RunJson, key: str) -> tuple[str, str]:
    """Returns a setting's name and the module of your own code, or a built-in name."""
    return key, str(run.settings.get(key)).partition(":")[0]


def _dataset(run: RunJson) -> str:
    """Returns the data set as a run's digest names it, without the folder's path."""
    return dataset_label(str(run.settings.get("dataset")))


def _source(run: RunJson) -> str:
    """Identifies a run's images by its settings. A setting that an older run.json lacks has its neutral value."""
    settings = _NEUTRAL | run.settings
    return repr([_dataset(run), *(settings[key] for key in _NEUTRAL)])
