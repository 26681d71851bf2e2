"""What made a report's runs, in words: versions, code, data and machine; and which runs it leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from runner.store.provenance import Provenance, same_provenance
from runner.text import duration, escaped

_MOST_NAMED = 12
Provenances = Sequence[Provenance]


def left_out_note(count: int, again: str) -> str:
    """How many runs a table leaves out, and how they are made anew; nothing where it leaves out none."""
    if not count:
        return ""
    runs, them = (f"{count} runs were", "them") if count > 1 else ("1 run was", "it")
    return (
        f"{runs} made by other code, data or versions than the runs that count here, and left out: {again} makes "
        f"{them} anew, make prune removes {them}."
    )


def spoilt_note(files: Sequence[Path]) -> str:
    """Which files are not what their runs wrote, if any: those runs do not count."""
    if not files:
        return ""
    named = ", ".join(map(str, files[:_MOST_NAMED])) + (" and others" if len(files) > _MOST_NAMED else "")
    return f"Spoilt, so that these runs are left out: {named}; the same command makes them anew."


def spent(runs: pd.DataFrame) -> str:
    """How long runs trained and on which days (UTC) they ended, as a clause; the rows of a study's or search's runs."""
    days = sorted({stamp[:10] for stamp in runs["ended"] if stamp})
    dates = f"; {' to '.join(dict.fromkeys((days[0], days[-1])))} (UTC)" if days else ""
    return f"{duration(float(runs['seconds'].sum()))} of training in all, added over the runs{dates}"


def made_by(counted: Provenances, left_out: Provenances) -> list[str]:
    """A line for the state that made the runs that count, and one for each that made others."""
    lines = [_line(kind) for kind in _kinds(_together(counted))]
    return lines + [f"{_line(kind)} (left out: {len(kind)} runs)" for kind in _kinds(left_out)]


def _together(counted: Provenances) -> Provenances:
    """Data that differ by their settings alone (an image size), and people's own models, are named in one line."""
    found = {key: sorted({str(each) for made in counted if (each := getattr(made, key))}) for key in ("data", "model")}
    return [made.having(**{key: " and ".join(names) for key, names in found.items() if names}) for made in counted]


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
    versions = ", ".join(f"{name} {version}" for name, version in kind.versions.items() if version)
    commits, processors = (
        ", ".join(dict.fromkeys(str(getattr(made, key) or "unknown") for made in same))
        for key in ("commit", "processor")
    )
    own = f"own model {kind.model}, " if kind.model else ""
    return "- " + escaped(
        f"commit {commits}, code {kind.code}, data {kind.data}, {own}{kind.machine}, "
        f"{processors}, {kind.device}, {kind.threads} thread a worker; {versions}"
    )
