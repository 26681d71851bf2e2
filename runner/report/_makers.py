"""Describes what made a report's runs (versions, code, data, machine), and which runs are not counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from runner.spec import OWN_CODE
from runner.store import Provenance, same_provenance
from runner.text import counted, duration, escaped
from runner.typed import command

_MOST_NAMED = 12
Provenances = Sequence[Provenance]


def not_counted_note(count: int, again: str) -> str:
    """How many runs are not counted, and how they are retrained (`again`). Empty where all count."""
    if not count:
        return ""
    runs, are, them = (f"{count} runs were", "they are", "them") if count > 1 else ("1 run was", "it is", "it")
    return (
        f"{runs} made by other code, data or versions than the counted runs, so {are} not counted. "
        f"To retrain {them}: {again}. To remove {them}: {command('prune', make='make prune')}."
    )


def corrupt_note(files: Sequence[Path]) -> str:
    """Which files are not what their runs wrote: those runs are not counted. Empty where there are none."""
    if not files:
        return ""
    named = ", ".join(map(str, files[:_MOST_NAMED])) + (" and others" if len(files) > _MOST_NAMED else "")
    return f"These files are corrupt, so their runs are not counted: {named}. The same command retrains the runs."


def spent(runs: pd.DataFrame) -> str:
    """A sentence: how long runs trained, and on which days (UTC) they ended. `runs` has a row a run."""
    days = sorted({stamp[:10] for stamp in runs["ended"] if stamp})
    dates = f"; they ended on {' to '.join(dict.fromkeys((days[0], days[-1])))} (UTC)" if days else ""
    if "seconds" not in runs:  # your own training
        return f"Runs{dates.removeprefix('; they')}" if dates else "It is not known when the runs ended"
    return f"Training took {duration(float(runs['seconds'].sum()))}, summed over the runs{dates}"


def made_by(used: Provenances, not_counted: Provenances) -> list[str]:
    """A line for the state that made the counted runs, and one for each state that made others."""
    lines = [_line(kind) for kind in _kinds(_together(used))]
    return lines + [f"{_line(kind)} (not counted: {counted(len(kind), 'run')})" for kind in _kinds(not_counted)]


def _together(used: Provenances) -> Provenances:
    """Data that differ only by their settings (an image size), and your own code, share one line."""
    found = {key: sorted({str(each) for made in used if (each := getattr(made, key))}) for key in ("data", *OWN_CODE)}
    return [made.having(**{key: " and ".join(names) for key, names in found.items() if names}) for made in used]


def _kinds(provenances: Provenances) -> list[Provenances]:
    kinds: list[list[Provenance]] = []
    for made in provenances:
        known = next((kind for kind in kinds if same_provenance(kind[0], made)), None)
        if known is None:
            kinds.append([made])
        else:
            known.append(made)
    return list(kinds)


def _line(same: Provenances) -> str:
    kind = same[0]
    if not kind.plain():
        return "- made by another program, whose code, data and versions are not known"
    versions = ", ".join(f"{name} {version}" for name, version in kind.versions.items() if version)
    commits, processors = (
        ", ".join(dict.fromkeys(str(getattr(made, key) or "unknown") for made in same))
        for key in ("commit", "processor")
    )
    if kind.code:
        ours = f"code {kind.code}, data {kind.data}, "
        own = "".join(f"own {key} {made}, " for key in OWN_CODE if (made := getattr(kind, key)))
    else:
        ours, own = "", f"your training's code {kind.model}, " if kind.model else ""
    return "- " + escaped(
        f"commit {commits}, {ours}{own}{kind.machine}, "
        f"{processors}, {kind.device}, {kind.threads} thread per worker; {versions}"
    )
