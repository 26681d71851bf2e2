"""Which runs may stand in one table: those of one state of code, data, versions and machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from runner.data import load
from runner.execute.messages import Command
from runner.execute.provenance import own_model, provenance, same_makers
from runner.expand import Run
from runner.expand.runs import SOURCE_SETTINGS
from runner.logs.rundir import RunDir
from runner.spec import dataset_label
from runner.spec.settings import neutral_values

Identity = dict[str, Any]  # what a run.json says
_NEUTRAL = {key: value for key, value in neutral_values().items() if key in SOURCE_SETTINGS}


def of_one_maker(identities: Sequence[Identity]) -> list[bool]:
    """For each run whether it counts: one table has the runs of one state, never a mixture.

    The state is the present one, or where no run has it (or several have: data may have changed), that of the
    newest run. Data that differ because settings say so (an image size) are no other state, nor are models of
    several modules; of one module the newest run's state counts.
    """
    if not identities:
        return []
    chosen = max(identities, key=lambda each: (_is_present(each), _time(each, "ended")))
    same = [same_makers(_shared(each), _shared(chosen)) for each in identities]
    candidates = [each for each, good in zip(identities, same, strict=True) if good]
    oldest_first = sorted(candidates, key=lambda each: _time(each, "ended"))
    latest = {_source(each): _data(each) for each in oldest_first}
    models = {_module(each): _model(each) for each in oldest_first}
    several, changed = set(), dict[str, float]()
    for each in candidates:
        if _data(each) != latest[_source(each)]:
            several.add(_source(each))
            changed[_dataset(each)] = max(changed.get(_dataset(each), 0.0), _time(each, "ended"))

    def counts(each: Identity) -> bool:
        if _data(each) != latest[_source(each)] or _model(each) != models[_module(each)]:
            return False
        # In another image size the same change gives another fingerprint: there, only time tells.
        return _source(each) in several or _time(each, "started") >= changed.get(_dataset(each), 0.0)

    return [good and counts(each) for each, good in zip(identities, same, strict=True)]


def what_changed(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """In words what differs between two provenances: "torch was 2.12.0, is 2.13.0"."""
    one, other = (dict(made) | dict(made.get("versions") or {}) for made in (then, now))
    return [
        f"{key} was {one.get(key)}, is {other.get(key)}"
        for key in (one | other)
        if key not in ("versions", "commit", "processor") and one.get(key) != other.get(key)
    ]


def others_note(runs: Iterable[Run], command: Command, data: Callable[[Run], Path], again: str) -> str:
    """What a person must know before training: which of these ended runs other code, data or versions made, and how
    they are made anew.

    `data` gives a run's prepared data. Empty where there are no such runs.
    """
    own_model.cache_clear()  # a notebook's earlier command may have looked; the workers import people's models anew
    fingerprints: dict[Path, str] = {}
    changes: list[str] = []
    count = 0
    for run in runs:
        identity = RunDir(command.runs / run.folder).identity()
        folder = data(run)
        if folder not in fingerprints:
            fingerprints[folder] = load(folder).fingerprint
        now = command.provenance | {"data": fingerprints[folder]} | own_model(run.variant.settings.model)
        if identity and not same_makers(identity["provenance"], now):
            count += 1
            changes += what_changed(identity["provenance"], now)
    if not count:
        return ""
    head = "1 run that is done was" if count == 1 else f"{count} runs that are done were"
    return (
        f"{head} made by other code, data or versions "
        f"({'; '.join(dict.fromkeys(changes))}). A report never mixes them with others: it counts the present state's "
        f"runs as soon as there are any. {again}"
    )


def _is_present(identity: Identity) -> bool:
    made = _shared(identity)
    return same_makers(made, provenance(str(made.get("device"))) | {"data": None, "model": None})


def _shared(identity: Identity) -> dict[str, Any]:
    """What all runs of one state have in common, whatever their data and models are."""
    return dict(identity["provenance"]) | {"data": None, "model": None}


def _data(identity: Identity) -> str:
    return str(identity["provenance"].get("data"))


def _model(identity: Identity) -> str:
    return str(identity["provenance"].get("model"))


def _module(identity: Identity) -> str:
    """Whose file a model of somebody's own stands in; a built-in model's name."""
    return str(identity["settings"].get("model")).partition(":")[0]


def _dataset(identity: Identity) -> str:
    """As in a run's identity: where a folder lies is no part of it."""
    return dataset_label(str(identity["settings"].get("dataset")))


def _source(identity: Identity) -> str:
    """Which images; a setting that an older run.json has not is neutral."""
    settings = _NEUTRAL | identity["settings"]
    return repr([_dataset(identity), *(settings[key] for key in _NEUTRAL)])


def _time(identity: Identity, key: str) -> float:
    """Seconds since 1970; 0 where there is none that can be read."""
    value = identity.get(key)
    return float(value) if isinstance(value, (int, float)) else 0.0
