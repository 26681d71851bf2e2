"""What made the runs: versions, code, data and machine, and whether all are of one kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runner.execute.provenance import same_makers
from runner.expand.runs import SOURCE_SETTINGS


def makers(identities: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The runs' provenances; data that differ by their settings alone (an image size) count as one data set."""
    data: dict[str, set[str]] = {}
    for identity in identities:
        source = repr([identity["settings"].get(key) for key in SOURCE_SETTINGS])
        data.setdefault(source, set()).add(identity["provenance"]["data"])
    if any(len(fingerprints) > 1 for fingerprints in data.values()):
        return [identity["provenance"] for identity in identities]
    together = " and ".join(sorted(set().union(*data.values())))
    return [identity["provenance"] | {"data": together} for identity in identities]


def made_by(provenances: Sequence[dict[str, Any]]) -> list[str]:
    """A line for each different state; a warning where there are several."""
    kinds: list[list[dict[str, Any]]] = []
    for made in provenances:
        known = next((kind for kind in kinds if same_makers(kind[0], made)), None)
        if known is None:
            kinds.append([made])
        else:
            known.append(made)
    lines = []
    if len(kinds) > 1:
        lines = [
            f"> These runs were made by {len(kinds)} different states of code, data or versions; "
            "`--retrain` makes them anew.",
            "",
        ]
    for same in kinds:
        kind = same[0]
        versions = ", ".join(f"{name} {version}" for name, version in kind["versions"].items() if version)
        commits = ", ".join(dict.fromkeys(made["commit"] or "unknown" for made in same))
        processors = ", ".join(dict.fromkeys(made.get("processor") or "unknown" for made in same))
        lines.append(
            f"- commit {commits}, code {kind['code']}, data {kind['data']}, {kind['machine']}, "
            f"{processors}, {kind['device']}, {kind['threads']} thread a worker; {versions}"
        )
    return lines
