"""Settings of adopted variants: what their runs logged as hparams, without seeds and what differs between seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runner.adopt._runs import LoggedRun
from runner.board.anyruns import is_place, is_seed
from runner.events import Hparam
from runner.spec import BASELINE
from runner.text import one_line

_NAMED = 5  # hparams in a sentence
_WHOLE = 2.0**53  # below it a float is exact


def settings_of(runs: Iterable[LoggedRun], names: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Returns each variant's settings, by its name in the study: the hparams that all its runs share.

    `names` are those of the study by those in the logs. Where two variants have the same hparams, or none, the settings
    have `variant`, too: its name in the logs.
    """
    found: dict[str, list[Mapping[str, Hparam]]] = {}
    for run in runs:
        found.setdefault(run.variant, []).append(run.hparams)
    settings = {names[variant]: _shared(found.get(variant, ())) for variant in names}
    ran = [settings[names[variant]] for variant in found]
    tell = all(ran) and len({repr(sorted(each.items())) for each in ran}) == len(ran)
    return settings if tell else {own: settings[own] | {"variant": each} for each, own in names.items()}


def _shared(runs: Sequence[Mapping[str, Hparam]]) -> dict[str, Any]:
    first = runs[0] if runs else {}
    return {key: _plain(value) for key, value in first.items()
            if not is_seed(key) and all(key in run and run[key] == value for run in runs)}  # fmt: skip


def _plain(value: Hparam) -> Hparam | int:
    """Returns whole numbers as such: TensorBoard stores them as floats."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE else value


def changes_of(settings: Mapping[str, Mapping[str, Any]], variant: str) -> dict[str, Any]:
    """Returns the settings in which a variant differs from the baseline; what it lacks is None."""
    mine, other = settings[variant], settings[BASELINE]
    missing = object()
    return {key: mine.get(key) for key in (*mine, *(each for each in other if each not in mine))
            if mine.get(key, missing) != other.get(key, missing)}  # fmt: skip


def varying(runs: Iterable[LoggedRun]) -> list[str]:
    """Says which hparams differ between the seeds of a variant, so that they are no settings."""
    values: dict[tuple[str, str], set[object]] = {}
    for run in runs:
        for key, value in run.hparams.items():
            values.setdefault((run.variant, key), set()).add(value)
    keys = dict.fromkeys(
        key for (_, key), own in values.items() if len(own) > 1 and not is_seed(key) and not is_place(key)
    )
    if not keys:
        return []
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    named = ", ".join(map(one_line, list(keys)[:_NAMED]))
    return [f"Hparams that differ between the seeds of a variant are no settings: {named}{more}."]
